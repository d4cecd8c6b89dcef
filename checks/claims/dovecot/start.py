"""Dovecot listens, and is started again when it dies."""

from checks.clients import host, tls
from checks.engine import Target, claim, negative


@claim("Dovecot listens on 143 and 993", provides="dovecot")
def listens(target: Target) -> str:
    return f"{host.listens(target, 143, 'dovecot')}; {host.listens(target, 993, 'dovecot')}"


@claim("Dovecot is started again when it dies", needs="ssh dovecot", remedy=host.REVIVED)
def revived(target: Target) -> str:
    return host.revived(target, "pgrep -o -u root -x dovecot")


@negative("Port 993 does not talk in the clear", needs="dovecot", remedy="ssl = yes in the listener of 993.")
def no_cleartext(target: Target) -> str:
    return tls.no_cleartext(target, 993, "a CAPABILITY")
