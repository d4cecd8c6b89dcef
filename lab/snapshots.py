"""Keep a host as it is, and go back to it within seconds.

A snapshot is an image committed from the host's container. The host then goes on from that image,
so that the next snapshot holds only what changed since: a first one after the packages takes many
seconds, a later one about one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lab import hosts, image, names, state
from lab.engine import Engine, find
from lab.errors import LabError
from lab.progress import busy

BARE = "bare"  # always there: the host as `up` made it


@dataclass
class Snapshot:
    title: str
    host: str
    suite: str
    image: str  # its id
    created: str
    size: int  # bytes beyond what it was made from


def take(name: str, title: str) -> Snapshot:
    """Commit the running host under this title. It replaces an older snapshot of that title."""
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
            swap(engine, host, reference(host, title))
    return next(s for s in listed(engine) if same(s, host, title))


def rewind(name: str, title: str) -> None:
    """Put the host back to a snapshot. All later changes are lost, on purpose."""
    engine = find()
    with state.locked():
        host = one(engine, name)
        kept = [s for s in listed(engine) if s.host == name]
        if names.slug(title) == BARE:
            source = image.ensure(engine, host["suite"])
        else:
            matching = [s for s in kept if same(s, host, title)]
            if not matching:
                titles = ", ".join(repr(s.title) for s in kept if s.suite == host["suite"])
                raise LabError(
                    f"{name} ({host['suite']}) has no snapshot {title!r}.",
                    f"It has: {titles or 'none'}; {BARE!r} always works.",
                )
            source = matching[0].image
        with busy(f"rewinding {name} to {title!r}"):
            swap(engine, host, source)


def swap(engine: Engine, host: state.Record, source: str) -> None:
    """Replace the host's container by one from another image, at the same address."""
    with image.one_at_a_time("ports"):  # no other lab takes its ports in between
        hosts.remove(engine, host)
        hosts.create(engine, host, source)
    state.know(host, hosts.wait(engine, host))


def one(engine: Engine, name: str) -> state.Record:
    found = hosts.find_all(engine)
    if name not in found or not found[name].running:
        what = f"{name!r} is not a running host of this lab"
        raise LabError(f"{what} ({', '.join(found) or 'there is none'}).", state.RUN_THIS)
    return found[name].host


def reference(host: state.Record, title: str) -> str:
    return f"localhost/{names.prefix()}-{host['name']}-{host['suite']}:{names.slug(title)}"


def same(snapshot: Snapshot, host: state.Record, title: str) -> bool:
    return (snapshot.host, snapshot.suite, names.slug(snapshot.title)) == (
        host["name"], host["suite"], names.slug(title),
    )  # fmt: skip


def listed(engine: Engine) -> list[Snapshot]:
    """This lab's snapshots, oldest first."""
    found = [one for one in images(engine) if one["RepoTags"]]
    parents = {p["Id"]: p for p in engine.inspect("image", *{o["Parent"] for o in found} - {""})}
    snapshots = []
    for one in sorted(found, key=lambda o: str(o["Created"])):
        labels = one["Config"]["Labels"]
        host = json.loads(labels["mailroom.host"])
        below = parents.get(one["Parent"], {}).get("Size", 0)
        created = str(one["Created"])[:19].replace("T", " ")
        kept = Snapshot(
            labels["mailroom.snapshot"], host["name"], host["suite"], one["Id"], created, one["Size"] - below
        )
        snapshots.append(kept)
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
