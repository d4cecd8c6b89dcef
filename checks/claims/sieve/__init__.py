"""Chapter 5: Dovecot continued."""

from checks.clients import installed

ONLY_WITH = (installed.pigeonhole,)
