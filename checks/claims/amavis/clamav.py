"""ClamAV has signatures, and nothing passes when it fails."""

from checks.clients import amavis
from checks.engine import Failed, Skipped, Target, claim, negative

CLOSED = "$virus_scanners_failure_is_fatal = 1 and no @bypass_virus_checks_maps; see chapter 3, clamav."


@claim(
    "ClamAV has signatures",
    needs="antivirus",
    remedy="freshclam, or virus_signatures in the inventory's data; clamd does not start without any.",
)
def signatures(target: Target) -> str:
    found = target.shell("cd /var/lib/clamav && ls -d *.c[vl]d *.h[ds]b *.[nl]db 2>/dev/null", may_fail=True)
    if not found:
        raise Failed("none in /var/lib/clamav")
    return ", ".join(found.split())


@claim(
    "They are renewed by themselves",
    needs="antivirus",
    remedy="systemctl enable --now clamav-freshclam; journalctl -u clamav-freshclam",
)
def updates(target: Target) -> str:
    if target.shell("systemctl is-enabled clamav-freshclam", may_fail=True) == "masked":
        raise Skipped("signatures are not renewed here (signature_updates = False): clamav-freshclam is masked")
    state = target.shell("systemctl is-active clamav-freshclam", may_fail=True)
    if state != "active":
        raise Failed(f"clamav-freshclam is {state}")
    return "clamav-freshclam runs"


@negative("Without a scanner no message is let through unchecked", needs="antivirus", remedy=CLOSED)
def fails_closed(target: Target) -> str:
    known = amavis.settings(target)
    if known["no_virus_checks"].strip(" 0"):
        raise Failed("@bypass_virus_checks_maps lets every message pass")
    if not known["scanners"] or not known["scanner_needed"].strip(" 0"):
        raise Failed(f"scanners: {known['scanners'] or 'none'}, and the message passes when they fail")
    return f"{known['scanners']}; if it fails, the message waits in Postfix's queue"
