"""How each exercise can be solved in a way of one's own, and what looks like it and is none."""

PASSWORD = "$(sed -n 's/^password = //p' /etc/postfix/pgsql/domains.cf)"
RELOAD = "postfix reload 2>/dev/null; sleep 1"
DOVECOT = "systemctl restart dovecot; sleep 1"
CONF = "/etc/dovecot/dovecot.conf"
AMAVIS = (
    "systemctl restart amavis; for n in $(seq 300); do ss -Hltn sport = :10024 | grep -q . && break; sleep 0.1; done"
)
CLAMD = (
    "systemctl restart clamav-daemon.socket clamav-daemon.service; for n in $(seq 300); do "
    "[ -S /run/clamav/clamd.ctl ] && break; sleep 0.1; done; sleep 1; postqueue -f; sleep 2"
)
BAYES = "/var/lib/amavis/.spamassassin"
WEB = "/var/lib/mailroom-web"
NGINX = "systemctl reload mailroom-web; sleep 1"
SENT = "/home/mail/$(hostname -d)/foo/.Sent"
# id: what does not help, and what does
MENDS = {
    "outbox-is-stuck": (
        "systemctl restart postfix; sleep 1",
        # Debian's own examples of both are at the file's beginning
        rf"sed -i -E '100,${{{{ /^#submissions? inet/,/^[^#]/ s/^#// }}}}' /etc/postfix/master.cf; {RELOAD}",
    ),
    "strangers-letters": (
        # no stranger can send through us any more, nor write to us
        f"postconf -e smtpd_relay_restrictions=reject; {RELOAD}",
        "postconf -e 'mynetworks = 127.0.0.0/8 [::1]/128' "
        f"'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination'; {RELOAD}",
    ),
    "cut-off": (
        "systemctl restart postfix; sleep 1",
        "postconf -e inet_interfaces=all; systemctl restart postfix; sleep 1",
    ),
    "nobody-of-that-name": (
        f"postconf -e local_recipient_maps=; {RELOAD}",
        "postconf -e 'mydestination = $myhostname, localhost' "
        f"'local_recipient_maps = inline:{{postmaster=ok, abuse=ok, root=ok}}'; {RELOAD}",
    ),
    "try-again-later": (
        "systemctl restart postgresql; sleep 2; systemctl restart postfix; sleep 1",
        f'sed -i "s/^password = .*/password = {PASSWORD}/" /etc/postfix/pgsql/mailboxes.cf; {RELOAD}',
    ),
    "open-register": (
        "systemctl restart postgresql; sleep 2",
        "sed -i '1s/trust/scram-sha-256/' /etc/postgresql/*/main/pg_hba.conf; systemctl reload postgresql; sleep 1",
    ),
    "since-midnight": (
        "systemctl restart postgresql; sleep 2; systemctl restart postfix dovecot; sleep 1",
        "cd /; runuser -u postgres -- psql -qX mail -c \"ALTER ROLE mailreader VALID UNTIL '2099-01-01'\"; "
        "systemctl restart dovecot; sleep 2",
    ),
    "sent-but-not-there": (
        "systemctl restart amavis; postqueue -f; sleep 2",
        "systemctl start clamav-daemon.socket clamav-daemon.service; for n in $(seq 300); do "
        "[ -S /run/clamav/clamd.ctl ] && break; sleep 0.1; done; postqueue -f; sleep 2",
    ),
    "everything-in-junk": (
        AMAVIS,
        f"sed -i 's/-5.0/5.0/' /etc/amavis/conf.d/70-levels; {AMAVIS}",
    ),
    "hours-on-the-way": (
        f"chown -R clamav:clamav /run/clamav; {CLAMD}",
        f"usermod -aG amavis clamav; {CLAMD}",
    ),
    "junk-stays-empty": (
        f"sievec /etc/dovecot/sieve/spam.sieve; {AMAVIS}",
        f"sed -i \"s/'.localdomain'/'$(hostname -d)'/\" /etc/amavis/conf.d/70-domain; {AMAVIS}",
    ),
    "reads-but-cannot-send": (
        "chmod 666 /var/spool/postfix/private/auth",
        rf"sed -i -E '\,private/auth,,/\}}/ s/(user|group) = dovecot/\1 = postfix/' {CONF}; {DOVECOT}",
    ),
    "warned-when-reading": (
        "systemctl restart postfix; sleep 1",
        f"systemctl start mailroom-certificate.timer; {DOVECOT}",
    ),
    "no-copy-in-sent": (
        f"chmod -R 777 {SENT}",
        f"chown -R vmail:vmail {SENT}; chmod -R o-rwx,g-w {SENT}; find {SENT} -type f -exec chmod 600 {{}} +",
    ),
    "password-not-taken": (
        f"systemctl restart postgresql; sleep 2; {DOVECOT}",
        f'sed -i -E "s/(password ?= ?).*/\\1{PASSWORD}/" /etc/dovecot/dovecot-sql.conf; {DOVECOT}',
    ),
    "never-wrote-that": (
        f"postconf -e smtpd_sender_restrictions=reject_sender_login_mismatch; {RELOAD}",
        "for door in submission submissions; do "
        "postconf -P $door/inet/smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch; done; "
        "postconf -e 'smtpd_sender_restrictions = permit_mynetworks, "
        f"check_sender_access proxy:pgsql:/etc/postfix/pgsql/local-senders.cf'; {RELOAD}",
    ),
    "filters-asleep": (
        f"sievec /etc/dovecot/sieve/spam.sieve; {DOVECOT}",
        rf"sed -i -E '/^protocol lmtp \{{/,/^\}}/ {{ s/sieve = no/sieve = yes/; s/(mail_plugins = .*)$/\1 sieve/ }}' {CONF}; "
        f"{DOVECOT}",
    ),
    "same-again-tomorrow": (
        f"chmod 644 {BAYES}/bayes_*; systemctl restart --no-block mailroom-learn.service; sleep 3",
        f"chown -R amavis {BAYES}; chgrp -R amavis {BAYES}; systemctl reset-failed mailroom-learn.service; "
        "systemctl start mailroom-learn.service; sleep 1",
    ),
    "rules-cannot-be-changed": (
        DOVECOT,
        rf"sed -i -E 's/^( *)port = 2000$/\1port = 4190/' {CONF}; {DOVECOT}",
    ),
    "away-and-silent": (
        f"systemctl restart postfix; {DOVECOT}",
        f"sed -i 's/^submission_host.*/submission_host =/' {CONF}; {DOVECOT}; postqueue -f; sleep 2",
    ),
    "big-ones-distrust-us": (
        "systemctl restart postfix; sleep 1",
        AMAVIS,
    ),
    "some-cannot-write-to-us": (
        f"sed -i 's/^mode: .*/mode: testing/' {WEB}/mta-sts.txt; {NGINX}",
        f'sed -i "/^mx: /c mx: $(hostname -f)" {WEB}/mta-sts.txt',
    ),
    "nobody-outside-hears": (
        "systemctl restart mailroom-resolver postfix; sleep 1",
        "sed -i '/outgoing-interface/d' /etc/unbound/mailroom.d/own.conf; systemctl restart mailroom-resolver; sleep 1",
    ),
    "waiting-for-a-word": (
        "chmod 777 /var/spool/postfix/run/mta-sts; systemctl restart postfix; sleep 1",
        "cd /var/spool/postfix/run; chmod 750 mta-sts; chown _mta-sts mta-sts; chgrp postfix mta-sts; postqueue -f; sleep 1",
    ),
    "nobody-has-asked-for-it": (
        "systemctl restart mailroom-web; systemctl restart certbot.timer; sleep 1",
        f"sed -i '/acme-challenge/,/}}/ {{ /return 301/d }}' /etc/nginx/mailroom.conf; {NGINX}",
    ),
    "new-phone": (
        "systemctl restart mailroom-web; sleep 1",
        f'sed -i "s,>imap\\.[^<]*<,>$(hostname -f)<," {WEB}/clients/config-v1.1.xml',
    ),
}
