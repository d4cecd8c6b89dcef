"""Which chapters a host has: the checks of a chapter that nobody has begun say so, and no more."""

from __future__ import annotations

from checks.model import Skipped
from checks.target import Target

AMAVIS = "ls -d /etc/amavis /etc/amavisd 2>/dev/null"
# Not sievec: Debian 13 brings that along with IMAP.
SIEVE = "ls /usr/lib/dovecot/managesieve /usr/libexec/dovecot/managesieve 2>/dev/null"
CHRONY = "command -v chronyd"
# Chapter 3 says so in its own words: clamd may be left from before.
NO_ANTIVIRUS = "grep -s 'antivirus = False' /etc/amavis/conf.d/62-mailroom-clamav"
SASL = "ls /var/spool/postfix/private/auth 2>/dev/null"


def filtering(target: Target) -> None:
    if not target.once(AMAVIS):
        raise Skipped("chapter 3 was not applied here: Amavis is not installed")


def antivirus(target: Target) -> None:
    filtering(target)
    if target.once(NO_ANTIVIRUS):
        raise Skipped("this server was built without a virus scanner (antivirus = False)")


def sieving(target: Target) -> None:
    if not target.once(SIEVE):
        raise Skipped("chapter 5 was not applied here: Pigeonhole is not installed")


def clock(target: Target) -> None:
    if not target.once(CHRONY) and not target.once(SIEVE):
        raise Skipped("chapter 5 was not applied here: chrony is not installed")


def front_desk(target: Target) -> None:
    if not target.once(SASL):
        raise Skipped("nobody can log in here yet: that is chapter 4")
