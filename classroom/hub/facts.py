"""What is known of the hub of this class: its host, its address, and how much memory a learner has."""

import json
import re
from urllib.parse import urlsplit

from classroom.people import ClassError
from lab import Host, names, state

FACTS = "hub.json"
MEMORY = "1G"
NONE = "The class has no hub.", "Bring one up: python -m classroom hub up"


def there() -> Host:
    known = {one["name"]: one for one in state.described()}
    if names.HUB not in known:
        raise ClassError(*NONE)
    return Host(names.HUB, known[names.HUB])


def known() -> dict[str, str]:
    file = names.directory() / "hub" / FACTS
    return dict(json.loads(file.read_text())) if file.exists() else {}


def told() -> dict[str, str]:
    if not (found := known()):
        raise ClassError(*NONE)
    return found


def checked(address: str) -> str:
    """The address that learners are to type: https, a name or a number, a port if need be, and nothing behind it."""
    parts = urlsplit(address if "://" in address else f"https://{address}")
    try:
        good = parts.scheme == "https" and parts.hostname and parts.path in ("", "/") and not parts.query
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        good, port = False, ""
    if not good or parts.username:
        raise ClassError(
            f"{address!r} is no address of a hub; nothing was changed.",
            "Give https://NAME or https://NAME:PORT, as learners will type it.",
        )
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return f"https://{host}{port}"


def size(memory: str) -> str:
    """A size as systemd writes it: 800M, 1G."""
    if not re.fullmatch(r"[1-9]\d*[MG]", memory):
        raise ClassError(f"{memory!r} is no size; nothing was changed.", "Give megabytes or gigabytes: 800M, 1G.")
    return memory


def local() -> str:
    """Where the hub answers on this machine, and on no other."""
    return f"https://127.0.0.1:{there().record['ports'][str(names.HTTPS)]}"


def shown() -> str:
    """The address for the handout: the given one, or else that of this machine alone."""
    return told()["address"] or local()
