"""Chapters 3 and 5 broken on purpose, in each way that matters: the matching checks see it, and say what to do."""

import pytest

from lab import Host, names
from tests.checks.test_broken import DOVECOT, POSTFIX, Break, broken_is_seen
from tests.live.conftest import first_run
from tests.live.support import LabHost

AMAVIS = (
    "systemctl restart amavis; for n in $(seq 100); do ss -Hltn sport = :10024 | grep -q . && break; sleep 0.1; done"
)
CONF = "/etc/amavis/conf.d"
KEEP = "rm -rf /root/kept; mkdir /root/kept; cp -a /etc/postfix /etc/dovecot /root/kept"
BACK = f"rm -rf /etc/postfix; cp -a /root/kept/postfix /etc; {POSTFIX}"
SIEVE_BACK = f"rm -rf /etc/dovecot; cp -a /root/kept/dovecot /etc; {DOVECOT}"


def postfix(done: str, seen: str) -> Break:
    return Break(f"{done}; {POSTFIX}", seen, BACK)


def amavis(line: str, seen: str) -> Break:
    """A line of Perl, Amavis's own language, read after all others."""
    done = f"printf '%s\\n' 'use strict; {line}' '1;' > {CONF}/99-broken; {AMAVIS}"
    return Break(done, seen, f"rm {CONF}/99-broken; {AMAVIS}")


def sieve(done: str, seen: str) -> Break:
    return Break(f"{done}; {DOVECOT}", seen, SIEVE_BACK)


# Two roads have to be open for a bounce: Amavis writes it, and port 25 hands on that the stranger wants one.
BOUNCING = amavis("$final_virus_destiny = D_BOUNCE; @viruses_that_fake_sender_maps = (0);", "")
SENDERS_WISH = f"postconf -PX smtp/inet/smtpd_command_filter; {POSTFIX}"
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
    "a stranger as one of us": Break(
        f"echo 'score MAILROOM_FORGED_FROM 0' > /etc/spamassassin/zz.cf; {AMAVIS}",
        "amavis.filter.forged_from",
        f"rm /etc/spamassassin/zz.cf; {AMAVIS}",
    ),
    "a bounce for a virus": Break(
        f"{BOUNCING.done}; {SENDERS_WISH}",
        "amavis.amavis.no_backscatter amavis.filter.no_answer",
        f"{BOUNCING.back}; {BACK}",
    ),
    "a stranger's verdict, and others' names": amavis(
        "$remove_existing_x_scanned_headers = 0; @local_domains_maps = ([qw(example.org)]); $inet_socket_bind = undef;",
        "amavis.filter.forged amavis.amavis.name amavis.workers.not_outside",
    ),
    "a quarantine for all": Break(
        "chmod 755 /var/lib/amavis/virusmails", "amavis.quarantine.private", "chmod 750 /var/lib/amavis/virusmails"
    ),
    "a rule that is none": Break(
        "echo 'scores NOTHING' > /etc/spamassassin/zz.cf", "amavis.spamassassin.rules", "rm /etc/spamassassin/zz.cf"
    ),
    "clamd stopped": Break(
        "systemctl stop clamav-daemon.socket clamav-daemon.service",
        "amavis.workers.finds",
        "systemctl start clamav-daemon.socket clamav-daemon.service",
    ),
    "Amavis stopped": Break("systemctl stop amavis", "amavis.workers.answer", AMAVIS),
    "no ManageSieve": sieve("sed -i 's/port = 4190/port = 0/' /etc/dovecot/dovecot.conf", "sieve.managesieve.listens"),
    "weak suites there": sieve(
        "sed -i 's/^ssl_cipher_list.*/ssl_cipher_list = ALL:@SECLEVEL=0/' /etc/dovecot/dovecot.conf",
        "sieve.managesieve.forward_secrecy",
    ),
    "no spam rule": sieve(
        "echo 'keep;' > /etc/dovecot/sieve/spam.sieve; sievec /etc/dovecot/sieve/spam.sieve", "sieve.spam.junk"
    ),
    "rules that the mail's owner may change": sieve("chown -R vmail /etc/dovecot/sieve", "sieve.spam.script"),
    "the old way": Break(
        "cd /; runuser -u postgres -- psql -qX mail -c \"UPDATE transports SET transport = 'virtual:'\"; postfix reload",
        "sieve.delivery.way",
        "cd /; runuser -u postgres -- psql -qX mail -c \"UPDATE transports SET transport = 'lmtp:unix:private/dovecot-lmtp'\"",
    ),
    "LMTP for all": Break("chmod 666 /var/spool/postfix/private/dovecot-lmtp", "sieve.lmtp.answers", DOVECOT),
    "a second LMTP": sieve(
        "sed -i '/unix_listener lmtp {/,/}/d' /etc/dovecot/dovecot.conf", "sieve.lmtp.not_for_others"
    ),
    "no learning": Break(
        "systemctl stop mailroom-learn.path",
        "sieve.learning.spam",
        "rm -f /var/spool/mailroom-learn/*/*; systemctl start mailroom-learn.path",
    ),
    "chrony stopped": Break("systemctl stop chrony", "sieve.clock.runs", "systemctl start chrony"),
    "a clock that jumps": Break(
        "echo 'makestep 1 -1' > /etc/chrony/conf.d/zz.conf; echo '0 * * * * root ntpdate x' > /etc/cron.d/ntpdate",
        "sieve.clock.slews sieve.clock.alone",
        "rm /etc/chrony/conf.d/zz.conf /etc/cron.d/ntpdate",
    ),
}


@pytest.fixture
def filtering(lab_host: LabHost) -> Host:
    """The whole series, on one release: the checks are the same on both."""
    host = lab_host(names.DEFAULT_SUITE, world=True)
    first_run(host)
    return host


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_seen(filtering: Host, name: str) -> None:
    broken_is_seen(filtering, BREAKS[name], KEEP)
