"""The double: a lab host of Debian 12 that stands in for a real server, in a lab of its own that `close` removes again.

It has the real one's domains, accounts, aliases, configuration and a sample of its mail. Its name, its certificate and its way
out are the lab's, so that nothing reaches anybody: docs/lab.md says how a lab is sealed off.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

from checks.engine import inventory
from lab import Host, host, inventory_data, life, names, places, state
from rehearsal.server import Refused, Taken

NAME, FOLDER = "mx1", ".lab-rehearsal"
INVENTORY = "inventories/rehearsed.py"
VALUES = "rehearsed.json"  # in the double's place: what its inventory says beside what any lab host's says
OURS = ("judge-one", "judge-two")  # accounts of the rehearsal's own, for the checks: nobody's password is known here
# What the lab says of its hosts stands, and with it all that reaches out: authority, relay, clocks, signatures.
LABS = (
    *("mail_hostname", "accounts_file", "secrets_file", "virus_signatures", "signature_", "time_sources"),
    *("tls_", "acme", "relayhost", "dane", "autoconfig", "mta_sts", "obey_"),
)


def made(real: Taken) -> Host:
    """The double, bare and reachable; from here on this process and what it starts have its lab and its inventory."""
    domain = real.knobs["mail_domains"][0]
    os.environ["MAILROOM_LAB_DIR"] = str(inventory.ROOT / FOLDER)
    close()
    wanted: life.Asked = {NAME: "bookworm", "client": None, names.WORLD: None}
    life.up(wanted, names.DEFAULT_SUITE, {NAME: "mail"}, domains={NAME: domain})
    place = names.home() / places.of(NAME)
    os.environ["MAILROOM_LAB_DIR"] = str(place)
    os.environ["MAILROOM_INVENTORY"] = str(inventory.ROOT / INVENTORY)
    write(place, values(real), accounts(real))
    return host(NAME)


def values(real: Taken) -> dict[str, Any]:
    """The real server's values but for those that are the lab's, with its accounts as its database has them."""
    kept = {key: value for key, value in real.knobs.items() if not key.startswith(LABS)}
    people = [{"email": f"{one}@{real.knobs['mail_domains'][0]}", "name": "Judge"} for one in OURS]
    people += [{"email": one["email"], "name": one["name"]} for one in real.users]
    # the judges get the postmaster's mail: the checks ask for it
    aliases = {
        alias: to
        for alias, to in real.aliases.items()
        if alias.partition("@")[0] not in ("postmaster", "abuse", "root")
    }
    return kept | {"mail_users": people, "mail_aliases": aliases, "mail_postmaster": None}


def accounts(real: Taken) -> dict[str, str]:
    """accounts.json of the double: passwords for the judges, hashes for everybody else."""
    ours = {f"{one}@{real.knobs['mail_domains'][0]}": secrets.token_hex(12) for one in OURS}
    return ours | {one["email"]: one["password"] for one in real.users}


def judge(real: Taken) -> tuple[str, str]:
    """The first of the rehearsal's own accounts on the double, and its password."""
    address = f"{OURS[0]}@{real.knobs['mail_domains'][0]}"
    return address, json.loads(state.path("accounts.json").read_text())[address]


def write(place: Path, given: dict[str, Any], passwords: dict[str, str]) -> None:
    state.write(VALUES, state.as_json(given), mode=0o600, folder=place)
    state.write("accounts.json", state.as_json(passwords), mode=0o600, folder=place)


def data() -> dict[str, Any]:
    """The double's data for an inventory. Raises LabDown where there is no double."""
    return inventory_data(state.record(NAME)) | json.loads(state.path(VALUES).read_text())


def brought(real: Taken, command: str, into: str, then: str = "true") -> None:
    """What a command on the real server writes as a tar, unpacked on the double; it passes through, and touches no disk here."""
    there = ["ssh", *_config(real.target.ssh_config), real.target.ssh_host, command]
    here = ["ssh", "-F", str(state.path("ssh_config")), NAME, f"umask 077; tar -C {into} -x --no-same-owner && {then}"]
    with subprocess.Popen(there, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as source:
        done = subprocess.run(here, stdin=source.stdout, capture_output=True, text=True)
        said = source.stderr.read().decode() if source.stderr else ""
    if done.returncode:
        raise Refused(f"what {real.name} has could not be brought to the double: {said.strip() or done.stderr.strip()}")


def _config(path: Path | None) -> list[str]:
    return ["-F", str(path)] if path else []


def furnish(real: Taken, letters: int) -> None:
    """The real server's configuration and a sample of its mail, on a double that has been built by the same deploy."""
    brought(real, real.configuration(), "/")
    home, owner = real.target.mail_home, real.target.mail_owner
    brought(real, real.sample(letters), home, f"chown -R {owner}:{owner} {home}")


def close() -> None:
    """Remove the double and its lab, with all that was brought."""
    os.environ["MAILROOM_LAB_DIR"] = str(inventory.ROOT / FOLDER)
    life.purge()
