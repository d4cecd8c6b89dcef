"""Print, as JSON, the inventory's hosts and the chapters' steps: `python -m notebooks.workbench.host.describe [HOST]`.

A program of its own, because pyinfra patches the standard library when its inventory is loaded, and a Jupyter kernel
does not survive that. It prints no secret: of the host's data only the values named here, and "(secret)" in the texts.
"""

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from pyinfra.api import State
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory

ROOT = Path(__file__).resolve().parents[3]
SSH = ("ssh_hostname", "ssh_port", "ssh_user", "ssh_key", "ssh_known_hosts_file")
DATA = ("mail_hostname", "mail_domains", "mail_home", "mail_owner", "accounts_file", "secrets_file", "tls_certificate")


def main() -> None:
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    # what an inventory prints must not spoil the JSON
    with redirect_stdout(io.StringIO()), ctx_state.use(State()):
        try:
            inventory = make_inventory(str(ROOT / "inventory.py"), cwd=str(ROOT))
        except PyinfraError as error:
            sys.exit(str(error))
    every = {host.name: host.data.dict() for host in inventory}
    if not every:
        sys.exit("The inventory has no host.")
    if asked and asked not in every:
        sys.exit(f"The inventory has no host {asked!r}; it has {', '.join(every)}.")
    name = asked or next(iter(every))
    hosts = [{"name": host, **{key: data.get(key) for key in (*SSH, *DATA)}} for host, data in every.items()]
    print(json.dumps({"host": name, "hosts": hosts, "steps": steps(every[name], name)}))


def steps(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The steps of all chapters, in their order, with this host's data in their texts."""
    from deploys import shown, told
    from deploys.data import DataError, mail_data

    try:
        today = shown.today(mail_data(data, name, secrets_too=False))
    except DataError as error:
        sys.exit(f"The inventory's data for {name} are wrong: {error}")
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


if __name__ == "__main__":
    main()
