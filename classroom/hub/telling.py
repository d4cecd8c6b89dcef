"""The hub is told who is in the class: learners, their folders, their doors, and the sums of their tokens."""

import json
from typing import Any
from urllib.parse import urlsplit

from classroom import folder
from classroom.hub import bringing, certificate, doors, facts, tokens
from classroom.people import Learner
from lab import Host, names, places, state
from lab.progress import busy, say


def tell() -> None:
    """The hub, where there is one, hears who is in the class now and which keys their hosts have."""
    if names.HUB not in {one["name"] for one in state.described()} or not facts.known():
        return
    host = facts.there()
    try:
        furnish(host, folder.present())
    except OSError:
        say("! The hub does not answer, so it has not heard of this: python -m classroom hub up")
    finally:
        host.close()


def furnish(host: Host, learners: list[Learner], code: bool = False) -> list[str]:
    """Tell the hub what it is to be, on standard input: there are keys and passwords in it. What has changed there."""
    records = folder.records()
    here = [one for one in learners if one.name in records]
    issued = tokens.issue([one.name for one in here])
    certificate.ensure(tokens.folder(), urlsplit(facts.shown()).hostname or "localhost")
    about: dict[str, dict[str, Any]] = {
        one.name: {"user": places.account(one.name), "called": one.called, "door": doors.door(records[one.name])}
        for one in here
    }
    listed = state.as_json({"learners": about, "memory": facts.told()["memory"]})
    cards = state.as_json({name: tokens.digest(token) for name, token in issued.items()})
    files = {
        "/etc/mailroom-hub/learners.json": (listed, 0o600),
        "/etc/mailroom-hub/tokens.json": (cards, 0o600),
        "/etc/mailroom-hub/key.pem": ((tokens.folder() / certificate.KEY).read_text(), 0o600),
        "/etc/mailroom-hub/certificate.pem": ((tokens.folder() / certificate.CERTIFICATE).read_text(), 0o644),
        "/etc/nginx/nginx.conf": (doors.nginx({name: one["door"] for name, one in about.items()}), 0o644),
    }
    units = doors.everybodys()
    for one in here:
        units |= doors.units(one.name, about[one.name]["door"], doors.ways(seen(one)))
    given = {
        "files": files,
        "units": units,
        "learners": {name: one | {"place": place(name)} for name, one in about.items()},
        "code": code,
    }
    with busy("telling the hub who is in the class"):
        done = host.run(
            f"cd {bringing.ROOT} && umask 077 && {bringing.PYTHON_THERE} -m classroom.hub.inside.furnish",
            stdin=json.dumps(given),
            timeout=300,
        )
    return list(json.loads(done.stdout))


def seen(learner: Learner) -> list[state.Record]:
    """The hosts in this learner's place."""
    lab = json.loads((folder.place(learner) / "lab.json").read_text())
    return list(lab["hosts"].values())


def place(name: str) -> dict[str, tuple[str, int]]:
    """The files of a learner's folder, as they are to be on the hub."""
    source = folder.place(folder.member(name))
    target = f"/home/{places.account(name)}/class/{places.of(name)}"
    found = {}
    for file in (
        "lab.json",
        "known_hosts",
        "ssh_config",
        "id_ed25519",
        "id_ed25519.pub",
        "accounts.json",
        "secrets.json",
    ):
        found[file] = (source / file).read_text().replace(str(source), target), 0o600
    return found | {names.PLACE: ("", 0o600)}
