"""The texts of chapter 4: as printed in 2013, and in Dovecot's two languages of today.

{{ names }} come from the inventory's data. `%u` and `%{user}` are Dovecot's own.
"""

PROTOCOLS = {"2.3": "protocols = imap", "2.4": "protocols = imap"}

GREETING = dict.fromkeys(
    ("2.3", "2.4"), "base_dir = /run/dovecot\ninstance_name = dovecot\nlogin_greeting = Dovecot ready."
)

INCLUDES = "#!include conf.d/*.conf\n#!include_try local.conf"
NAMESPACE = dict.fromkeys(("2.3", "2.4"), "namespace inbox {\n  inbox = yes\n}")

_TLS = """ssl = required
ssl_min_protocol = TLSv1.2
ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20"""
TLS = {
    "2.3": f"{_TLS}\nssl_prefer_server_ciphers = yes",
    "2.4": f"{_TLS}\nssl_server_prefer_ciphers = server",
}

CERTIFICATE_ARTICLE = (
    "$ ssl_cert = </etc/pki/dovecot/certs/dovecot.pem\n  ssl_key = </etc/pki/dovecot/private/dovecot.pem"
)
CERTIFICATE = {
    "2.3": "ssl_cert = <{{ tls_certificate }}\nssl_key = <{{ tls_key }}",
    "2.4": "ssl_server_cert_file = {{ tls_certificate }}\nssl_server_key_file = {{ tls_key }}",
}

PASSDB_ARTICLE = """$ passdb {
    driver = sql
    args = /etc/dovecot/dovecot-sql.conf
  }
  userdb {
    driver = prefetch
  }"""
# "Not now" is what Dovecot says while PostgreSQL is away; Postfix would make a 535 of it, and a client then asks for another
# password. So 2.3 takes its last answer to a user, only then: https://doc.dovecot.org/2.3/settings/core/#auth_cache_ttl. 2.4 says
# it so late that Postfix has given up before, with a 454: try again (LISTENER).
_REMEMBERED = """auth_cache_size = 10M
auth_cache_ttl = 1s
auth_cache_negative_ttl = 0
"""
PASSDB = {
    "2.3": _REMEMBERED
    + """passdb {
  driver = sql
  args = /etc/dovecot/dovecot-sql.conf
}
userdb {
  driver = prefetch
}
userdb {
  driver = sql
  args = /etc/dovecot/dovecot-sql.conf
}""",
    "2.4": r"""!include_try dovecot-sql.conf
passdb sql {
  default_password_scheme = {{ password_scheme }}
  query = SELECT email AS user, password, 'maildir' AS userdb_mail_driver, \
    '{{ mail_home }}/' || maildir AS userdb_mail_path FROM users WHERE email = '%{user}'
}
userdb prefetch {
}
userdb sql {
  query = SELECT 'maildir' AS mail_driver, '{{ mail_home }}/' || maildir AS mail_path FROM users WHERE email = '%{user}'
  iterate_query = SELECT email AS user FROM users
}""",
}

SQL_ARTICLE = """$ driver = pgsql
  connect = host=localhost dbname=mail user=mailreader password=some-password
  default_pass_scheme = SHA512
  password_query = SELECT email as user, password, 'maildir:/home/mail'||maildir as userdb_mail FROM users WHERE email = '%u'"""
SQL = {
    "2.3": """# Made by mailroom, chapter 4. It holds a password: for root only.
driver = pgsql
connect = host=127.0.0.1 dbname=mail user=mailreader password={{ mailreader_password }}
default_pass_scheme = {{ password_scheme }}
password_query = SELECT email AS user, password, 'maildir:{{ mail_home }}/' || maildir AS userdb_mail FROM users WHERE email = '%u'
user_query = SELECT 'maildir:{{ mail_home }}/' || maildir AS mail FROM users WHERE email = '%u'
iterate_query = SELECT email AS user FROM users""",
    "2.4": """# Made by mailroom, chapter 4. It holds a password: for root only.
sql_driver = pgsql
pgsql 127.0.0.1 {
  parameters {
    dbname = mail
    user = mailreader
    password = {{ mailreader_password }}
  }
}""",
}

OWNER_ARTICLE = (
    "mail_uid = the-uid-of-your-mailreader-user\nmail_gid = the-gid-of-your-mailreader-user\nfirst_valid_uid = 200"
)
OWNER = dict.fromkeys(
    ("2.3", "2.4"),
    "first_valid_uid = {{ mail_uid }}\nfirst_valid_gid = {{ mail_gid }}\nmail_uid = {{ mail_uid }}\nmail_gid = {{ mail_gid }}",
)

PASSWORD_ARTICLE = """$ doveadm pw -p plain_text_password -s sha512 -r 100
$ UPDATE users SET password = 'your-hashed-string" WHERE email = 'foo@domain.com";"""
CLEARTEXT_ARTICLE = "$ disable_plaintext_auth = no\n  auth_mechanisms = plain"
# One login process for each visitor (the default) is one for each idle connection too, and a hundred of those shut out
# everybody. Here few processes serve many visitors: https://doc.dovecot.org/latest/core/admin/login_processes.html
_LOGIN = """
auth_failure_delay = 2 secs
service imap-login {
  %s
  process_min_avail = 2
  process_limit = 10
}
protocol imap {
  mail_max_userip_connections = 50
}"""
CLEARTEXT = {
    "2.3": "disable_plaintext_auth = yes\nauth_mechanisms = plain login" + _LOGIN % "service_count = 0",
    "2.4": "auth_allow_cleartext = no\nauth_mechanisms = plain login" + _LOGIN % "restart_request_count = unlimited",
}

MAILBOXES_ARTICLE = """$ protocol imap {
    mail_plugins = $mail_plugins autocreate
  }
  plugin {
    autocreate = Trash
    autocreate2 = Sent
    autosubscribe = Trash
    autosubscribe2 = Sent
  }"""
_MAILBOXES = (
    "namespace inbox {\n"
    + "".join(
        f"  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}\n"
        for name in ("Trash", "Sent", "Drafts", "Junk")
    )
    + "}"
)
MAILBOXES = {"2.3": _MAILBOXES, "2.4": _MAILBOXES}

SASL_ARTICLE = "$  -o smtpd_sasl_type=dovecot\n   -o smtpd_sasl_path=private/auth"
SASL = """smtpd_sasl_auth_enable=yes
smtpd_sasl_type=dovecot
smtpd_sasl_path=private/auth
smtpd_sender_restrictions=reject_sender_login_mismatch"""

LISTENER_ARTICLE = """$ service auth {
    unix_listener auth_userdb {
      path = /var/spool/postfix/private/auth
      mode = 0660
      user = postfix
      group = postfix
    }
  }"""
_LISTENER = """service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
# What strangers type is looked up here: root only where passwords are the system's own.
service auth-worker {
  user = dovecot
}"""
# Postfix waits 10 s. https://doc.dovecot.org/2.4.1/core/summaries/settings.html#auth_internal_failure_delay
_NOT_NOW = """
protocol smtp {
  auth_internal_failure_delay = 15 secs
}"""
LISTENER = {"2.3": _LISTENER, "2.4": _LISTENER + _NOT_NOW}
