"""podman or Docker: which one is here, and the flags with which systemd runs in it."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lab import tools
from lab.errors import LabError

CAP_SYS_RESOURCE = 24
ELSEWHERE = "elsewhere"  # LAB_ENGINE on the hub of a class (classroom/hub), where there is no engine


@dataclass(frozen=True)
class Engine:
    """podman or Docker. A command that fails is a LabError with the engine's last line."""

    name: str

    def argv(self, *args: str) -> list[str]:
        # Debian's crun refuses a hybrid cgroup v1 hierarchy; runc accepts it.
        runtime = ["--runtime", "runc"] if self.name == "podman" and old_cgroups() else []
        return [self.name, *runtime, *args]

    def run(self, *args: str, check: bool = True, stdin: str | None = None) -> str:
        """Run one engine command and return what it printed."""
        done = subprocess.run(self.argv(*args), input=stdin, text=True, capture_output=True, check=False)
        if check and done.returncode:
            why = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise LabError(f"{self.name} {args[0]} failed: {' '.join(why)}")
        return done.stdout.strip()

    def ok(self, *args: str) -> bool:
        """Whether this command succeeds."""
        return subprocess.run(self.argv(*args), capture_output=True, check=False).returncode == 0

    def inspect(self, kind: str, *names: str) -> list[dict[str, Any]]:
        """What the engine knows about these containers, images or networks; unknown ones left out."""
        if not names:
            return []
        return list(json.loads(self.run(kind, "inspect", *names, check=False) or "[]"))

    def guest_flags(self) -> list[str]:
        """The options of `run` with which systemd is at home in a container."""
        # Without SYS_ADMIN systemd cannot set up PrivateTmp, ProtectSystem and their like: units
        # start unprotected and look healthy. NET_ADMIN lets the guest seal its own routes.
        # AppArmor's container profile would refuse the same mounts again.
        flags = ["--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"]
        flags += ["--security-opt", "apparmor=unconfined", "--security-opt", "label=disable"]
        flags += ["--stop-signal", "SIGRTMIN+3", "--restart", "always"]
        if self.name == "docker":
            flags += ["--cgroupns", "private", "--tmpfs", "/run", "--tmpfs", "/run/lock"]
            return [*flags, "--env", "container=docker"]
        flags += ["--systemd", "always", "--no-hosts"]
        if os.geteuid() == 0 and not has_capability(CAP_SYS_RESOURCE):
            # podman's default limits are higher than a root without SYS_RESOURCE may set
            flags += ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=32768:32768"]
        return flags

    def first_flags(self) -> list[str]:
        """The options of `run` by which a host gets a core before others do, where cores are short."""
        # rootless, the controller may be missing: https://docs.podman.io/en/latest/markdown/podman-run.1.html (--cpu-shares)
        return ["--cpu-shares", "8192"] if self.name == "docker" or os.geteuid() == 0 else []


@cache
def old_cgroups() -> bool:
    return not Path("/sys/fs/cgroup/cgroup.controllers").exists()


def has_capability(bit: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> bit & 1)
    return True


def present() -> Engine | None:
    """The engine, or None: taking a lab down installs nothing."""
    return find() if shutil.which("podman") or shutil.which("docker") else None


@cache
def find() -> Engine:
    """The engine to use: LAB_ENGINE, else podman, else a Docker that answers, else podman installed."""
    wanted = os.environ.get("LAB_ENGINE")
    if wanted == ELSEWHERE:
        raise LabError(
            "The hosts are on the machine of whoever teaches; nothing was changed.",
            "Ask them. To put your host back: python -m classroom rewind NAME STEP",
        )
    if wanted not in (None, "", "podman", "docker"):
        raise LabError(f"LAB_ENGINE is {wanted!r}.", "Set it to podman or docker.")
    if not wanted:
        docker = Engine("docker")
        usable = not shutil.which("podman") and shutil.which("docker") and docker.ok("info")
        wanted = "docker" if usable else "podman"
    if wanted == "podman":
        tools.need(tools.PODMAN | (tools.RUNC if old_cgroups() else {}), "to run the lab's hosts")
    elif not Engine("docker").ok("info"):
        raise LabError("Docker does not answer.", "Start its daemon, or set LAB_ENGINE=podman.")
    return Engine(wanted)
