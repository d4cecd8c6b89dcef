"""up: a host for each name, with a domain, a key, passwords and a place in the DNS of its own; and down again."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classroom import folder
from classroom.hub import telling
from classroom.people import ClassError, Learner
from lab import life, names, state

EACH = 140  # MB for a host with chapters 1, 2 and 4, and some more to work in: docs/teaching.md
COMMON = 200  # MB of the client, the world and this program


@dataclass
class Up:
    """What `up` has done: whose hosts were made now, whose had stopped, and who is in the class without being in the list."""

    learners: list[Learner]
    made: list[str]
    back: list[str]
    unlisted: list[Learner]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        known = folder.records()
        people = [
            {
                "name": one.name,
                "called": one.called,
                "domain": one.domain,
                "host": known[one.name]["fqdn"],
                "address": known[one.name]["address"],
                "folder": str(folder.place(one)),
                "made": one.name in self.made,
                "back": one.name in self.back,
            }
            for one in self.learners
        ]
        return {"learners": people, "seconds": round(self.seconds, 1)}


def up(asked: Sequence[Learner], say: Callable[[str], None]) -> Up:
    """Bring up the hosts of these learners and of those who are in the class already, who all stay as they are."""
    begun = time.monotonic()
    before = folder.roster()
    everybody = merged(before, asked)
    if not everybody:
        raise ClassError("There is no list of names.", folder.UP)
    new = [one for one in everybody if one.name not in folder.records()]
    if warning := short_of_memory(len(new)):
        say(warning)
    heard: list[str] = []
    mine = {one.name for one in everybody}

    def ready(name: str) -> None:
        heard.append(name)
        say(f"  {name:<{max(map(len, mine | {'client'}))}}  answers after {time.monotonic() - begun:.0f} s")

    suite = os.environ.get("LAB_SUITE") or None
    hosts: life.Asked = dict.fromkeys([one.name for one in everybody], suite) | {"client": None, names.WORLD: None}
    domains = {one.name: one.domain for one in everybody}
    if new:
        say(f"{len(new)} of {len(everybody)} hosts are to be made, beside the world and the client")
    folder.enrol(everybody)  # first: what a run that is stopped leaves belongs to a class, and `down` finds it
    life.up(hosts, suite or names.DEFAULT_SUITE, dict.fromkeys(domains, "mail"), domains=domains, ready=ready)
    telling.tell()
    unlisted = [one for one in before if asked and one.name not in {other.name for other in asked}]
    made = [one.name for one in new]
    back = [name for name in heard if name in mine - set(made)]
    return Up(everybody, made, back, unlisted, time.monotonic() - begun)


def merged(before: Sequence[Learner], asked: Sequence[Learner]) -> list[Learner]:
    """The class in the order of the list, and after that those who were there before. The list has the last word on how one is called."""
    listed = {one.name for one in asked}
    return [*asked, *(one for one in before if one.name not in listed)]


def short_of_memory(new: int, meminfo: Path = Path("/proc/meminfo")) -> str:
    """A warning where that many more hosts would not fit; "" where they do, or nobody knows."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) // 1024
    except (OSError, ValueError, KeyError):
        return ""
    needed = new * EACH + COMMON
    if not new or needed <= free:
        return ""
    return (
        f"! {new} more hosts with a mail server each need about {needed / 1024:.1f} GB of memory, and {free / 1024:.1f} GB are free. "
        "They come up, and may be killed later; docs/teaching.md has the figures."
    )


def remove(learner: Learner) -> None:
    """One learner's host, kept states, key and passwords are gone; the others stay."""
    if learner.name in folder.records():
        life.remove(learner.name)
    folder.enrol([one for one in folder.roster() if one != learner])
    telling.tell()


def down() -> bool:
    """Nothing of the class is left, secrets and snapshots included. Whether there was one."""
    if not state.path(folder.ROSTER).exists():  # a folder of somebody's, or of another lab
        return False
    life.purge()
    return True
