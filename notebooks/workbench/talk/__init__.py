"""Protocols spoken by hand, line by line: SMTP, IMAP, ManageSieve, LMTP, and the TLS handshake."""
