"""The folder of the class: .class in the checkout, or MAILROOM_CLASS_DIR. It is the folder of the lab that all hosts belong to."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from classroom.people import ClassError, Learner
from lab import Host, names, state

ROSTER = names.CLASS
UP = "Bring one up: make class LEARNERS=3, or make class NAMES=class.csv"


def use() -> Path:
    """From here on, the lab is the class's, for this process and for those that it starts."""
    os.environ["MAILROOM_LAB_DIR"] = os.environ.get("MAILROOM_CLASS_DIR") or ".class"
    os.environ.pop("MAILROOM_INVENTORY", None)  # that of other hosts
    os.environ.pop("MAILROOM_HOST", None)
    return names.directory()


def roster() -> list[Learner]:
    """Who is in the class, in the order of the list."""
    file = state.path(ROSTER)
    return [Learner(**one) for one in json.loads(file.read_text())] if file.exists() else []


def enrol(learners: Iterable[Learner]) -> None:
    text = (
        json.dumps([{"name": one.name, "called": one.called} for one in learners], indent=2, ensure_ascii=False) + "\n"
    )
    if not state.path(ROSTER).exists() or state.path(ROSTER).read_text() != text:
        names.directory().mkdir(parents=True, exist_ok=True, mode=0o700)
        state.write(ROSTER, text)


def present() -> list[Learner]:
    """Who is in the class. ClassError where there is none."""
    if not (found := roster()) or not records():
        raise ClassError("No class is up.", UP)
    return found


def member(name: str) -> Learner:
    """A learner by the host's name, or by theirs."""
    every = present()
    for one in every:
        if name.casefold() in (one.name, one.called.casefold()):
            return one
    raise ClassError(f"There is no {name} in the class.", f"It has: {', '.join(one.name for one in every)}.")


def members(asked: Iterable[str]) -> list[Learner]:
    """These learners, each once; all for "all"."""
    words = list(asked)
    return present() if words == ["all"] else list(dict.fromkeys(member(name) for name in words))


def records() -> dict[str, state.Record]:
    """The learners' hosts, as the lab has them."""
    return {host["name"]: host for host in state.described() if host.get("place")}


def host(learner: Learner) -> Host:
    """SSH to a learner's host. ClassError where it was never made."""
    if learner.name not in (known := records()):
        raise ClassError(f"{learner.called} has no host yet.", "The same `make class` again makes it.")
    return Host(learner.name, known[learner.name])


def place(learner: Learner) -> Path:
    """The learner's own folder."""
    return state.of(records()[learner.name], "")


def environment(learner: Learner) -> dict[str, Any]:
    """For a program that sees the lab as this learner does."""
    return {**os.environ, "MAILROOM_LAB_DIR": str(place(learner))}
