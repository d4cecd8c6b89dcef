"""A part of the mail host on a file system of its own, so small that it can be filled, and put back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab import Host

SMALL, FILLER = "/run/small-disk", "mailroom-test-filler"
MOVE = f"""set -e
size=$(( $(du -sm {{path}} | cut -f1) + {{spare}} ))
mkdir -p {SMALL}
mount -t tmpfs -o size=${{{{size}}}}m tmpfs {SMALL}
cp -a {{path}}/. {SMALL}/
chown --reference={{path}} {SMALL}; chmod --reference={{path}} {SMALL}
mount --bind {SMALL} {{path}}"""
BACK = f"""set -e
umount {{path}}
find {{path}} -mindepth 1 -delete
cp -a {SMALL}/. {{path}}/
rm -f {{path}}/{FILLER}
umount {SMALL}
rmdir {SMALL}"""


@dataclass(frozen=True)
class Disk:
    name: str
    path: str
    spare: int  # MB of room when it is not filled
    left: int  # KB of room when it is
    users: str  # the units that have files open there


SOCKETS = "mailroom-sender.socket dovecot postfix"  # whoever listens in Postfix's spool
STORE = Disk("the store", "/home/mail", 60, 40, "dovecot postfix")
# port 25 closes when there is less room than one and a half of the largest letter (queue_minfree)
QUEUE = Disk("the queue", "/var/spool/postfix", 120, 40, SOCKETS)
NEARLY = Disk("the queue, nearly", "/var/spool/postfix", 120, 20_000, SOCKETS)
DATABASE = Disk("the database", "/var/lib/postgresql", 60, 0, "postgresql postgresql@*")


@contextmanager
def own(host: Host, disk: Disk) -> Iterator[None]:
    """The place as a small file system, with whatever is in it, and back again."""
    start = disk.users.replace("postgresql@*", "")
    host.run(f"systemctl stop {disk.users}; ({MOVE.format(path=disk.path, spare=disk.spare)}); systemctl start {start}")
    try:
        yield
    finally:
        host.run(f"systemctl stop {disk.users}; {BACK.format(path=disk.path)}")
        host.run(f"systemctl reset-failed; systemctl start {start}")


def fill(host: Host, disk: Disk) -> None:
    """Leave so little room; a second time, too."""
    room = f"$(( $(df --output=avail -B1024 {disk.path} | tail -n1) - {disk.left} ))"
    host.run(f"room={room}; [ $room -le 0 ] || fallocate -l ${{room}}K {disk.path}/{FILLER}")


def free(host: Host, disk: Disk) -> None:
    host.run(f"rm -f {disk.path}/{FILLER}")
