"""The place of one learner in a class: a folder with what is theirs, and nothing of the others.

It is a lab's folder to all that asks by MAILROOM_LAB_DIR: lab.json names the learner's host and the hosts in common, ssh_config
and known_hosts lead there, id_ed25519, accounts.json and secrets.json are their own. The containers belong to the lab above it
(names.home), which has a key for each host in the learner's place. On the hosts in common a learner has an account without
rights: client is asked through, and world answers what anybody there may ask.
"""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

from lab import names, state
from lab.engine import Engine
from lab.errors import LabError

ADMIT = """
getent passwd {user} >/dev/null || useradd --create-home --shell /bin/sh {user}
install -d -o {user} -g {user} -m 700 /home/{user}/.ssh
printf '%s\\n' {key} | cmp -s - /home/{user}/.ssh/authorized_keys || {{
    printf '%s\\n' {key} >/home/{user}/.ssh/authorized_keys
    chown {user} /home/{user}/.ssh/authorized_keys
}}
"""


def of(name: str) -> str:
    """The folder of a learner's place, in that of the lab."""
    return f"learners/{name}"


def account(name: str) -> str:
    """The learner's account on the hosts in common; no package has one of such a name."""
    return f"learner-{name}"


def whole_lab_only() -> None:
    """Raise LabError in a learner's place: hosts are made and removed for a class as a whole."""
    if names.home() != names.directory():
        raise LabError(
            f"{names.directory()} is one learner's place in a class; nothing was changed.",
            "Whoever teaches makes and removes hosts: python -m classroom --help",
        )


def own_host_only(host: state.Record) -> None:
    """Raise LabError in a learner's place for a host that is not theirs."""
    if names.home() != names.directory() and state.of(host, "") != names.directory():
        raise LabError(f"{host['name']} is not yours; nothing was changed.")


def may_publish(texts: dict[str, str]) -> None:
    """Raise LabError where a learner's place asks for a record of somebody else's domain."""
    if names.home() == names.directory():
        return
    own = [host["domain"] for host in state.described() if host.get("domain")]
    for name in texts:
        if not any(name == domain or name.endswith(f".{domain}") for domain in own):
            raise LabError(
                f"{name} is not yours; nothing was published.", f"Your domain is {' '.join(own) or 'not up'}."
            )


def make(host: state.Record) -> None:
    """The folder of a host that belongs to a learner, with its key and passwords; what is there stays."""
    if host.get("place"):
        folder = state.of(host, "")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / names.PLACE).touch()
        state.make_secrets(folder, host["domain"])


def drop(host: state.Record) -> None:
    """The place of a learner whose host has gone goes, too."""
    if host.get("place"):
        shutil.rmtree(state.of(host, ""), ignore_errors=True)


def furnish(engine: Engine, lab: dict[str, Any], keys: dict[str, str]) -> None:
    """Each place knows its own host and those in common, and may enter both. Nothing is written that is there already."""
    shared = [host for host in lab["hosts"].values() if host["role"] not in ("mail", names.HUB)]
    learners = [host for host in lab["hosts"].values() if host.get("place")]
    for host in learners:
        own = [host, *shared]
        stanzas = [state.ssh_stanza(one, account(host["name"]), host) for one in shared]
        files = {
            "known_hosts": state.known_hosts({one["ssh_port"]: keys[one["name"]] for one in own}),
            "ssh_config": "".join([state.ssh_stanza(host), *stanzas]),
            "lab.json": json.dumps(lab | {"hosts": {one["name"]: one for one in own}}, indent=2) + "\n",
        }
        for name, text in files.items():
            write(state.of(host, ""), name, text)
    if learners:
        script = "set -e\n" + "".join(admitted(host) for host in learners)
        for one in shared:
            engine.run("exec", "--interactive", f"{names.prefix()}-{one['name']}", "sh", stdin=script)


def write(folder: Path, name: str, text: str) -> None:
    file = folder / name
    if not file.exists() or file.read_text() != text:
        state.write(name, text, folder=folder)


def admitted(host: state.Record) -> str:
    key = state.of(host, "id_ed25519.pub").read_text().strip()
    return ADMIT.format(user=account(host["name"]), key=shlex.quote(key))
