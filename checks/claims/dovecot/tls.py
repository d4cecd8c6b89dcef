"""TLS as the settings have it. There is no certificate yet, so that no client can prove it."""

from checks.clients import tls
from checks.engine import Failed, Target, claim, negative


@claim("Dovecot demands TLS", needs="ssh", remedy="ssl = required in dovecot.conf.")
def required(target: Target) -> str:
    # Read on the host: at this step there is no certificate yet, so that no client can prove it.
    found = target.shell("doveconf -h ssl")
    if found != "required":
        raise Failed(f"ssl = {found}")
    return f"ssl = {found}"


@negative("It is told to take nothing older than TLS 1.2", needs="ssh", remedy=tls.DOVECOT_MINIMUM)
def minimum(target: Target) -> str:
    found = target.shell("doveconf -h ssl_min_protocol")
    if found not in ("TLSv1.2", "TLSv1.3"):
        raise Failed(f"ssl_min_protocol = {found}")
    return f"ssl_min_protocol = {found}"
