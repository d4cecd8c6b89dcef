"""The programs that the lab calls. Root on Debian installs them at once; any other user gets the exact command."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from lab import names
from lab.errors import LabError
from lab.progress import busy, say

# program: the Debian packages that bring it
SSH = {"ssh-keygen": ["openssh-client"]}
PODMAN = {"podman": ["podman", "netavark", "iptables", "nftables", "iproute2", "ca-certificates"]}
RUNC = {"runc": ["runc"]}
MMDEBSTRAP = {"mmdebstrap": ["mmdebstrap", "debian-archive-keyring"]}


def missing(programs: dict[str, list[str]]) -> list[str]:
    """The packages for those programs that are not on the PATH (or in sbin, where a user's PATH ends)."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [name for one, packages in programs.items() if not shutil.which(one, path=path) for name in packages]


def need(programs: dict[str, list[str]], purpose: str) -> None:
    """Have these programs, installed where that is possible; LabError with the command where it is not."""
    packages = missing(programs)
    if not packages:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LabError(
            f"{' and '.join(programs)} not found; needed {purpose}.",
            f"Run: sudo {' '.join(install)}   (or your system's own packages of that name)",
        )
    say(f"installing {' '.join(packages)} with apt-get, {purpose}")
    with one_apt_get():
        if missing(programs):  # another lab, or a test beside this one, may have installed them meanwhile
            apt_get(install, packages)


@contextmanager
def one_apt_get() -> Iterator[None]:
    """One of ours at a time, also of other checkouts: a second apt-get fails at once, it does not wait."""
    names.cache().mkdir(parents=True, exist_ok=True)
    with (names.cache() / "apt-get.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def apt_get(install: list[str], packages: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # The first attempt may meet lists that are empty or too old.
    for command in (install, ["apt-get", "update"], install):
        with busy("installing"):
            done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
        if done.returncode == 0 and command is install:
            return
    raise LabError(
        f"apt-get could not install {' '.join(packages)}: {done.stderr.strip()[-300:]}",
        f"Repair that, then try: {' '.join(install)}",
    )


def have_mmdebstrap() -> bool:
    """Whether a root file system can be made here, after installing mmdebstrap where that is possible."""
    if missing(MMDEBSTRAP) and not (os.geteuid() == 0 and shutil.which("apt-get")):
        return False
    need(MMDEBSTRAP, "to make the hosts' root file system")
    return True
