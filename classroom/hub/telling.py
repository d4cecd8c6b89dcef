"""The hub is told who is in the class: learners, their folders, their doors, and the sums of their tokens."""

import json
from typing import Any
from urllib.parse import urlsplit

from classroom import folder
from classroom.hub import bringing, certificate, doors, facts, tokens
from classroom.people import ClassError, Learner
from lab import Host, names, places, state
from lab.progress import busy, say

WAIT = 120  # seconds for JupyterHub to answer


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
    wait(host)
    return list(json.loads(done.stdout))


def wait(host: Host) -> None:
    """Until JupyterHub answers. ClassError where it does not."""
    ask = f"import urllib.request as web; web.urlopen('http://127.0.0.1:{doors.HUB}/hub/health')"
    loop = f'for i in $(seq {WAIT}); do {bringing.PYTHON_THERE} -c "{ask}" 2>/dev/null && exit 0; sleep 1; done; exit 1'
    with busy("waiting for JupyterHub"):
        answers = host.run(loop, check=False, timeout=WAIT * 4)
    if answers.returncode:
        raise ClassError(
            f"JupyterHub does not answer within {WAIT} s.",
            f"Look at: ssh -F {state.path('ssh_config')} hub journalctl -u mailroom-hub",
        )


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
