"""The texts of chapter 1, as they stand on the host. @{names} come from the inventory's data."""

INSTALL = {"Debian": "apt-get install postfix", "Red Hat": "dnf install postfix    # yum, where there is no dnf"}

SUBMISSION = """syslog_name=postfix/submission
smtpd_tls_wrappermode=no
smtpd_tls_security_level=encrypt
smtpd_relay_restrictions=permit_sasl_authenticated,reject
milter_macro_daemon_name=ORIGINATING"""
SUBMISSION_ARTICLE = """syslog_name=postfix/submission
smtpd_tls_wrappermode=no
smtpd_tls_security_level=encrypt
smtpd_sasl_auth_enable=yes
smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,defer_unauth_destination
milter_macro_daemon_name=ORIGINATING"""
SUBMISSIONS = """syslog_name=postfix/submissions
smtpd_tls_wrappermode=yes
smtpd_tls_security_level=encrypt
smtpd_relay_restrictions=permit_sasl_authenticated,reject
milter_macro_daemon_name=ORIGINATING"""
IDENTITY = """myhostname = @{mail_hostname}
mydomain = @{mail_domain}
myorigin = $mydomain
mydestination = $myhostname, localhost.$mydomain, localhost
inet_interfaces = all
smtpd_banner = $myhostname ESMTP
message_size_limit = @{message_size_limit}
mailbox_size_limit = 0
virtual_mailbox_limit = 0"""
# In a list of ciphers, SHA1, SHA256 and SHA384 name the suites that still sign each record on its own (CBC); what is left
# of those with forward secrecy (without kRSA, RSA's own key exchange) signs and encrypts in one: GCM, CCM, ChaCha20.
TLS = """smtpd_tls_cert_file = @{tls_certificate}
smtpd_tls_key_file = @{tls_key}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_exclude_ciphers = aNULL
smtpd_tls_mandatory_ciphers = high
smtpd_tls_mandatory_exclude_ciphers = aNULL, kRSA, kDHE, SHA1, SHA256, SHA384, ARIA
tls_preempt_cipherlist = yes
tls_ssl_options = NO_COMPRESSION, NO_RENEGOTIATION
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtp_tls_security_level = may"""
RESTRICTIONS = """mynetworks = 127.0.0.0/8 [::1]/128
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_helo_required = yes
disable_vrfy_command = yes
smtpd_forbid_bare_newline = normalize
smtpd_data_restrictions = reject_unauth_pipelining"""
