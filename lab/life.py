"""The lab's life: up, down, removing one host, and removing everything."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

from lab import aptcache, hosts, image, limits, names, network, places, snapshots, state
from lab.engine import Engine, find, present
from lab.errors import LabError
from lab.progress import busy, say

AT_ONCE = 4  # hosts that are made side by side
Asked = dict[str, str | None]  # host name: the suite (or the role) asked for, or None for whichever it has


def up(
    asked: Asked,
    suite: str,
    roles: Asked | None = None,
    rebuild: bool = False,
    domains: dict[str, str] | None = None,
    ready: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Bring these hosts up beside the present ones. `ready` hears of each that was made, once ssh answers there.

    A host of another suite or role than asked for is made anew with `rebuild`; without it, LabError, and nothing was changed.
    One of `domains` belongs to a learner (lab/places.py).
    """
    places.whole_lab_only()
    engine = find()
    with state.locked():
        state.make_secrets()
        subnet, six = network.ensure(engine), network.has_six(engine)
        found = hosts.find_all(engine)
        if not rebuild:
            spare(found, asked, roles or {})
        records: dict[str, state.Record] = {}
        fresh = []
        wanted = {}
        for name in {**found, **asked}:
            own, role = asked.get(name), (roles or {}).get(name)
            if name in found and keep(engine, found[name], own, role):
                records[name] = found[name].host
                aptcache.collect(records[name]["suite"], hosts.container(name))
            else:
                fresh.append(name)
                wanted[name] = kind(name, own or "", role or "", found[name].host if name in found else {}, suite)
        images = {s: image.ensure(engine, s) for s in {own for own, _ in wanted.values()}}
        mirrors = {m for name in records for m in found[name].mirrors}
        mirrors |= {m for base in engine.inspect("image", *images.values()) for m in image.mirrors(base)}
        with image.one_at_a_time("ports") if fresh else nullcontext():  # no other lab takes a port in between
            for name in fresh:
                own = (domains or {}).get(name) or (found[name].host.get("domain", "") if name in found else "")
                records[name] = hosts.plan(name, *wanted[name], subnet, records, six, own)
            # always in the same order, or the guests' files would be others each time
            records = {name: records[name] for name in sorted(records, key=lambda name: last_octet(records[name]))}
            changed = network.write_guest_files(subnet, records, sorted(mirrors))
            if fresh:
                limits.raise_inotify()
            for name in fresh:
                places.make(records[name])
            made = [(engine, records[name], images[records[name]["suite"]]) for name in fresh]
            if made:
                what = ", ".join(fresh) if len(fresh) < 5 else f"{len(fresh)} hosts"
                with busy(f"starting {what}"), ThreadPoolExecutor(AT_ONCE) as pool:
                    list(pool.map(lambda one: hosts.create(*one), made))
        return settle(engine, subnet, records, fresh, changed, ready)


def last_octet(host: state.Record) -> int:
    return int(host["address"].split(".")[3])


def kind(name: str, asked: str, role: str, was: state.Record, suite: str) -> tuple[str, str]:
    """The suite and the role of a host to be made: as asked for, else as it was, else by its name."""
    if name == names.WORLD:
        return names.WORLD, names.WORLD
    return asked or was.get("suite") or suite, role or was.get("role") or names.role(name)


def spare(found: dict[str, hosts.Found], asked: Asked, roles: Asked) -> None:
    """Raise LabError for a host that would have to be made anew: what is on it may be hours of work."""
    for name in asked.keys() & found.keys():
        if found[name].mounted and (other := another(found[name].host, asked[name], roles.get(name))):
            to = f"{name}:{asked[name]}" if asked[name] else name
            role = f" --role {roles[name]}" if roles.get(name) else ""
            raise LabError(
                f"{name} is {other} was asked for. To rebuild it would lose all that is on it; nothing was changed.",
                f"If you mean it: `python -m lab add {to}{role} --rebuild`, then the same command again. "
                "To keep it, have a second lab beside this one: MAILROOM_LAB_DIR=.lab-two make up.",
            )


def another(host: state.Record, suite: str | None, role: str | None) -> str:
    """What the host is and what was asked for, where that differs: "trixie, and bookworm", "client, and mail"."""
    if host["role"] == names.WORLD:
        return ""
    pairs = ((host["suite"], suite), (host["role"], role))
    return next((f"{now}, and {wanted}" for now, wanted in pairs if wanted and now != wanted), "")


def keep(engine: Engine, found: hosts.Found, asked: str | None, role: str | None = None) -> bool:
    """Whether this host can stay as it is; one that cannot is removed here."""
    host = found.host
    if not found.mounted:
        say(f"{host['name']} is from a lab whose files are gone: making it anew")
    elif other := another(host, asked, role):
        say(f"{host['name']} is {other} was asked for: rebuilding just this host")
    elif found.running:
        return True
    else:
        say(f"{host['name']} was stopped: starting it again, with all that is on it")
        try:
            engine.run("start", hosts.container(host["name"]))
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
    ready: Callable[[str], None],
) -> dict[str, Any]:
    """Wait for new and lost hosts, and write the files by which all hosts are reached."""
    known = state.known_keys()
    waiting = [
        name
        for name, host in records.items()
        if name in fresh or host["ssh_port"] not in known or not state.greets(host["ssh_port"])
    ]
    keys = {n: known[r["ssh_port"]] for n, r in records.items() if n not in waiting}

    def wait(name: str) -> str:
        key = hosts.wait(engine, records[name])
        ready(name)
        return key

    with busy("waiting for ssh"), ThreadPoolExecutor() as pool:
        answers = pool.map(wait, waiting)
        keys |= dict(zip(waiting, answers, strict=True))
    changed |= network.write_authority(engine, records)
    for name in records.keys() - fresh if changed else ():
        hosts.tell(engine, records[name], changed)
    order = sorted(records, key=lambda name: last_octet(records[name]))
    lab = {
        "prefix": names.prefix(), "engine": engine.name, "suite": records[order[0]]["suite"],
        "network": names.prefix(), "subnet": subnet, "hosts": {n: records[n] for n in order},
    }  # fmt: skip
    state.save(lab, keys)
    places.furnish(engine, lab, keys)
    return lab


def remove(name: str, keep: bool = False) -> None:
    """Remove one host with its snapshots, unless these are to be kept. With the last host the lab goes too.

    The others stay as they are, stopped ones too. They forget its name, and only what keeps names is told.
    """
    places.whole_lab_only()
    engine = find()
    with state.locked():
        found = hosts.find_all(engine)
        if name not in found:
            raise LabError(f"The lab has no host {name!r}.", "See: python -m lab list")
        gone = found.pop(name).host
        hosts.remove(engine, gone)
        if not keep:
            snapshots.forget(engine, name)
        places.drop(gone)
        if found:
            state.forget(name)
            changed = network.forget(gone, {other: one.host for other, one in found.items()})
            for one in found.values():
                if one.running:
                    hosts.tell(engine, one.host, changed)
            return
    down()


def down() -> None:
    """Remove containers, network and their files; secrets, snapshots and caches stay."""
    places.whole_lab_only()
    engine = present()
    if engine is None or not (names.directory().exists() or hosts.find_all(engine)):
        return
    with state.locked():
        for name in ("lab.json", "ssh_config", "known_hosts", "records.json"):
            state.path(name).unlink(missing_ok=True)
        for one in hosts.find_all(engine).values():
            with busy(f"removing {one.host['name']}"):
                hosts.remove(engine, one.host)
        if engine.inspect("network", names.prefix()):
            engine.run("network", "rm", names.prefix())
        shutil.rmtree(state.path("guest"), ignore_errors=True)
        aptcache.drop_lab(names.prefix())


def purge() -> None:
    """Down, and this lab's snapshots and secrets too."""
    down()
    if engine := present():
        snapshots.forget(engine)
    shutil.rmtree(names.directory(), ignore_errors=True)


def distclean() -> None:
    """Purge, and remove the caches that all checkouts share, unless another lab uses them."""
    purge()
    engine = present()
    if engine and engine.run("ps", "--all", "--quiet", "--filter", "label=mailroom.lab"):
        say(f"another checkout's lab is up: its caches in {names.cache()} stay")
        return
    if engine:
        image.forget(engine)
    shutil.rmtree(names.cache(), ignore_errors=True)
