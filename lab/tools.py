"""The programs that the lab calls. Root on Debian installs them at once; any other user gets the exact command."""

from __future__ import annotations

import os
import shutil
import subprocess

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
    return [
        package
        for program, packages in programs.items()
        if not shutil.which(program, path=path)
        for package in packages
    ]


def need(programs: dict[str, list[str]], purpose: str) -> None:
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


def need_podman(with_runc: bool) -> None:
    need(PODMAN | (RUNC if with_runc else {}), "to run the lab's hosts")


def need_ssh() -> None:
    need(SSH, "to reach the lab's hosts")


def have_mmdebstrap() -> bool:
    """Whether a root file system can be made here, after installing mmdebstrap where that is possible."""
    if missing(MMDEBSTRAP) and not (os.geteuid() == 0 and shutil.which("apt-get")):
        return False
    need(MMDEBSTRAP, "to make the hosts' root file system")
    return True
