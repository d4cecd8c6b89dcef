"""The inventory's hosts and the chapters' steps, for the runbook; a part of pyinfra_process.

No secret is in it: of the host's data only the values named here, and "(secret)" in the texts.
"""

from pathlib import Path
from typing import Any

from pyinfra.api import State
from pyinfra.api.exceptions import InventoryError
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory

ROOT = Path(__file__).resolve().parents[3]
SSH = ("ssh_hostname", "ssh_port", "ssh_user", "ssh_key", "ssh_known_hosts_file")
DATA = ("mail_hostname", "mail_domains", "mail_home", "mail_owner", "accounts_file", "secrets_file", "tls_certificate")


def described(host: str = "") -> dict[str, Any]:
    """The named host's, or else the first one's, steps, beside all hosts' data."""
    with ctx_state.use(State()):
        inventory = make_inventory(str(ROOT / "inventory.py"), cwd=str(ROOT))
    every = {one.name: one.data.dict() for one in inventory}
    if not every:
        raise InventoryError("The inventory has no host.")
    if host and host not in every:
        raise InventoryError(f"The inventory has no host {host!r}; it has {', '.join(every)}.")
    name = host or next(iter(every))
    hosts = [{"name": one, **{key: data.get(key) for key in (*SSH, *DATA)}} for one, data in every.items()]
    return {"host": name, "hosts": hosts, "steps": steps(every[name], name)}


def steps(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The steps of all chapters, in their order, with this host's data in their texts."""
    from deploys import shown, told
    from deploys.data import DataError, mail_data

    try:
        today = shown.today(mail_data(data, name, secrets_too=False))
    except DataError as error:
        raise InventoryError(f"The inventory's data for {name} are wrong: {error}") from None
    return [
        {
            "chapter": chapter,
            "name": step.__name__,
            "title": step.title,
            "doc": step.__doc__ or "",
            "article": step.article,
            "today": today[f"{chapter}.{step.__name__}"],
            "needs": step.needs,
        }
        for chapter in told.CHAPTERS
        for step in told.steps(chapter)
    ]
