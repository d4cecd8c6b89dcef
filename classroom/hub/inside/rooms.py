"""A learner's server: a unit of systemd that sees its learner's home, its own network, and little else.

https://github.com/jupyterhub/systemdspawner; systemd.exec(5) and systemd.resource-control(5) tell each property.
"""

from typing import Any

from systemdspawner import SystemdSpawner

from classroom.hub.doors import SERVER
from classroom.hub.inside import learners
from lab.engine import ELSEWHERE

ROOT = "/opt/mailroom"
WALLS = {
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateIPC": "yes",
    "TemporaryFileSystem": "/dev/shm:mode=1777",  # PrivateDevices leaves this one in common
    "ProtectSystem": "strict",
    "ProtectHome": "tmpfs",  # and their own home in it, below
    "ProtectProc": "invisible",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictRealtime": "yes",
    "LockPersonality": "yes",
    "KeyringMode": "private",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "InaccessiblePaths": "-/run/dbus -/run/systemd/private -/var/log -/var/lib/mailroom-hub -/etc/mailroom-hub",
    "UMask": "0077",
    "TasksMax": "512",
}


class Room(SystemdSpawner):
    """One for each learner."""

    @property
    def learner(self) -> dict[str, Any]:
        return learners.known()[self.user.name]

    @property
    def home(self) -> str:
        return f"/home/{self.learner['user']}"

    def get_env(self) -> dict[str, str]:
        """What the learner's programs are told. Nothing of the hub's own environment."""
        told: dict[str, str] = super().get_env()
        return told | {
            "PATH": f"{ROOT}/.venv/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": self.home,
            "PYTHONPATH": ROOT,
            "PYTHONDONTWRITEBYTECODE": "1",
            "MAILROOM_LAB_DIR": f"{self.home}/class/learners/{self.user.name}",
            "MAILROOM_WORKBOOK": f"{self.home}/notebooks",
            "MAILROOM_SNAPSHOTS": "no",
            "LAB_ENGINE": ELSEWHERE,  # the containers are the teacher's
            # each has a loopback of their own, so the port is everybody's
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{SERVER}{self.server.base_url}",
        }

    async def start(self) -> tuple[str, int]:
        self.env_keep: list[str] = []
        self.default_shell = "/bin/bash"
        self.username_template = self.learner["user"]
        self.cmd = [f"{ROOT}/.venv/bin/python", "-m", "classroom.hub.inside.server"]
        self.unit_extra_properties = WALLS | {
            "NetworkNamespacePath": f"/run/netns/{self.user.name}",
            "BindPaths": self.home,
        }
        await super().start()
        return "127.0.0.1", self.learner["door"]
