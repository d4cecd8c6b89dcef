"""A stand-in for the Red Hat family, since no mirror of its packages can be had: dnf, yum and rpm on a Debian.

`el9/setup` turns a Debian root file system into one that calls itself AlmaLinux 9 and has a file:// repository of RPMs
which `el9/convert.py` makes of Debian's binary packages. el9-yum is the same without a dnf on the PATH.
What it proves is dispatch, dnf, yum and rpm, names and paths; not Red Hat's packages, SELinux, firewalld or defaults.
"""

import tarfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "el9"
BASE = "bookworm"  # its Dovecot, Postfix and systemd are those nearest to EL 9's
PACKAGES = ["createrepo-c", "dnf", "rpm"]
YUM_ONLY = "el9-yum"


def without_dnf(whole: Path, tar: Path) -> None:
    """The el9 root file system with yum as its only package manager; both are links to one program."""
    with tarfile.open(whole) as old, tarfile.open(tar, "w") as new:
        for member in old:
            if member.name != "./usr/bin/dnf":
                new.addfile(member, old.extractfile(member) if member.isreg() else None)
