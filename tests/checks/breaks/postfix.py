"""Chapter 1 broken on purpose."""

from tests.checks.breaks.base import BACK, DOVECOT, HOME, POSTFIX, Break, postfix

PAIR = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days {days} -subj /CN=x -addext subjectAltName={names} "
    "-keyout {key} -out {cert} 2>/dev/null"
)
OURS = {"key": "/etc/postfix/certs/key.pem", "cert": "/etc/postfix/certs/cert.pem"}
MX1 = "DNS:mx1.example.test"
# So that processes of Postfix have read the pair, and wait for the next clients with it.
ASKED = (
    "for n in 1 2 3; do { sleep 0.5; printf 'QUIT\\r\\n'; } | "
    "openssl s_client -quiet -starttls smtp -connect 127.0.0.1:25 >/dev/null 2>&1 & done; wait"
)
TIMER = "systemctl {} mailroom-certificate.timer"
OLD_TLS = (
    "postconf -e 'smtpd_tls_protocols = >=TLSv1' 'smtpd_tls_mandatory_protocols = >=TLSv1' "
    f"'tls_medium_cipherlist = ALL:@SECLEVEL=0'; {POSTFIX}; printf 'ssl_min_protocol = TLSv1\\nssl_cipher_list = "
    f"ALL:@SECLEVEL=0\\n' >> /etc/dovecot/dovecot.conf; {DOVECOT}"
)
BREAKS = {
    "relay": postfix(
        "postconf -e 'smtpd_relay_restrictions = check_recipient_access static:OK, reject_unauth_destination'",
        "postfix.restrictions.no_relay",
    ),
    "another name, and other manners": postfix(
        "postconf -e myhostname=mx9.example.test myorigin=example.org disable_vrfy_command=no smtpd_helo_required=no "
        "'relay_domains=sub.example.test not-example.test example.test.example.org' "
        "relay_recipient_maps=; echo '/^NOOP/ NONE' > /etc/postfix/noop; "
        "postconf -P smtp/inet/smtpd_command_filter=regexp:/etc/postfix/noop; sed -i 's/^root:.*/root: nobody/' /etc/aliases; newaliases",
        "postfix.identity.name postfix.identity.origin postfix.identity.no_subdomains postfix.install.greeting "
        "postfix.restrictions.no_vrfy postfix.restrictions.hello_first postfix.aliases.to_a_person",
    ),
    "no door for strangers": postfix("postconf -MX smtp/inet", "postfix.restart.listens"),
    "no door for users": postfix(
        "postconf -MX submission/inet submissions/inet", "postfix.submission.listens postfix.submissions.listens"
    ),
    "nobody may write to us": postfix(
        "postconf -e smtpd_recipient_restrictions=reject",
        "postfix.restrictions.stranger postfix.aliases.root postfix.restart.first_mail postgresql.delivery.known "
        "postgresql.restart.maildir dovecot.listener.own_sender",
    ),
    "the users' doors ajar": postfix(
        "for door in submission submissions; do "
        "postconf -P $door/inet/smtpd_relay_restrictions=check_recipient_access,static:OK,reject_unauth_destination "
        "$door/inet/smtpd_sender_restrictions=permit; done; "
        "postconf -P submission/inet/smtpd_tls_security_level=may submissions/inet/smtpd_tls_wrappermode=no "
        "smtp/inet/smtpd_sasl_auth_enable=yes smtp/inet/smtpd_sasl_type=dovecot smtp/inet/smtpd_sasl_path=private/auth; "
        "postconf -e smtpd_tls_auth_only=no; postconf -PX submissions/inet/smtpd_sasl_path",
        "postfix.restrictions.login_demanded postfix.submission.tls_demanded postfix.submissions.no_cleartext "
        "dovecot.sasl.not_on_25 dovecot.sasl.configured",
    ),
    "any local name": postfix("postconf -e local_recipient_maps=", "postfix.aliases.unknown"),
    "every account of the host": postfix("postconf -X local_recipient_maps", "postfix.aliases.accounts"),
    "reports for strangers": postfix(
        "postconf -PX smtp/inet/smtpd_command_filter", "postfix.strangers.never postgresql.restart.no_report"
    ),
    "no reports, and no letters": postfix("postconf -e smtpd_discard_ehlo_keywords=dsn", "postfix.strangers.asks"),
    "bounces that nobody sees, notes for every guess": postfix(
        "postconf -X notify_classes; postconf -PX smtp/inet/notify_classes",
        "postfix.strangers.told postfix.strangers.not_told",
    ),
    "a field is dropped": postfix(
        "postconf -P cleanup-strangers/unix/message_drop_headers=bcc", "postgresql.restart.untouched"
    ),
    "subdomains are ours, and everybody is one of us": postfix(
        "postconf -X parent_domain_matches_subdomains", "postgresql.delivery.subdomain"
    ),
    "forged sender": postfix("postconf -e smtpd_sender_restrictions=", "postgresql.delivery.no_forged_sender"),
    "mail that nobody reads": Break(
        f"postconf -e 'alias_maps = $alias_database'; {POSTFIX}",
        "postgresql.restart.host_mail",
        f"rm -f /var/mail/daemon /var/spool/mail/daemon; {BACK}",
    ),
    "a copy of all mail": postfix("postconf -e always_bcc=foo@example.test", "dovecot.restart.only_to_bar"),
    "nobody owns an address": postfix(
        "postconf -e smtpd_sender_login_maps=static:nobody", "dovecot.listener.own_sender dovecot.listener.own_from"
    ),
    "foo sends as bar": postfix(
        "postconf -P submissions/inet/smtpd_sender_restrictions=permit", "dovecot.listener.no_forged_sender"
    ),
    "foo writes as bar": postfix("postconf -PX submission/inet/smtpd_milters", "dovecot.listener.no_forged_from"),
    "weak suites": postfix(
        "postconf -e smtpd_tls_exclude_ciphers= smtpd_tls_mandatory_exclude_ciphers=; "
        "postconf -P submissions/inet/smtpd_tls_security_level=may",
        "postfix.tls.no_anonymous postfix.tls.forward_secrecy",
    ),
    "old TLS": Break(
        OLD_TLS,
        "postfix.tls.old_refused dovecot.certificate.old_refused dovecot.cleartext.old_refused dovecot.tls.minimum",
        on_both=True,
    ),
    # with these settings Dovecot 2.3 still refuses such suites
    "suites without forward secrecy": Break(OLD_TLS, "dovecot.certificate.forward_secrecy"),
    "another pair at 465": postfix(
        f"{PAIR.format(days=9, names=MX1, key='/root/key.pem', cert='/root/cert.pem')}; "
        "postconf -P submissions/inet/smtpd_tls_cert_file=/root/cert.pem submissions/inet/smtpd_tls_key_file=/root/key.pem",
        "postfix.tls.submission dovecot.client.whole dovecot.client.works",
    ),
    "new certificate not loaded": Break(
        f"{TIMER.format('stop')}; {ASKED}; {PAIR.format(days=9, names=MX1, **OURS)}",
        "postfix.certificate.dates postfix.restart.certificate_loaded dovecot.restart.certificate_loaded postfix.tls.verified "
        "dovecot.certificate.verified",
        f"{BACK}; {TIMER.format('start')}",
    ),
    "a key of its own, for all to read": Break(
        f"{TIMER.format('stop')}; openssl genrsa -out {OURS['key']} 2048; chmod 644 {OURS['key']}",
        "postfix.certificate.key_fits postfix.certificate.key_private dovecot.certificate.key_private",
        f"cp -a /root/kept/etc/postfix/certs /etc/postfix; {TIMER.format('start')}",
    ),
    "a folder that is not foo's any more": Break(
        f"chown root: {HOME}/foo/.Sent/tmp; chmod 700 {HOME}/foo/.Sent/tmp",
        "dovecot.restart.sent dovecot.mail_owner.owns",
        f"chown vmail: {HOME}/foo/.Sent/tmp",
    ),
}
