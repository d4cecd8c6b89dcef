"""The inventory's hosts and the chapters' steps, for the runbook; a part of pyinfra_process.

No secret is in it: the texts have "(secret)" in its place.
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
        found = shown.shown(mail_data(data, name, secrets_too=False))
    except DataError as error:
        raise InventoryError(f"The inventory's data for {name} are wrong: {error}") from None
    return [
        {
            "chapter": chapter,
            "name": step.__name__,
            "title": step.title,
            "doc": step.__doc__ or "",
            "article": step.article,
            "position": position,
            **found[f"{chapter}.{step.__name__}"]._asdict(),
        }
        for chapter in told.CHAPTERS
        for position, step in enumerate(told.steps(chapter), 1)
    ]
