"""SpamAssassin inside Amavis: its rules are whole, spam is marked, and nothing passes when it fails."""

from __future__ import annotations

from checks import amavis_conf, applied, post
from checks.delivery import letter
from checks.mail import STRANGER
from checks.model import Failed, Skipped, check
from checks.target import Target

NEEDS = ("ssh",)
BELT = ("ssh", "smtp", "postgresql")
MARKS = (
    "@bypass_spam_checks_maps, @local_domains_maps and $sa_tag2_level_deflt; see chapter 3, spamassassin and amavis."
)


@check(
    "amavis.spamassassin.rules",
    "SpamAssassin understands all of its rules",
    needs=NEEDS,
    remedy="spamassassin --lint names the line.",
)
def rules(target: Target) -> str:
    applied.filtering(target)
    found = target.shell("cd /; runuser -u amavis -- spamassassin --lint 2>&1; echo $?", may_fail=True).splitlines()
    if found != ["0"]:
        raise Failed(" ".join(found[-4:]))
    return "spamassassin --lint has nothing to say"


@check(
    "amavis.spamassassin.updates",
    "Its rules are renewed by themselves",
    needs=NEEDS,
    remedy="systemctl enable --now spamassassin-maintenance.timer",
)
def updates(target: Target) -> str:
    applied.filtering(target)
    timer = "spamassassin-maintenance.timer"
    if target.shell(f"systemctl is-enabled {timer}", may_fail=True) == "masked":
        raise Skipped(f"rules are not renewed here (signature_updates = False): {timer} is masked")
    state = target.shell(f"systemctl is-active {timer}", may_fail=True)
    # Debian 12 has no timer: /etc/cron.daily/spamassassin runs sa-update where CRON=1 says so.
    cron = target.shell("grep -s '^CRON=' /etc/default/spamassassin /etc/default/spamd", may_fail=True)
    if state != "active" and not cron.endswith("=1"):
        raise Failed(f"{timer} is {state}")
    return f"{timer} is active" if state == "active" else cron


@check(
    "amavis.spamassassin.fails_closed",
    "Without SpamAssassin's verdict no message is let through",
    negative=True,
    needs=NEEDS,
    remedy="@spam_scanners needs the second one, Verdict; see chapter 3, spamassassin.",
)
def fails_closed(target: Target) -> str:
    applied.filtering(target)
    known = amavis_conf.settings(target)
    if known["no_spam_checks"].strip(" 0"):
        raise Failed("@bypass_spam_checks_maps lets every message pass")
    scanners = known["spam_scanners"].split()
    if scanners[:1] != ["SpamAssassin"] or len(scanners) < 2:
        raise Failed(f"{known['spam_scanners'] or 'none'}: when it fails, Amavis notes that and delivers")
    return f"{scanners[0]}, and {scanners[1]} sends back what it gave no score"


@check(
    "amavis.filter.spam",
    "Spam is marked, or refused at the door",
    elsewhere=True,
    needs=BELT,
    remedy=MARKS,
)
def marked(target: Target) -> str:
    applied.filtering(target)
    found = post.gtube(target)
    if found.refused:
        return found.reply
    flags = [str(value) for value in found.message.get_all("X-Spam-Flag", [])]
    if flags != ["YES"]:
        raise Failed(f"X-Spam-Flag: {', '.join(flags) or 'none'}; the stranger wrote NO")
    return f"X-Spam-Flag: YES, X-Spam-Score: {found.message['X-Spam-Score']}"


@check(
    "amavis.filter.not_spam",
    "An ordinary letter is not called spam",
    negative=True,
    elsewhere=True,
    needs=BELT,
    remedy="Read its X-Spam-Status: names that do not resolve both ways are a frequent cause.",
)
def not_spam(target: Target) -> str:
    applied.filtering(target)
    message = post.clean(target).message
    if str(message["X-Spam-Flag"] or "NO").upper() == "YES":
        raise Failed(" ".join(str(message["X-Spam-Status"]).split()))
    return " ".join(str(message["X-Spam-Status"]).split())


@check(
    "amavis.filter.forged_from",
    "A letter from outside that says it is from one of us is marked, or refused",
    negative=True,
    elsewhere=True,
    needs=BELT,
    remedy="MAILROOM_FORGED_FROM in /etc/spamassassin/mailroom.cf; see chapter 3, spamassassin.",
)
def forged_from(target: Target) -> str:
    applied.filtering(target)
    foo, bar = target.account(0)[0], target.account(1)[0]
    marks = []
    for sender in (foo, f'"{foo}" <{STRANGER}>'):
        mark, message = letter(target, STRANGER, bar)
        message = message.replace(f"From: {STRANGER}\r\n".encode(), f"From: {sender}\r\n".encode(), 1)
        found = post.post(target, bar, mark, message)
        if not found.refused and found.message["X-Spam-Flag"] != "YES":
            raise Failed(f"From: {sender}: X-Spam-Flag: {found.message['X-Spam-Flag'] or 'none'}")
        marks.append("refused" if found.refused else "X-Spam-Flag: YES")
    return "; ".join(marks)
