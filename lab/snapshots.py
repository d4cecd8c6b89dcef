"""Keep a host as it is, and go back to it within seconds.

A snapshot is an image committed from the host's container. The host then goes on from that image,
so that the next snapshot holds only what changed since. That is a boot, of some twenty seconds on a
whole mail server; the runbook's snapshots do without it.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab import hosts, image, names, places, state
from lab.engine import Engine, find
from lab.errors import LabError
from lab.progress import busy

BARE = "bare"  # always there: the host as `up` made it
AT_ONCE = 4  # hosts that are replaced side by side


@dataclass
class Snapshot:
    """A host as it was once, kept as an image."""

    title: str
    host: str
    suite: str
    image: str  # its tag
    created: str
    size: int  # bytes beyond what it was made from


def take(name: str, title: str, stay: bool = False) -> Snapshot:
    """Commit the running host under this title. It replaces an older snapshot of that title.

    With `stay` the host is not begun anew from it, which takes a boot: it pauses for some seconds, and a later snapshot holds again
    what this one does.
    """
    engine = find()
    if not names.slug(title) or names.slug(title) == BARE:
        raise LabError(f"{title!r} cannot name a snapshot.", "Use a title with letters in it.")
    with state.locked():
        host = one(engine, name)
        with busy(f"keeping {name} as {title!r}"):
            # paused, so that a database's files are all of one moment
            engine.run(
                "commit", *(["--quiet"] if engine.name == "podman" else []), "--pause",
                "--change", f"LABEL mailroom.snapshot={json.dumps(title)}",
                hosts.container(name), reference(host, title),
            )  # fmt: skip
            if not stay:
                swap(engine, host, reference(host, title))
    return next(kept for kept in listed(engine) if kept.image == reference(host, title))


def rewind(name: str, title: str) -> None:
    """Put the host back to a snapshot. All later changes are lost, on purpose."""
    engine = find()
    with state.locked():
        host = one(engine, name, running=False)
        kept = {one.image: repr(one.title) for one in listed(engine) if (one.host, one.suite) == (name, host["suite"])}
        source = reference(host, title)
        if names.slug(title) == BARE:
            source = image.ensure(engine, host["suite"])
        elif source not in kept:
            raise LabError(
                f"{name} ({host['suite']}) has no snapshot {title!r}.",
                f"It has: {', '.join(kept.values()) or 'none'}; {BARE!r} always works.",
            )
        with busy(f"rewinding {name} to {title!r}"):
            swap(engine, host, source)


def become(states: Mapping[str, str]) -> None:
    """Put hosts into what was kept of another one: images by the hosts' names. All that is on them is lost.

    Address, ports, name and keys to enter are the host's own; what else of the other one is in the image stays in it.
    """
    engine = find()
    with state.locked():
        every = {name: one(engine, name, running=False) for name in states}
        with busy(f"replacing {', '.join(states)}"), ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda name: swap(engine, every[name], states[name]), states))


def swap(engine: Engine, host: state.Record, source: str) -> None:
    """Replace the host's container by one from another image, at the same address."""
    with image.one_at_a_time("ports"):  # no other lab takes its ports in between
        hosts.remove(engine, host)
        hosts.create(engine, host, source)
    state.know(host, hosts.wait(engine, host))


def one(engine: Engine, name: str, running: bool = True) -> state.Record:
    """The host of this name, which has to run unless it is about to be replaced."""
    found = hosts.find_all(engine)
    if name not in found or (running and not found[name].running):
        what = f"{name!r} is not a {'running ' if running else ''}host of this lab"
        raise LabError(f"{what} ({', '.join(found) or 'there is none'}).", state.RUN_THIS)
    places.own_host_only(found[name].host)
    return found[name].host


def reference(host: state.Record, title: str) -> str:
    return f"localhost/{names.prefix()}-{host['name']}-{host['suite']}:{names.slug(title)}"


def listed(engine: Engine) -> list[Snapshot]:
    """This lab's snapshots, oldest first."""
    found = [one for one in images(engine) if one["RepoTags"]]
    parents = {p["Id"]: p for p in engine.inspect("image", *{o["Parent"] for o in found} - {""})}
    snapshots = []
    for one in sorted(found, key=lambda o: str(o["Created"])):
        labels = one["Config"]["Labels"]
        host = json.loads(labels["mailroom.host"])
        created = str(one["Created"])[:19].replace("T", " ")
        title, (tag, *_) = labels["mailroom.snapshot"], one["RepoTags"]
        size = one["Size"] - parents.get(one["Parent"], {}).get("Size", 0)
        snapshots.append(Snapshot(title, host["name"], host["suite"], tag, created, size))
    return snapshots


def images(engine: Engine) -> list[dict[str, Any]]:
    label = f"label=mailroom.lab={names.prefix()}"
    ids = engine.run("images", "--all", "--quiet", "--no-trunc", "--filter", label).split()
    return engine.inspect("image", *dict.fromkeys(ids))


def forget(engine: Engine, name: str | None = None) -> None:
    """Drop the snapshots of one host, or of all; newest first, since newer ones are layers on older ones."""
    for one in sorted(images(engine), key=lambda o: str(o["Created"]), reverse=True):
        if name in (None, json.loads(one["Config"]["Labels"]["mailroom.host"])["name"]):
            for tag in one["RepoTags"] or [one["Id"]]:
                engine.run("rmi", tag, check=False)
