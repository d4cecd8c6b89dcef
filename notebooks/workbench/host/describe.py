"""The inventory's hosts and the chapters' steps, for the runbook; a part of pyinfra_process.

No secret is in it: "(secret)" stands in the texts.
"""

from typing import Any

from pyinfra.api.exceptions import InventoryError

from inventories import hosts as inventory


def described(host: str = "") -> dict[str, Any]:
    """The named host's, or else the first one's, steps, beside all hosts' data."""
    every = inventory.hosts()
    if host and host not in every:
        raise InventoryError(f"The inventory has no host {host!r}; it has {', '.join(every)}.")
    name = host or next(iter(every))
    hosts = {one: inventory.told(data) for one, data in every.items()}
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
