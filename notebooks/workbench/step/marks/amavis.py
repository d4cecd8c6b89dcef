"""The marks of chapter 3: what each step leaves in /etc/amavis, ClamAV's and SpamAssassin's files, and Postfix's."""

from __future__ import annotations

from notebooks.workbench.step.marks.kinds import PACKAGES, Landmark

PARTS = "/etc/amavis/conf.d"
CLAMD = (
    "grep -E '^(MaxThreads|ConcurrentDatabaseReload|MaxFileSize|StreamMaxLength|MaxScanSize|AlertExceedsMax) ' /etc/clamav/clamd.conf; "
    "echo '# signatures:'; ls /var/lib/clamav | sed 's/^/# /'"
)
THERE_AND_BACK = """for service in smtp-amavis/unix 127.0.0.1:10025/inet; do
postconf -M $service | awk '{print $1, $2, $3, $4, $5, $6, $7, $8}'; postconf -P | sed -n "s|^$service/||p"; echo; done"""
FILTERS = (
    "postconf content_filter receive_override_options; echo '# submission and submissions'; "
    "postconf -P submission/inet/content_filter submissions/inet/content_filter | sed 's|^[^/]*/inet/||' | sort -u; "
    "postconf -P | sed -n 's|^smtp/inet/\\(content_filter\\|smtpd_proxy\\)|port 25: \\1|p'"
)


def part(name: str, then: str = "") -> Landmark:
    """A file of ours in Amavis's folder."""
    path = f"{PARTS}/{name}"
    return Landmark(f"test -s {path}", f"cat {path}{then}", ("amavis.install",), settings=True)


LANDMARKS = {
    "amavis.install": Landmark(
        "command -v amavisd && command -v spamassassin",
        PACKAGES.format(names="amavisd-new spamassassin clamav-daemon"),
    ),
    "amavis.clamav": Landmark(f"test -s {PARTS}/62-mailroom-clamav", CLAMD, ("amavis.install",), settings=True),
    "amavis.spamassassin": part(
        "61-mailroom-spamassassin",
        " && echo && echo '# /etc/spamassassin/mailroom.cf' && cat /etc/spamassassin/mailroom.cf",
    ),
    "amavis.amavis": part("60-mailroom"),
    "amavis.unpacking": part(
        "65-mailroom-unpacking", " && echo && echo '# unrar' && cat /usr/local/lib/mailroom/unrar"
    ),
    "amavis.quarantine": part(
        "63-mailroom-quarantine", " && echo && echo '# tmpfiles.d' && cat /etc/tmpfiles.d/mailroom-quarantine.conf"
    ),
    "amavis.workers": Landmark(
        f"systemctl is-enabled -q amavis && test -s {PARTS}/60-mailroom",
        'for unit in clamav-daemon amavis; do echo "$unit: $(systemctl is-active $unit)"; done; '
        "ss -Hlnt 'sport = :10024 or sport = :10026'",
        ("amavis.clamav", "amavis.spamassassin", "amavis.amavis", "amavis.unpacking", "amavis.quarantine"),
    ),
    "amavis.reinjection": Landmark(
        "postconf -M smtp-amavis/unix | grep -q .",
        THERE_AND_BACK,
        ("postfix.install", "amavis.workers"),
        settings=True,
    ),
    "amavis.filter": Landmark(
        "postconf -h content_filter | grep -q amavis",
        FILTERS,
        ("postgresql.delivery", "amavis.reinjection"),
        settings=True,
    ),
    "amavis.restart": Landmark(
        "postconf -h content_filter | grep -q amavis",
        'postfix status 2>&1; for unit in clamav-daemon amavis; do echo "$unit: $(systemctl is-active $unit)"; done',
        ("amavis.filter",),
    ),
}
