"""The programs that look at mail."""

from checks.engine import Failed, Target, claim, negative


@claim("The workers are installed", remedy="See chapter 3, install.")
def programs(target: Target) -> str:
    found = target.shell("{ amavisd -V || amavisd-new -V; spamassassin -V | head -n 1; clamd -V; } 2>/dev/null; true")
    lines = found.splitlines()
    for name in ("amavis", "SpamAssassin"):
        if name not in found:
            raise Failed(f"{name} does not answer: {found}")
    return "; ".join(line.strip() for line in lines)


@negative(
    "SpamAssassin does not run a second time beside Amavis",
    remedy="systemctl disable --now spamd: Amavis has SpamAssassin inside.",
)
def no_spamd(target: Target) -> str:
    if found := target.shell("ps -eo args= | grep -E '^[^ ]*(spamd|spamass-milter)( |$)'", may_fail=True):
        raise Failed(found)
    return "no spamd"
