"""The way back to Postfix, on 10025."""

from checks.clients import amavis
from checks.engine import Failed, Target, claim, negative


@claim(
    "Postfix takes back on 10025 what Amavis has checked",
    remedy="See chapter 3, reinjection: 127.0.0.1:10025 and smtp-amavis in master.cf.",
)
def answers(target: Target) -> str:
    found = amavis.greets(target, 10025)
    at_once = target.shell("postconf -M smtp-amavis/unix").split()[6]
    wanted = amavis.settings(target)["processes"]
    if at_once != wanted:
        raise Failed(f"Postfix talks to {at_once} workers at once, and there are {wanted}")
    return f"{found}; {at_once} at once"


@negative(
    "Nobody outside can hand in mail as checked",
    needs="elsewhere",
    remedy="The service is 127.0.0.1:10025, with permit_mynetworks,reject and mynetworks=127.0.0.0/8.",
)
def not_outside(target: Target) -> str:
    found = amavis.closed(target, 10025)
    nets = target.shell("postconf -P 127.0.0.1:10025/inet/mynetworks")
    if not nets.endswith("=127.0.0.0/8") and not nets.endswith("= 127.0.0.0/8"):
        raise Failed(nets)
    return found
