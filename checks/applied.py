"""Which chapters a host has: the checks of a chapter that nobody has begun say so, and no more."""

from __future__ import annotations

from checks.model import Skipped
from checks.target import Target

AMAVIS = "ls -d /etc/amavis /etc/amavisd 2>/dev/null"
# Not sievec: Debian 13 brings that along with IMAP.
SIEVE = "ls /usr/lib/dovecot/managesieve /usr/libexec/dovecot/managesieve 2>/dev/null"
CHRONY = "command -v chronyd"
CLAMD = "command -v clamd"
SASL = "ls /var/spool/postfix/private/auth 2>/dev/null"


def filtering(target: Target) -> None:
    if not target.once(AMAVIS):
        raise Skipped("chapter 3 was not applied here: Amavis is not installed")


def antivirus(target: Target) -> None:
    filtering(target)
    if not target.once(CLAMD):
        raise Skipped("this server was built without a virus scanner (antivirus = False): ClamAV is not installed")


def sieving(target: Target) -> None:
    if not target.once(SIEVE):
        raise Skipped("chapter 5 was not applied here: Pigeonhole is not installed")


def clock(target: Target) -> None:
    if not target.once(CHRONY) and not target.once(SIEVE):
        raise Skipped("chapter 5 was not applied here: chrony is not installed")


def front_desk(target: Target) -> None:
    if not target.once(SASL):
        raise Skipped("nobody can log in here yet: that is chapter 4")
