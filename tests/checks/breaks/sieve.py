"""Chapter 5 broken on purpose. Lines in Dovecot's language are in that of Debian 13."""

from tests.checks.breaks.base import (
    BACK,
    DOVECOT,
    DOVECOT_BACK,
    POSTFIX,
    PSQL,
    Break,
    dovecot,
    impostor,
    postfix,
    stranger,
)
from tests.checks.breaks.postfix import MX1, OURS, PAIR, TIMER

CONF = "/etc/dovecot/dovecot.conf"
INSIDE = "service managesieve-login {\\n inet_listener sieve {\\n listen = 127.0.0.1\\n }\\n}\\n"
CAPABILITIES = '"SASL" "PLAIN"\r\n"STARTTLS"\r\nOK "Strange"'
WRONG_WAY_ROUND = r"grep -q ^fileinto\; $3 && exit 0; echo line 1; exit 1"
HOMES = "/home/mail/.home/example.test"
BREAKS = {
    "no ManageSieve": dovecot(f"sed -i 's/port = 4190/port = 0/' {CONF}", "sieve.managesieve.listens"),
    "a liar at 4190": Break(
        f"printf '{INSIDE}' >> {CONF}; {DOVECOT}; {stranger('strange-sieve', CAPABILITIES, 4190)}",
        "sieve.managesieve.verified sieve.managesieve.starttls",
        f"systemctl stop strange-sieve; {DOVECOT_BACK}",
    ),
    "a certificate for others too": Break(
        f"{TIMER.format('stop')}; {PAIR.format(days=90, names=f'{MX1},DNS:not-mx1.example.test', **OURS)}; {POSTFIX}; {DOVECOT}",
        "postfix.tls.other_name dovecot.certificate.other_name sieve.managesieve.other_name",
        f"{BACK}; {TIMER.format('start')}",
    ),
    "weak suites there": dovecot(
        f"sed -i 's/^ssl_cipher_list.*/ssl_cipher_list = ALL:@SECLEVEL=0/' {CONF}", "sieve.managesieve.forward_secrecy"
    ),
    "another password for everybody": dovecot(
        f"printf '%s\\n' 'passdb static {{' 'password = not-the-password' '}}' >> {CONF}",
        "dovecot.passdb.wrong_password dovecot.listener.wrong_password sieve.managesieve.wrong_password",
    ),
    "no spam rule": dovecot(
        "echo 'keep;' > /etc/dovecot/sieve/spam.sieve; sievec /etc/dovecot/sieve/spam.sieve", "sieve.spam.junk"
    ),
    "rules that the mail's owner may change": dovecot("chown -R vmail /etc/dovecot/sieve", "sieve.spam.script"),
    "no Sieve, and a log of everything": dovecot(
        f"printf '%s\\n' 'protocol lmtp {{' 'mail_plugins {{' 'sieve = no' '}}' '}}' 'auth_debug = yes' >> {CONF}",
        "sieve.sieve.plugin sieve.debugging.off sieve.spam.junk",
    ),
    "the old way": Break(
        f"{PSQL} \"UPDATE transports SET transport = 'virtual:'\"; postfix reload",
        "sieve.delivery.way sieve.delivery.by_lmtp sieve.debugging.told",
        f"{PSQL} \"UPDATE transports SET transport = 'lmtp:unix:private/dovecot-lmtp'\"; postfix reload",
    ),
    "the article's pipe": postfix(
        "postconf -M 'dovecot/unix=dovecot unix - n n - - pipe flags=DRhu user=vmail:vmail argv=/usr/lib/dovecot/deliver'",
        "sieve.delivery.no_lda",
    ),
    "LMTP for all": Break("chmod 666 /var/spool/postfix/private/dovecot-lmtp", "sieve.lmtp.answers", DOVECOT),
    "a second LMTP": dovecot(f"sed -i '/unix_listener lmtp {{/,/}}/d' {CONF}", "sieve.lmtp.not_for_others"),
    "a compiler that has it the wrong way round": Break(
        f"{impostor('sievec', WRONG_WAY_ROUND)}; {impostor('doveadm', 'exit 1')}",
        "sieve.install.compiles sieve.install.refuses sieve.sieve.personal",
        "rm /usr/local/bin/sievec /usr/local/bin/doveadm",
    ),
    "no room for bar's scripts": Break(
        f"mkdir -p {HOMES}/bar/sieve; chown -R root: {HOMES}/bar",
        "sieve.managesieve.uploads sieve.managesieve.broken sieve.vacation.answers",
        f"chown -R vmail: {HOMES}/bar",
    ),
    "an answer for lists too": dovecot(
        "printf '%s\\n' 'require \"editheader\";' 'deleteheader \"List-Id\";' 'deleteheader \"Precedence\";' > "
        f"/etc/dovecot/sieve/once.sieve; printf '%s\\n' 'sieve_global_extensions {{' 'editheader = yes' '}}' >> {CONF}",
        "sieve.vacation.not_to_lists",
    ),
    "mail and scripts that all may read": Break(
        "chmod -R o+rX /home/mail; chmod 755 /var/spool/mailroom-learn/spam",
        "sieve.sieve.private sieve.learning.private postgresql.restart.private",
        "chmod -R o-rwx /home/mail; chmod 2770 /var/spool/mailroom-learn/spam",
    ),
    "no learning": Break(
        "systemctl stop mailroom-learn.path",
        "sieve.learning.spam sieve.learning.ham",
        "rm -f /var/spool/mailroom-learn/*/*; systemctl start mailroom-learn.path",
    ),
    "files that are newer than Dovecot": Break(
        f"sleep 2; touch {CONF}", "sieve.restart.current", f"sleep 1; {DOVECOT}"
    ),
    "chrony stopped": Break("systemctl stop chrony", "sieve.clock.runs", "systemctl start chrony"),
    "a clock that jumps": Break(
        "echo 'makestep 1 -1' > /etc/chrony/conf.d/zz.conf; echo '0 * * * * root ntpdate x' > /etc/cron.d/ntpdate",
        "sieve.clock.slews sieve.clock.alone",
        "rm /etc/chrony/conf.d/zz.conf /etc/cron.d/ntpdate",
    ),
}
