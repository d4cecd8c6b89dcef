"""Which parts of the series a host has. Checks of a part that nobody has installed say so, and no more."""

from __future__ import annotations

from checks.engine.target import Target
from checks.engine.verdicts import Skipped

AMAVIS = "ls -d /etc/amavis /etc/amavisd 2>/dev/null"
# Not sievec: Debian 13 brings that along with IMAP.
PIGEONHOLE = "ls /usr/lib/dovecot/managesieve /usr/libexec/dovecot/managesieve 2>/dev/null"
CHRONY = "command -v chronyd"
# Chapter 3 says so in its own words: clamd may be left from before.
NO_ANTIVIRUS = "grep -s 'antivirus = False' /etc/amavis/conf.d/62-mailroom-clamav"
SASL = "ls /var/spool/postfix/private/auth 2>/dev/null"


def amavis(target: Target) -> None:
    if not target.once(AMAVIS):
        raise Skipped("chapter 3 was not applied here: Amavis is not installed")


def antivirus(target: Target) -> None:
    amavis(target)
    if target.once(NO_ANTIVIRUS):
        raise Skipped("this server was built without a virus scanner (antivirus = False)")


def pigeonhole(target: Target) -> None:
    if not target.once(PIGEONHOLE):
        raise Skipped("chapter 5 was not applied here: Pigeonhole is not installed")


def chrony(target: Target) -> None:
    if not target.once(CHRONY) and not target.once(PIGEONHOLE):
        raise Skipped("chapter 5 was not applied here: chrony is not installed")


def sasl(target: Target) -> None:
    if not target.once(SASL):
        raise Skipped("nobody can log in here yet: that is chapter 4")


def from_milter(target: Target) -> None:
    if "debian" not in target.once("grep -s ^ID= /etc/os-release"):
        raise Skipped("the milter that compares From with the login is built for Debian only")
