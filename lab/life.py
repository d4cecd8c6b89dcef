"""The lab's life: up, down, removing one host, and removing everything."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

from lab import aptcache, hosts, image, limits, names, network, snapshots, state
from lab.engine import Engine, find, present
from lab.errors import LabError
from lab.progress import busy, say

Asked = dict[str, str | None]  # host name: the suite asked for, or None for whichever it has


def up(asked: Asked, suite: str, roles: dict[str, str] | None = None) -> dict[str, Any]:
    """Bring these hosts up beside the present ones. A host of another suite than asked for is rebuilt."""
    engine = find()
    with state.locked():
        state.make_secrets()
        subnet = network.ensure(engine)
        found = hosts.find_all(engine)
        records: dict[str, state.Record] = {}
        fresh = []
        wanted = {name: names.WORLD if name == names.WORLD else asked.get(name) for name in {**found, **asked}}
        for name, own in wanted.items():
            if name in found and keep(engine, found[name], own):
                records[name] = found[name].host
                aptcache.collect(records[name]["suite"], hosts.container(name))
            else:
                fresh.append(name)
        images = {s: image.ensure(engine, s) for s in {wanted[name] or suite for name in fresh}}
        mirrors = {m for name in records for m in found[name].mirrors}
        mirrors |= {m for base in images.values() for m in image.mirrors(engine, base)}
        with image.one_at_a_time("ports") if fresh else nullcontext():  # no other lab takes a port in between
            for name in fresh:
                role = names.WORLD if name == names.WORLD else (roles or {}).get(name) or names.role(name)
                records[name] = hosts.plan(name, wanted[name] or suite, role, subnet, records)
            changed = network.write_guest_files(subnet, records, sorted(mirrors))
            if fresh:
                limits.raise_inotify()
            for name in fresh:
                with busy(f"starting {name}"):
                    hosts.create(engine, records[name], images[records[name]["suite"]])
        return settle(engine, subnet, records, fresh, changed)


def keep(engine: Engine, found: hosts.Found, asked: str | None) -> bool:
    """Whether this host can stay as it is; one that cannot is removed here."""
    host = found.host
    if not found.mounted:
        say(f"{host['name']} is from a lab whose files are gone: making it anew")
    elif asked and asked != host["suite"]:
        say(f"{host['name']} is {host['suite']} and {asked} was asked for: rebuilding just this host")
    elif found.running:
        return True
    else:
        say(f"{host['name']} was stopped: starting it again, with all that is on it")
        try:
            hosts.start(engine, host["name"])
            return True
        except LabError as error:
            say(f"it does not start ({error}): making it anew")
    hosts.remove(engine, host)
    return False


def settle(
    engine: Engine,
    subnet: str,
    records: dict[str, state.Record],
    fresh: list[str],
    changed: set[str],
) -> dict[str, Any]:
    """Wait for new and lost hosts, and write the files by which all hosts are reached."""
    known = state.known_keys()
    waiting = [
        name
        for name, host in records.items()
        if name in fresh or host["ssh_port"] not in known or not state.greets(host["ssh_port"])
    ]
    keys = {n: known[r["ssh_port"]] for n, r in records.items() if n not in waiting}
    with busy("waiting for ssh"), ThreadPoolExecutor() as pool:
        answers = pool.map(lambda name: hosts.wait(engine, records[name]), waiting)
        keys |= dict(zip(waiting, answers, strict=True))
    for name in records.keys() - fresh if changed else ():
        hosts.tell(engine, records[name], changed)
    order = sorted(records, key=lambda name: int(records[name]["address"].split(".")[3]))
    lab = {
        "prefix": names.prefix(), "engine": engine.name, "suite": records[order[0]]["suite"],
        "network": names.prefix(), "subnet": subnet, "hosts": {n: records[n] for n in order},
    }  # fmt: skip
    state.save(lab, keys)
    return lab


def remove(name: str) -> None:
    """Remove one host with its snapshots. With the last host the lab goes too."""
    engine = find()
    with state.locked():
        found = hosts.find_all(engine)
        if name not in found:
            raise LabError(f"The lab has no host {name!r}.", "See: python -m lab list")
        hosts.remove(engine, found.pop(name).host)
        snapshots.forget(engine, name)
        if found:
            records = {n: one.host for n, one in found.items()}
            subnet = network.ensure(engine)
            mirrors = {m for one in found.values() for m in one.mirrors}
            changed = network.write_guest_files(subnet, records, sorted(mirrors))
            settle(engine, subnet, records, [], changed)
    if not found:
        down()


def down() -> int:
    """Remove containers, network and their files; secrets, snapshots and caches stay."""
    engine = present()
    if engine is None or not (names.directory().exists() or hosts.find_all(engine)):
        return 0
    with state.locked():
        state.forget_hosts()
        found = hosts.find_all(engine)
        for one in found.values():
            with busy(f"removing {one.host['name']}"):
                hosts.remove(engine, one.host)
        if engine.inspect("network", names.prefix()):
            engine.run("network", "rm", names.prefix())
        state.forget_mounted()
        aptcache.drop_lab(names.prefix())
    return len(found)


def purge() -> int:
    """Down, and this lab's snapshots and secrets too."""
    removed = down()
    engine = present()
    if engine:
        snapshots.forget(engine)
    state.forget_all()
    return removed


def distclean() -> int:
    """Purge, and remove the caches that all checkouts share, unless another lab uses them."""
    removed = purge()
    engine = present()
    if engine and engine.run("ps", "--all", "--quiet", "--filter", "label=mailroom.lab"):
        say(f"another checkout's lab is up: its caches in {names.cache()} stay")
        return removed
    if engine:
        image.forget(engine)
    shutil.rmtree(names.cache(), ignore_errors=True)
    return removed
