"""Secrets live in two files of mode 0600 on the controller, or where the environment says."""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Secrets:
    """`accounts`: password (or {SCHEME}hash) by address; `services`: {"mailreader": …}. Never shown by repr()."""

    accounts: dict[str, str] = field(repr=False)
    services: dict[str, str] = field(repr=False)


class SecretsError(ValueError):
    """A file is missing, readable for others, or not a JSON object of strings; the message says which and the remedy."""


def load(accounts_file: str, secrets_file: str) -> Secrets:
    """Read both files. MAILROOM_ACCOUNTS_FILE and MAILROOM_SECRETS_FILE in the environment win over the arguments."""
    accounts = _read(os.environ.get("MAILROOM_ACCOUNTS_FILE", accounts_file))
    services = _read(os.environ.get("MAILROOM_SECRETS_FILE", secrets_file))
    return Secrets({email.lower(): password for email, password in accounts.items()}, services)


def _read(name: str) -> dict[str, str]:
    path = Path(name)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise SecretsError(f"there is no secrets file {name}; see README, 'A server of your own'") from None
    except (OSError, json.JSONDecodeError) as error:
        raise SecretsError(f"the secrets file {name} cannot be read: {error}") from None
    if mode & 0o077:
        raise SecretsError(f"the secrets file {name} may be read by others (mode {mode:o}); run: chmod 600 {name}")
    if not isinstance(content, dict):
        raise SecretsError(f'the secrets file {name} has to be one JSON object: {{"foo@example.org": "password"}}')
    return content
