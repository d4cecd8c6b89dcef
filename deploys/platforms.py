"""What differs between systems, in one place. A chapter names a role ("dovecot"); the table says what that is here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """A system that mailroom was run on. Units are those that really hold the daemon, not a wrapper around it."""

    name: str
    packages: dict[str, tuple[str, ...]]
    postfix_unit: str
    postgresql_unit: str
    dovecot_unit: str = "dovecot"
    postfix_enable: str = "postfix"
    postgresql_enable: str = "postgresql"
    chroot: str = "y"  # master.cf's fifth column, for daemons that need nothing outside the queue directory
    map_type: str = "hash"


DEBIAN_PACKAGES = {
    "postfix": ("postfix", "openssl", "ca-certificates"),
    "postgresql": ("postgresql", "postfix-pgsql"),
    "dovecot": ("dovecot-imapd", "dovecot-pgsql"),
}

PLATFORMS = {
    ("debian", "13"): Platform("Debian 13", DEBIAN_PACKAGES, "postfix", "postgresql@17-main"),
    # Debian 12 wraps Postfix: postfix.service is "active (exited)", whatever the daemon does
    ("debian", "12"): Platform("Debian 12", DEBIAN_PACKAGES, "postfix@-", "postgresql@15-main"),
}


def every_package() -> tuple[str, ...]:
    """All packages of all platforms: what the reading of a host asks about before it knows which one it is."""
    return tuple(sorted({name for p in PLATFORMS.values() for names in p.packages.values() for name in names}))


def every_unit() -> tuple[str, ...]:
    """All units of all platforms."""
    units = {
        unit
        for p in PLATFORMS.values()
        for unit in (p.postfix_unit, p.postgresql_unit, p.dovecot_unit, p.postfix_enable, p.postgresql_enable)
    }
    return tuple(f"{unit}.service" for unit in sorted(units))


def find(system: dict[str, str]) -> Platform | None:
    """The platform of a host by its os-release, None when it is not in the table. ID_LIKE is not asked: it promises more
    than a deploy can keep."""
    return PLATFORMS.get((system.get("id", ""), system.get("version", "").partition(".")[0]))
