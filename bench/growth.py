"""What accounts add to a run that changes nothing: the same host with 2, 1,000 and 10,000 of them.

The rows are put straight into the database, as a run would have left them; their hashes have the right form and were made of
nothing, since a run with the right fingerprints verifies no hash.
"""

import json
import os
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deploys.knobs import defaults
from deploys.secrets import KEY_FILE, fingerprint_key
from lab import Host, names
from lab import host as lab_host
from lab.state import path
from operations import fingerprints, passwords
from operations.postgresql import quoted

INVENTORY = """import json
from deploys.knobs import defaults
from inventories.lab import mail as _hosts
_users = defaults()["mail_users"] + json.load(open({users!r}))
mail = [(name, {{**data, "mail_users": _users}}) for name, data in _hosts]
"""
HOMES = f"{defaults()['mail_home']}/.home/{names.DOMAIN}/bench*"  # chapter 5 makes them
OURS = f"bench%@{names.DOMAIN}"


def _hash() -> str:
    salt, digest = (b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (16, 32))
    return f"{{ARGON2ID}}$argon2id$v=19$m={passwords.MEMORY},t={passwords.PASSES},p=1${salt}${digest}"


class Accounts:
    """Inventories with so many accounts, and a host that has their rows: `prepare` a number, and `seat` it before a run."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host, self.folder = host, folder
        self.key = fingerprint_key(path(KEY_FILE))
        self.rows: dict[int, str] = {}

    def prepare(self, number: int) -> dict[str, str]:
        """The environment of a run with so many accounts in all."""
        known = json.loads(path("accounts.json").read_text())
        new = {f"bench{one}@{names.DOMAIN}": secrets.token_urlsafe(12) for one in range(number - len(known))}
        place = self.folder / str(number)
        place.mkdir()
        (place / "users.json").write_text(json.dumps(list(new)))
        (place / "inventory.py").write_text(INVENTORY.format(users=str(place / "users.json")))
        (place / "accounts.json").touch(mode=0o600)
        (place / "accounts.json").write_text(json.dumps(known | new))
        self.rows[number] = "".join(self._row(email, declared) for email, declared in new.items())
        files = {"MAILROOM_INVENTORY": "inventory.py", "MAILROOM_ACCOUNTS_FILE": "accounts.json"}
        return {**os.environ, **{name: str(place / file) for name, file in files.items()}}

    def _row(self, email: str, declared: str) -> str:
        made, (local, _, domain) = _hash(), email.rpartition("@")
        row = ", ".join(map(quoted, (email, made, "", f"{domain}/{local}/")))
        fingerprint = ", ".join(map(quoted, (email, made, self.key.id, self.key.fingerprint(email, made, declared))))
        return (
            f"INSERT INTO users (email, password, realname, maildir) VALUES ({row});\n"
            f"INSERT INTO {fingerprints.TABLE} (email, hash, key, fingerprint) VALUES ({fingerprint});\n"
        )

    def seat(self, number: int) -> None:
        """The host has the rows of so many accounts, and no others of ours."""
        homes = f"rm -rf {HOMES}; " if not number else ""
        text = f"DELETE FROM users WHERE email LIKE '{OURS}';\n" + self.rows.get(number, "")
        self.host.run(f"{homes}cd / && runuser -u postgres -- psql -qX1 -v ON_ERROR_STOP=1 -d mail", stdin=text)


@contextmanager
def accounts(host: str) -> Iterator[Accounts]:
    """Accounts on this host, gone again at the end."""
    with TemporaryDirectory(prefix="mailroom-bench-") as folder:
        made = Accounts(lab_host(host), Path(folder))
        try:
            yield made
        finally:
            made.seat(0)
