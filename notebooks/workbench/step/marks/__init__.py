"""How each step shows on the host: its mark, and what stands there now.

Every entry is shell: `done` succeeds when the step has left its mark; `now` prints what a reader would look at. A mark is
what a step has written, not whether a daemon runs: a stopped bookkeeper is for verify() to find, not a step to be done.
"""

from __future__ import annotations

from notebooks.workbench.step.marks import amavis, sieve
from notebooks.workbench.step.marks.kinds import CONF, PACKAGES, Landmark, dovecot_block, main_cf, master_cf

HBA = 'f=$(ask "SHOW hba_file"); sed -n "/^# >>> mailroom/,/^# <<< mailroom/{{/^#/!p}}" "$f"'
TABLE = (
    "SELECT string_agg(format('%s: %s', table_name, columns), E'\\n') FROM (SELECT table_name, "
    "string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) AS columns "
    "FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1 ORDER BY 1) AS one"
)
CERTIFICATE = (
    "openssl x509 -noout -subject -enddate -ext subjectAltName -in @CERT@; stat -L -c '%a %U:%G %n' @CERT@ @KEY@"
)
NOW_ROLE = "SELECT format('%s: login %s, superuser %s', rolname, rolcanlogin, rolsuper) FROM pg_roles WHERE rolname = 'mailreader'"
NOW_DATABASE = "SELECT format('%s, owner %s', datname, pg_get_userbyid(datdba)) FROM pg_database WHERE datname = 'mail'"
ROWS = (
    "SELECT format('%s -> %s (%s)', email, maildir, left(password, strpos(password, '}'))) FROM users "
    "UNION ALL SELECT format('%s -> %s', domain, transport) FROM transports "
    "UNION ALL SELECT format('%s -> %s', alias, email) FROM aliases"
)
MAPS = (
    "for f in /etc/postfix/pgsql/*.cf; do echo \"# ${f##*/}\"; grep -E '^(domain|query) ' $f; done; "
    "stat -c '# %a %U:%G %n' /etc/postfix/pgsql/*.cf"
)
SQL_NOW = "sed -E 's/(password ?= ?).*/\\1(secret)/' /etc/dovecot/dovecot-sql.conf && stat -c '# %a %U:%G' /etc/dovecot/dovecot-sql.conf"

LANDMARKS = {
    "postfix.host_name": Landmark('[ "$(hostname -f)" = @FQDN@ ]', "hostname -f"),
    "postfix.install": Landmark("command -v postfix", PACKAGES.format(names="postfix openssl")),
    "postfix.identity": main_cf(
        "main smtpd_banner '$myhostname ESMTP'",
        "myhostname mydomain myorigin mydestination inet_interfaces smtpd_banner message_size_limit queue_minfree "
        "mailbox_size_limit virtual_mailbox_limit inet_protocols recipient_delimiter append_dot_mydomain relay_domains "
        "parent_domain_matches_subdomains",
    ),
    "postfix.submission": master_cf("submission"),
    "postfix.submissions": master_cf("submissions"),
    "postfix.certificate": Landmark("test -s @CERT@", CERTIFICATE, ("postfix.install",)),
    "postfix.tls": main_cf(
        "main smtpd_tls_cert_file @CERT@",
        "smtpd_tls_cert_file smtpd_tls_key_file smtpd_tls_security_level smtpd_tls_auth_only smtpd_tls_protocols "
        "smtpd_tls_mandatory_protocols smtpd_tls_received_header smtpd_tls_loglevel smtp_tls_security_level",
        "postfix.install",
        "postfix.certificate",
    ),
    "postfix.restrictions": main_cf(
        "main disable_vrfy_command yes",
        "mynetworks smtpd_relay_restrictions smtpd_helo_required disable_vrfy_command smtpd_forbid_bare_newline "
        "smtpd_data_restrictions smtpd_recipient_restrictions message_reject_characters header_size_limit",
    ),
    "postfix.strangers": Landmark(
        "test -s /etc/postfix/port25.regexp",
        "postconf -M cleanup-strangers/unix; postconf -P | grep -E '^(smtp/inet|cleanup-strangers)'; postconf notify_classes; "
        "grep -v '^#' /etc/postfix/port25.regexp",
        ("postfix.install",),
    ),
    "postfix.aliases": Landmark(
        "grep -q '^root:' /etc/aliases",
        "grep -v '^#' /etc/aliases; postconf local_recipient_maps alias_maps",
        ("postfix.install",),
    ),
    "postfix.restart": Landmark(
        "grep -q '^root:' /etc/aliases",
        "postconf -h mail_version; ss -Hlnt 'sport = :25 or sport = :465 or sport = :587'",
        ("postfix.install",),
    ),
    "postgresql.install": Landmark(
        "command -v psql && postconf -m | grep -q pgsql",
        PACKAGES.format(names="postgresql postgresql-server postfix-pgsql"),
    ),
    "postgresql.access": Landmark(
        '[ -n "$(' + HBA.format() + ')" ]',
        HBA.format() + '; echo "# the lines after them:"; grep -vE "^(#|$|host mail)" "$f"',
        ("postgresql.install",),
    ),
    "postgresql.role": Landmark(
        "yes \"SELECT true FROM pg_roles WHERE rolname = 'mailreader'\"", f'ask "{NOW_ROLE}"', ("postgresql.install",)
    ),
    "postgresql.database": Landmark(
        "yes \"SELECT true FROM pg_database WHERE datname = 'mail'\"", f'ask "{NOW_DATABASE}"', ("postgresql.role",)
    ),
    "postgresql.tables": Landmark(
        "yes \"SELECT to_regclass('users') IS NOT NULL\" mail", f'ask "{TABLE}" mail', ("postgresql.database",)
    ),
    "postgresql.mail_owner": Landmark("id @OWNER@", "getent passwd @OWNER@; stat -c '%a %U:%G %n' @HOME@"),
    "postgresql.accounts": Landmark(
        'yes "SELECT count(*) > 0 FROM users" mail', f'ask "{ROWS}" mail', ("postgresql.tables",)
    ),
    "postgresql.maps": Landmark(
        "test -s /etc/postfix/pgsql/virtual.cf",
        MAPS,
        ("postfix.install", "postgresql.install"),
    ),
    "postgresql.delivery": main_cf(
        "postconf -h virtual_mailbox_domains | grep -q pgsql",
        "virtual_mailbox_domains virtual_mailbox_base virtual_mailbox_maps virtual_alias_maps transport_maps virtual_uid_maps "
        "virtual_gid_maps virtual_minimum_uid smtpd_sender_login_maps smtpd_sender_restrictions",
        "postfix.install",
        "postgresql.maps",
        "postgresql.accounts",
        "postgresql.mail_owner",
    ),
    "postgresql.restart": Landmark(
        "postconf -h virtual_mailbox_domains | grep -q pgsql",
        "systemctl is-active postgresql; postfix status 2>&1; ls @HOME@",
        ("postfix.install", "postgresql.install"),
    ),
    "dovecot.install": Landmark(
        "command -v doveconf", PACKAGES.format(names="dovecot dovecot-core dovecot-imapd dovecot-pgsql")
    ),
    "dovecot.protocols": dovecot_block("protocols", "protocols"),
    "dovecot.greeting": dovecot_block("greeting", "base_dir instance_name login_greeting"),
    "dovecot.includes": Landmark(
        f"test -s {CONF} && ! grep -qE '^!include conf.d' {CONF}",
        f"grep -nE '^#? ?!include' {CONF}",
        ("dovecot.install",),
    ),
    "dovecot.tls": dovecot_block("tls", "ssl ssl_min_protocol"),
    "dovecot.certificate": dovecot_block(
        "certificate", "-n | grep -E '^ssl_(server_)?(cert|key)'", "postfix.certificate"
    ),
    "dovecot.start": Landmark(
        "systemctl is-enabled -q dovecot && block certificate",
        "systemctl is-active dovecot; dovecot --version; ss -Hlnt 'sport = :143 or sport = :993'",
        ("dovecot.install",),
    ),
    "dovecot.passdb": dovecot_block("passdb", "-n passdb userdb", "dovecot.includes", "postgresql.accounts"),
    "dovecot.sql": Landmark(
        "test -s /etc/dovecot/dovecot-sql.conf", SQL_NOW, ("dovecot.install", "postgresql.role"), True
    ),
    "dovecot.mail_owner": dovecot_block("mail_owner", "first_valid_uid mail_uid mail_gid", "postgresql.mail_owner"),
    "dovecot.schemes": Landmark("command -v doveadm", "doveadm pw -l", ("dovecot.install",)),
    "dovecot.password": Landmark(
        "yes \"SELECT count(*) > 0 FROM users WHERE password NOT LIKE '{CRYPT}%'\" mail",
        "ask \"SELECT format('%s: %s…', email, left(password, strpos(password, '}'))) FROM users\" mail",
        ("postgresql.accounts", "dovecot.install"),
    ),
    "dovecot.cleartext": dovecot_block(
        "cleartext", "-a | grep -E '^(disable_plaintext_auth|auth_allow_cleartext|auth_mechanisms)'"
    ),
    "dovecot.mailboxes": dovecot_block("mailboxes", "-n namespace"),
    "dovecot.sasl": Landmark(
        "postconf -P submission/inet/smtpd_sasl_path | grep -q private/auth",
        "postconf -P | grep -E '^submissions?/inet/(smtpd_sasl|smtpd_sender|smtpd_milters)'",
        ("postfix.submission", "postfix.submissions"),
    ),
    "dovecot.listener": dovecot_block("listener", "-n service", "postfix.install"),
    "dovecot.restart": Landmark(
        "block listener",
        "systemctl is-active postfix dovecot; ls -l /var/spool/postfix/private/auth",
        ("dovecot.install",),
    ),
    **amavis.LANDMARKS,
    **sieve.LANDMARKS,
}
