"""Chapter 4 broken on purpose. Lines in Dovecot's language are in that of Debian 13."""

from tests.checks.breaks.base import DOVECOT, DOVECOT_BACK, Break, dovecot, setting, stranger

# Dovecot at 143 for the host itself alone, so that somebody else can stand there for all others.
INSIDE = "service imap-login {{\\n inet_listener imap {{\\n listen = 127.0.0.1\\n }}\\n}}\\n"
# A certificate in the server's name, at 993, for all but the host itself.
IMPOSTOR = (
    "openssl req -new -x509 -days 2 -nodes -newkey rsa:2048 -subj /CN=strange -addext subjectAltName=DNS:mx1.example.test "
    "-keyout /root/strange.pem -out /root/strange.crt 2>/dev/null; systemd-run -q --unit=strange-desk openssl s_server -www "
    "-accept $(hostname -I | cut -d' ' -f1):993 -cert /root/strange.crt -key /root/strange.pem; sleep 0.5"
)
GREETING = "* OK [CAPABILITY IMAP4 STARTTLS AUTH=PLAIN] Strange 1.2.3 ready."
BREAKS = {
    "no IMAP": Break("systemctl stop dovecot", "dovecot.start.listens", DOVECOT),
    "somebody else at the IMAP ports": Break(
        f"systemctl stop dovecot; {stranger('strange-desk', '* BYE', 143, 993)}",
        "dovecot.install.only_dovecot dovecot.start.no_cleartext dovecot.passdb.greets",
        f"systemctl stop strange-desk; {DOVECOT}",
    ),
    "a liar at 143": Break(
        f"printf '{INSIDE.format()}' >> /etc/dovecot/dovecot.conf; {DOVECOT}; {stranger('strange-desk', GREETING, 143)}",
        "dovecot.greeting.no_version dovecot.protocols.imap dovecot.cleartext.starttls dovecot.cleartext.after_tls "
        "dovecot.cleartext.announced dovecot.cleartext.refused",
        f"systemctl stop strange-desk; {DOVECOT_BACK}",
    ),
    "an impostor at 993": Break(
        f"printf '{INSIDE.format().replace('imap {', 'imaps {')}' >> /etc/dovecot/dovecot.conf; {DOVECOT}; {IMPOSTOR}",
        "dovecot.client.no_impostor",
        f"systemctl stop strange-desk; rm -f /root/strange.*; {DOVECOT_BACK}",
    ),
    "a domain for those who have none": setting("auth_default_domain = example.test", "dovecot.client.wrong_name"),
    "TLS for who likes it, and the distribution's settings": dovecot(
        "printf '%s\\n' 'ssl = yes' '!include_try local.conf' 'passdb pam {' '}' >> /etc/dovecot/dovecot.conf",
        "dovecot.tls.required dovecot.includes.off dovecot.includes.no_pam",
    ),
    "a name as it is typed": setting("auth_username_format = %{user}", "dovecot.password.capitals"),
    "folders without a meaning, and others' too": dovecot(
        "sed -i 's/special_use = .Junk/special_use = \\\\Archive/' /etc/dovecot/dovecot.conf; printf '%s\\n' 'namespace theirs {' "
        "' prefix = shared/bar/' ' separator = /' ' mail_driver = maildir' ' mail_path = /home/mail/example.test/bar' '}' "
        "'namespace inbox {' ' separator = /' '}' >> /etc/dovecot/dovecot.conf",
        "dovecot.mailboxes.special dovecot.mailboxes.own_only",
    ),
    "nobody looks for a renewed certificate": Break(
        "systemctl stop mailroom-certificate.timer",
        "dovecot.certificate.renewal",
        "systemctl start mailroom-certificate.timer",
    ),
    "a strange pair would be read": Break(
        "cp -p /usr/local/lib/mailroom/certificate /root/certificate; "
        "sed -i 's/^judge_pair() {/&\\n    return 0/' /usr/local/lib/mailroom/certificate",
        "dovecot.certificate.no_strange_pair",
        "mv /root/certificate /usr/local/lib/mailroom/certificate",
    ),
    "socket for all": Break(
        "chmod 666 /var/spool/postfix/private/auth; chmod 755 /var/spool/postfix/private",
        "dovecot.listener.socket dovecot.listener.not_for_others",
        f"chmod 700 /var/spool/postfix/private; {DOVECOT}",
    ),
    "wrong database password": dovecot(
        "sed -i -E 's/(password ?= ?).*/\\1wrong/' /etc/dovecot/dovecot-sql.conf",
        "dovecot.sql.credentials",
        on_both=True,
    ),
    "nobody compares": Break(
        "systemctl stop mailroom-sender.socket mailroom-sender.service",
        "dovecot.listener.login",  # without its answer nobody is let in: 454
        "systemctl start mailroom-sender.socket",
    ),
}
