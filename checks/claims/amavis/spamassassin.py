"""SpamAssassin's rules are whole, and nothing passes when it fails."""

from checks.clients import amavis
from checks.engine import Failed, Skipped, Target, claim, negative


@claim("SpamAssassin understands all of its rules", remedy="spamassassin --lint names the line.")
def rules(target: Target) -> str:
    found = target.shell("cd /; runuser -u amavis -- spamassassin --lint 2>&1; echo $?", may_fail=True).splitlines()
    if found != ["0"]:
        raise Failed(" ".join(found[-4:]))
    return "spamassassin --lint has nothing to say"


@claim("Its rules are renewed by themselves", remedy="systemctl enable --now spamassassin-maintenance.timer")
def updates(target: Target) -> str:
    timer = "spamassassin-maintenance.timer"
    if target.shell(f"systemctl is-enabled {timer}", may_fail=True) == "masked":
        raise Skipped(f"rules are not renewed here (signature_updates = False): {timer} is masked")
    state = target.shell(f"systemctl is-active {timer}", may_fail=True)
    # Debian 12 has no timer: /etc/cron.daily/spamassassin runs sa-update where CRON=1 says so.
    cron = target.shell("grep -s '^CRON=' /etc/default/spamassassin /etc/default/spamd", may_fail=True)
    if state != "active" and not cron.endswith("=1"):
        raise Failed(f"{timer} is {state}")
    return f"{timer} is active" if state == "active" else cron


@negative(
    "Without SpamAssassin's verdict no message is let through",
    remedy="@spam_scanners needs the second one, Verdict; see chapter 3, spamassassin.",
)
def fails_closed(target: Target) -> str:
    known = amavis.settings(target)
    if known["no_spam_checks"].strip(" 0"):
        raise Failed("@bypass_spam_checks_maps lets every message pass")
    scanners = known["spam_scanners"].split()
    if scanners[:1] != ["SpamAssassin"] or len(scanners) < 2:
        raise Failed(f"{known['spam_scanners'] or 'none'}: when it fails, Amavis notes that and delivers")
    return f"{scanners[0]}, and {scanners[1]} sends back what it gave no score"
