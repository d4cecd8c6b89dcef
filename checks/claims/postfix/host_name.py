"""The name that the host gives itself."""

from checks.engine import Failed, Target, claim, negative


@claim("The host knows its full name", needs="ssh", remedy="hostnamectl set-hostname the FQDN, and let it resolve.")
def fqdn(target: Target) -> str:
    found = target.shell("hostname -f")
    if found != target.hostname:
        raise Failed(f"hostname -f says {found}, not {target.hostname}")
    return found


@negative("It is not called localhost, nor by a short name", needs="ssh", remedy="hostnamectl set-hostname the FQDN.")
def no_placeholder(target: Target) -> str:
    name = target.shell("uname -n")
    if "." not in name or name.startswith("localhost") or name.endswith((".localdomain", ".local")):
        raise Failed(f"the kernel's name of it is {name}")
    return name
