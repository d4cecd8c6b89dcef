"""Chapter 3 broken on purpose."""

from tests.checks.breaks.base import AMAVIS, POSTFIX_BACK, Break, amavis, impostor, postfix

# Two roads have to be open for a bounce: Amavis writes it, and port 25 hands on that the stranger wants one.
BOUNCING = amavis("$final_virus_destiny = D_BOUNCE; @viruses_that_fake_sender_maps = (0);", "")
NO_DOOR = amavis('@spam_scanners = grep { $_->[0] ne "Door" } @spam_scanners;', "")
SENDERS_WISH = postfix("postconf -PX smtp/inet/smtpd_command_filter", "")
SIGNATURES = "/var/lib/clamav"
CLAMD = (
    "systemctl restart clamav-daemon; for n in $(seq 100); do [ -S /run/clamav/clamd.ctl ] && break; sleep 0.1; done"
)
SUPERVISED = "/etc/systemd/system/amavis.service.d/zz-broken.conf"
TMPFILES = "/etc/tmpfiles.d/mailroom-quarantine.conf"
UPDATES = "clamav-freshclam.service spamassassin-maintenance.timer"
BREAKS = {
    "no filter": postfix("postconf -e content_filter=", "amavis.filter.every_door amavis.filter.scanned"),
    "folded lines": postfix("postconf -P smtp-amavis/unix/smtp_line_length_limit=998", "postgresql.restart.untouched"),
    "submission without a filter": postfix(
        "postconf -P submission/inet/content_filter=",
        "amavis.filter.every_door amavis.filter.own_letter amavis.filter.own_virus",
    ),
    "bombs go on": amavis(
        "%final_destiny_maps_by_ccat = (CC_CATCHALL, D_PASS); $banned_namepath_re = undef;", "amavis.unpacking.closed"
    ),
    "no tool for RAR": amavis("unshift @decoders, [q(sit), undef, q(unstuff)];", "amavis.unpacking.decoders"),
    "a way back for everybody": postfix(
        "sed -i 's/^127.0.0.1:10025 /10025 /' /etc/postfix/master.cf", "amavis.reinjection.not_outside"
    ),
    "more than they can take": postfix("postconf -F smtp-amavis/unix/process_limit=20", "amavis.reinjection.answers"),
    "no virus checks": amavis(
        "@bypass_virus_checks_maps = (1);", "amavis.clamav.fails_closed amavis.filter.virus amavis.filter.held"
    ),
    "no spam checks": amavis(
        "@bypass_spam_checks_maps = (1);", "amavis.spamassassin.fails_closed amavis.filter.spam sieve.spam.junk"
    ),
    "passes when its scanners fail": amavis(
        "$virus_scanners_failure_is_fatal = 0; @spam_scanners = @spam_scanners[0];",
        "amavis.clamav.fails_closed amavis.spamassassin.fails_closed",
    ),
    "spam for everybody": amavis("$sa_tag2_level_deflt = -99;", "amavis.filter.not_spam sieve.spam.inbox"),
    "a stranger as one of us": Break(  # whose domain asks to file it, too, by DMARC
        f"echo 'score MAILROOM_FORGED_FROM 0' > /etc/spamassassin/zz.cf; {NO_DOOR.done}",
        "amavis.filter.forged_from",
        f"rm /etc/spamassassin/zz.cf; {NO_DOOR.back}",
    ),
    "a bounce for a virus": Break(
        f"{BOUNCING.done}; {SENDERS_WISH.done}",
        "amavis.amavis.no_backscatter amavis.filter.no_answer",
        f"{BOUNCING.back}; {POSTFIX_BACK}",
    ),
    "a stranger's verdict, and others' names": amavis(
        "$remove_existing_x_scanned_headers = 0; @local_domains_maps = ([qw(example.org)]); $inet_socket_bind = undef;",
        "amavis.filter.forged amavis.amavis.name amavis.workers.not_outside",
    ),
    "a quarantine for all, for ever": Break(
        f"chmod 755 /var/lib/amavis/virusmails; mv {TMPFILES} /root",
        "amavis.quarantine.private amavis.quarantine.place",
        f"chmod 750 /var/lib/amavis/virusmails; mv /root/mailroom-quarantine.conf {TMPFILES}",
    ),
    "a rule that is none": Break(
        "echo 'scores NOTHING' > /etc/spamassassin/zz.cf", "amavis.spamassassin.rules", "rm /etc/spamassassin/zz.cf"
    ),
    "a signature of the ordinary": Break(
        f"printf 'Sent by python -m checks.' | md5sum | sed 's/ .*/:25:Ordinary/' > {SIGNATURES}/zz.hdb; {CLAMD}",
        "amavis.workers.clean",
        f"rm {SIGNATURES}/zz.hdb; {CLAMD}",
    ),
    "signatures gone, and nobody fetches new ones": Break(
        f"mkdir -p /root/signatures; mv {SIGNATURES}/* /root/signatures; systemctl unmask -q {UPDATES}",
        "amavis.clamav.signatures amavis.clamav.updates amavis.spamassassin.updates",
        f"mv /root/signatures/* {SIGNATURES}; systemctl mask -q {UPDATES}",
    ),
    "a second SpamAssassin, and the first one dumb": Break(
        f"{impostor('spamassassin', 'exit 1')}; cp /bin/sleep /root/spamd; systemd-run -q --unit=strange-spamd /root/spamd 600",
        "amavis.install.programs amavis.install.no_spamd",
        "rm /usr/local/bin/spamassassin; systemctl stop strange-spamd",
    ),
    "workers that nobody started": Break(
        "sleep 2; printf '%s\\n' 'use strict; $max_servers = 9;' '1;' > /etc/amavis/conf.d/99-broken; "
        f"printf '[Service]\\nRestart=no\\n' > {SUPERVISED}; systemctl daemon-reload",
        "amavis.workers.as_many amavis.workers.revived amavis.restart.current",
        f"rm /etc/amavis/conf.d/99-broken; rm {SUPERVISED}; systemctl daemon-reload",
    ),
    "complaints in the journal": Break(
        "systemd-run -q --wait --unit=amavis-broken echo '(!)TROUBLE'; systemd-run -q --wait --unit=postfix-broken echo "
        "'error: broken'; systemd-run -q --wait --unit=dovecot-broken echo 'sieve: Error: broken'",
        "amavis.restart.no_errors postfix.restart.no_errors dovecot.restart.no_errors sieve.restart.no_errors",
        f"sleep 1; systemctl restart postfix dovecot; {AMAVIS}",
    ),
    "clamd stopped": Break(
        "systemctl stop clamav-daemon.socket clamav-daemon.service",
        "amavis.workers.finds",
        "systemctl start clamav-daemon.socket clamav-daemon.service",
    ),
    "Amavis stopped": Break("systemctl stop amavis", "amavis.workers.answer", AMAVIS),
}
