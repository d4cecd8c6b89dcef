"""Where held mail lies, and who may read it."""

from checks.clients import amavis, host
from checks.engine import Failed, Target, claim, negative


@claim("Held mail has a place of its own, and an end", remedy="See chapter 3, quarantine.")
def place(target: Target) -> str:
    folder = amavis.settings(target)["quarantine"]
    mode = host.file(target, folder)
    rule = target.shell(f"systemd-tmpfiles --cat-config | grep -E '^[a-zA-Z!+]+ +{folder}'", may_fail=True)
    if not rule:
        raise Failed(f"{folder} is {mode}, and nothing ever removes what is in it", "A line of tmpfiles.d with an age.")
    return f"{folder}: {mode}, {rule.split()[-1]}"


@negative("Nobody else on the host can read what is held", remedy="chmod 0750 the folder; it is amavis's.")
def private(target: Target) -> str:
    folder = amavis.settings(target)["quarantine"]
    found = host.file(target, folder)
    if found.user != "amavis" or found.open_to_others:
        raise Failed(f"{folder} is {found}")
    return f"{folder}: {found.mode} {found.user}"
