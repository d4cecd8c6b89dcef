"""Chapter 4: Dovecot, the friendly front desk."""
