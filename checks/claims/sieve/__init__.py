"""Chapter 5: Dovecot continued."""

NEEDS = "pigeonhole"
