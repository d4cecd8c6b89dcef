"""The hub is brought up, told who is in the class, and taken away again."""

import shutil
import time
from dataclasses import dataclass
from typing import Any

from classroom import folder
from classroom.hub import bringing, facts, telling, tokens
from classroom.people import Learner
from lab import life, names, state


@dataclass
class Hub:
    """What `up` has done."""

    address: str
    learners: list[Learner]
    changed: list[str]
    limited: bool  # whether the kernel keeps the limits of memory
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "local": facts.local(),
            "learners": [one.name for one in self.learners],
            "changed": self.changed,
            "limited": self.limited,
            "seconds": round(self.seconds, 1),
        }


def up(address: str = "", memory: str = "") -> Hub:
    """A hub for the class that is up. Again: new learners are let in, those who have left are not, the rest stays as it is."""
    begun, learners = time.monotonic(), folder.present()
    known = {"address": "", "memory": facts.MEMORY} | facts.known()
    wanted = known | ({"address": facts.checked(address)} if address else {})
    wanted |= {"memory": facts.size(memory)} if memory else {}
    life.up({names.HUB: names.DEFAULT_SUITE}, names.DEFAULT_SUITE, {names.HUB: names.HUB})
    state.write(facts.FACTS, state.as_json(wanted), folder=tokens.folder())
    host = facts.there()
    try:
        bringing.packages(host)
        bringing.environment(host)
        new = bringing.code(host)
        changed = ["the code"] * new + telling.furnish(host, learners, new)
        limited = host.run("test -e /sys/fs/cgroup/cgroup.controllers", check=False).returncode == 0
    finally:
        host.close()
    return Hub(facts.shown(), learners, changed, limited, time.monotonic() - begun)


def renew(learner: Learner) -> None:
    """Another token for this one; who has signed in by the old one is signed out."""
    facts.told()
    tokens.issue([one.name for one in folder.roster()], [learner.name])
    host = facts.there()
    try:
        telling.furnish(host, folder.present())
        host.run(f"cd {bringing.ROOT} && {bringing.PYTHON_THERE} -m classroom.hub.inside.forget {learner.name}")
        telling.wait(host)
    finally:
        host.close()


def down() -> bool:
    """The hub is gone, with the learners' notebooks and tokens. Their mail hosts stay. Whether there was one."""
    was = names.HUB in {one["name"] for one in state.described()}
    if was:
        life.remove(names.HUB)
    shutil.rmtree(names.directory() / "hub", ignore_errors=True)
    return was
