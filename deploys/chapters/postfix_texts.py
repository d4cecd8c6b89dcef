"""The texts of chapter 1, as they stand on the host. {{ names }} come from the inventory's data."""

# The last line: what a person's program leaves out, Postfix adds: Date, Message-ID, From, our domain behind a bare name.
# A guesser has so many tries a minute from one address, right ones counted too, and loses his line after five wrong ones.
SUBMISSION = """syslog_name=postfix/submission
smtpd_tls_wrappermode=no
smtpd_tls_security_level=encrypt
smtpd_relay_restrictions=permit_sasl_authenticated,reject
smtpd_client_auth_rate_limit=60
smtpd_soft_error_limit=3
smtpd_hard_error_limit=10
milter_macro_daemon_name=ORIGINATING
local_header_rewrite_clients=permit_sasl_authenticated
notify_classes=resource,software"""
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
smtpd_client_auth_rate_limit=60
smtpd_soft_error_limit=3
smtpd_hard_error_limit=10
milter_macro_daemon_name=ORIGINATING
local_header_rewrite_clients=permit_sasl_authenticated
notify_classes=resource,software"""
# A local hop that was away for a second is asked again in seconds, not in 5 minutes. Other people's servers are not hammered: the
# wait grows with the letter's age, 5 s, 10 s, 20 s, …, from some 5 minutes on as before, up to maximal_backoff_time.
RETRIES = """minimal_backoff_time = 5s
queue_run_delay = 3s
transport_retry_time = 5s
service_throttle_time = 5s"""
IDENTITY = """myhostname = {{ mail_hostname }}
mydomain = {{ mail_domain }}
myorigin = $mydomain
mydestination = $myhostname, localhost.$mydomain, localhost
inet_interfaces = all
smtpd_banner = $myhostname ESMTP
message_size_limit = {{ message_size_limit }}
queue_minfree = {{ queue_minfree }}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
inet_protocols = all
recipient_delimiter = +
append_dot_mydomain = no
relay_domains =
parent_domain_matches_subdomains ="""
# In a list of ciphers, SHA1, SHA256 and SHA384 name the suites that still sign each record on its own (CBC); what is left
# of those with forward secrecy (without kRSA, RSA's own key exchange) signs and encrypts in one: GCM, CCM, ChaCha20.
TLS = """smtpd_tls_cert_file = {{ tls_certificate }}
smtpd_tls_key_file = {{ tls_key }}
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
smtpd_recipient_restrictions = check_recipient_access inline:{double-bounce@=REJECT}
smtpd_client_connection_count_limit = 20
smtpd_helo_required = yes
disable_vrfy_command = yes
smtpd_forbid_bare_newline = normalize
message_reject_characters = \\0
header_size_limit = 1048576
smtpd_data_restrictions = reject_unauth_pipelining"""
# Port 25 alone. What comes from a stranger is handed on as it is, or refused: a bare newline is not repaired, no header field is
# dropped but Return-Path, which RFC 5321 (4.4) wants to be the last host's, and nobody is written to (see PORT25).
STRANGERS_CLEANUP = "cleanup-strangers unix n - {{ chroot }} - 0 cleanup"
STRANGERS_CLEANUP_OPTIONS = "message_drop_headers=return-path"
STRANGERS = """smtpd_command_filter=regexp:/etc/postfix/port25.regexp
smtpd_forbid_bare_newline=reject
cleanup_service_name=cleanup-strangers
notify_classes=resource,software"""
# NOTIFY=NEVER stands right behind the address, where no quotation mark of the client's can swallow it.
_ADDRESS = r'(<?([^[:space:]"\\<>]*|"([^[:space:]"\\]|\\[^[:space:]])*"@[^[:space:]"\\<>]*)>?)'
# no quotation mark in a parameter: Amavis would hand NOTIFY on behind it, where it swallows the word
_WORDS = r'(([[:space:]]+[^[:space:]"\\<>]+)*)'
_TO = f"^RCPT[[:space:]]+TO:[[:space:]]*{_ADDRESS}{_WORDS}"
PORT25 = f"""# Made by mailroom, chapter 1. What port 25 understands a stranger's RCPT as: no delivery report and no bounce is ever sent
# to the sender that he names. A second NOTIFY of his is refused by Postfix, and so is
# an address with blanks in it, or a parameter with a quotation mark.
/{_TO}[[:space:]]+NOTIFY=[^[:space:]]*{_WORDS}[[:space:]]*$/ RCPT TO:$1 NOTIFY=NEVER$4$6
/{_TO}[[:space:]]*$/ RCPT TO:$1 NOTIFY=NEVER$4
/^RCPT/ RCPT"""
# Which names of the host itself the world may write to; and that what is for any other of its accounts goes to the postmaster.
LOCAL_NAMES = """local_recipient_maps = inline:{postmaster=ok, abuse=ok, root=ok}
alias_maps = $alias_database, pipemap:{unix:passwd.byname, static:postmaster@{{ mail_domain }}}"""
# At the doors, in smtpd, "bounce" is another word: a note for each recipient that is refused, as many as a guesser likes to
# cause. So each door has its own notify_classes, and this one is for what was taken.
NOTICES = "notify_classes = bounce, 2bounce, resource, software"
