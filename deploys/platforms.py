"""What differs between systems, in one place. A chapter names a role ("dovecot"); the table says what that is here."""

from dataclasses import dataclass, field, replace

from operations import hashes


@dataclass(frozen=True)
class Platform:
    """A system that mailroom knows. Units are those that really hold the daemon, not a wrapper around it."""

    name: str
    packages: dict[str, tuple[str, ...]]  # by role; the first one is the daemon's own
    postfix_unit: str
    postgresql_unit: str
    dovecot_unit: str = "dovecot"
    chrony_unit: str = "chrony"
    postfix_enable: str = "postfix"
    postgresql_enable: str = "postgresql"
    managers: tuple[str, ...] = ("apt-get",)  # the first one that the host has installs packages
    chroot: str = "y"  # master.cf's fifth column, for daemons that need nothing outside the queue directory
    postgresql_data: str = ""  # where a cluster has to be made first; "" where the package makes one
    # by role: packages that the role's own would push off the host, and what each is
    rivals: dict[str, dict[str, str]] = field(default_factory=dict)
    closed: bool = True  # our drop-ins confine the daemons, as nothing else does
    password_scheme: str = "ARGON2ID"  # the best that this system's Dovecot can verify
    header_from: bool = True  # whether submission asks our milter; how SELinux likes its socket was not run
    schemes: tuple[str, ...] = hashes.SCHEMES  # all of the accepted ones that it can


DEBIAN_PACKAGES = {
    "postfix": ("postfix", "openssl", "ca-certificates"),
    "postgresql": ("postgresql", "postfix-pgsql"),
    "dovecot": ("dovecot-imapd", "dovecot-pgsql"),
    # SpamAssassin only recommends what it asks SPF with, and what it verifies new rules with (gpg dies without its agent)
    "amavis": ("amavisd-new", "spamassassin", "libmail-spf-perl", "gpg", "gpg-agent"),
    "clamav": ("clamav-daemon",),
    # Amavis only recommends these. What is packed in a way that Amavis has no program for, it does not see. All of them are
    # free, and in main. Not libmail-dmarc-perl: chapter 6 judges by itself, and SpamAssassin's plugin stays silent without it.
    "unpacking": (
        *("7zip", "libarchive-tools", "bzip2", "xz-utils", "lzop", "lz4", "zstd", "lzip", "lrzip", "arj"),
        *("nomarch", "cabextract", "rpm2cpio", "pax"),
    ),
    "chrony": ("chrony",),
    "sieve": ("dovecot-managesieved", "dovecot-sieve", "dovecot-lmtpd"),
    # openssl makes the keys, and Amavis signs; the others judge what comes in, with Mail::DKIM, on which Amavis depends
    "believed": ("openssl", "libmail-spf-perl", "publicsuffix"),
    "web": ("nginx",),
    "acme": ("certbot",),
    "acme_dns": ("python3-certbot-dns-rfc2136",),
    "relay": ("libsasl2-modules",),  # PLAIN and LOGIN for Postfix as a client
    "sts": ("postfix-mta-sts-resolver",),
    "dane": ("unbound", "dns-root-data"),  # the second is the root's key, by which all others are verified
}

# apt takes these away without asking when it installs ours, and an operator's settings lose their program. systemd-timesyncd, which
# chrony replaces too, is not among them: it is the distribution's default, and has no settings worth a word.
MAILERS = (
    *("exim4-daemon-light", "exim4-daemon-heavy", "sendmail-bin", "opensmtpd", "courier-mta", "nullmailer"),
    *("msmtp-mta", "dma", "ssmtp", "esmtp-run", "citadel-server", "lsb-invalid-mta"),
)
DEBIAN_RIVALS = {
    "postfix": dict.fromkeys(MAILERS, "which sends this host's mail"),
    "chrony": dict.fromkeys(("ntpsec", "ntp", "openntpd"), "which keeps this host's time"),
}

# Not run on Red Hat's own packages (docs/platforms.md). Its Postfix comes with the type of its alias map:
# hash in 9, lmdb in 10. Its Dovecot is built without libsodium, so without ARGON2ID. semanage is for SELinux.
RED_HAT_PACKAGES = {
    "postfix": ("postfix", "openssl", "ca-certificates", "policycoreutils-python-utils"),
    "postgresql": ("postgresql-server", "postfix-pgsql"),
    "dovecot": ("dovecot", "dovecot-pgsql"),
}


def red_hat(name: str) -> Platform:
    """A system of the Red Hat family: yum where that is all there is, nothing chrooted, a cluster to be initialised."""
    return Platform(
        name,
        RED_HAT_PACKAGES,
        postfix_unit="postfix",
        postgresql_unit="postgresql",
        managers=("dnf", "yum"),
        chroot="n",
        closed=False,  # SELinux does, and nobody has tried both together
        postgresql_data="/var/lib/pgsql/data",
        password_scheme="SHA512-CRYPT",
        header_from=False,
        schemes=tuple(scheme for scheme in hashes.SCHEMES if not scheme.startswith("ARGON2")),
    )


RED_HATS = {"almalinux": "AlmaLinux", "rocky": "Rocky Linux", "rhel": "RHEL", "centos": "CentOS Stream"}
PLATFORMS = {
    ("debian", "13"): Platform("Debian 13", DEBIAN_PACKAGES, "postfix", "postgresql@17-main", rivals=DEBIAN_RIVALS),
    # Debian 12 wraps Postfix: postfix.service is "active (exited)", whatever the daemon does
    ("debian", "12"): Platform("Debian 12", DEBIAN_PACKAGES, "postfix@-", "postgresql@15-main", rivals=DEBIAN_RIVALS),
    **{(id, major): red_hat(f"{name} {major}") for id, name in RED_HATS.items() for major in ("9", "10")},
}

USE = "Debian 13 or 12, or AlmaLinux, Rocky Linux, RHEL or CentOS Stream 9 or 10"
# Why not, and what to use instead, where that is more than "one of these".
INSTEAD = {
    "centos": "CentOS Linux is no longer maintained; use AlmaLinux 9 or Rocky Linux 9, where the article's `yum` still works",
    "fedora": "Fedora's Dovecot changes under a server's feet; use AlmaLinux 10 or Rocky Linux 10, which come from it",
    "alpine": "there is no systemd on it; use Debian 13",
    "ubuntu": "nobody has tried mailroom there; use Debian 13",
}


def different() -> list[Platform]:
    """One of each kind: the family's releases and names that have all in common stand for each other."""
    return list({repr(replace(system, name="")): system for system in PLATFORMS.values()}.values())


def every_package() -> tuple[str, ...]:
    """All packages of all platforms: what the reading of a host asks about before it knows which one it is."""
    roles = [names for p in PLATFORMS.values() for names in (*p.packages.values(), *p.rivals.values())]
    return tuple(sorted({name for names in roles for name in names}))


def unit_of(found: Platform, role: str) -> str:
    """The unit that holds the daemon of a role, as systemd writes it."""
    return f"{getattr(found, f'{role}_unit', OTHER_UNITS.get(role, ''))}.service"


OTHER_UNITS = {"amavis": "amavis", "clamav": "clamav-daemon"}


def find(system: dict[str, str]) -> Platform | None:
    """The platform of a host by its os-release, None when it is not in the table. ID_LIKE is not asked: it promises more
    than a deploy can keep."""
    return PLATFORMS.get((system.get("id", ""), system.get("version", "").partition(".")[0]))


def instead(system: dict[str, str]) -> str:
    """The sentence for a host that is not in the table: what it is, and what to use instead."""
    name = system.get("pretty") or system.get("id") or "this system"
    # before CentOS 7 there is no os-release, only this name in /etc/redhat-release
    family = system.get("id") or ("centos" if name.startswith("CentOS") else "")
    return f"{name} is not supported; {INSTEAD.get(family, f'use a host with {USE}')}"
