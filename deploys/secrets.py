"""Secrets live in two files of mode 0600 on the controller, or where the environment says; a key of ours is beside them."""

import json
import os
import re
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from operations import passwords
from operations.fingerprints import Key

ROLE_PASSWORD = re.compile(r"[A-Za-z0-9_.~-]{16,128}")  # three files hold it, and each quotes in its own way
DAEMONS = ("mailreader",)
KEY_FILE = "fingerprint.key"  # beside secrets_file
LARGEST = 10_000_000  # bytes; a file of 100,000 accounts has less
NO_KEY = Key("")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Secrets:
    """`accounts`: password (or {SCHEME}hash) by address; `services`: {"mailreader": …}. Never shown by repr()."""

    accounts: dict[str, str] = field(repr=False)
    services: dict[str, str] = field(repr=False)
    accounts_file: str = ""
    secrets_file: str = ""
    key: Key = NO_KEY


class SecretsError(ValueError):
    """`problems`: what is wrong with the files, a sentence each, with the remedy and without a secret."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def load(accounts_file: str, secrets_file: str) -> Secrets:
    """Read both files. MAILROOM_ACCOUNTS_FILE and MAILROOM_SECRETS_FILE in the environment win over the arguments."""
    names = [
        os.environ.get("MAILROOM_ACCOUNTS_FILE") or accounts_file,
        os.environ.get("MAILROOM_SECRETS_FILE") or secrets_file,
    ]
    found: list[dict[str, str]] = []
    problems: list[str] = []
    for name in dict.fromkeys(names):
        try:
            found.append(_read(name))
        except SecretsError as error:
            problems += error.problems
    if names[0] == names[1]:
        problems.append(f"accounts_file and secrets_file are both {names[0]}; give accounts and daemons a file each")
    if problems:
        raise SecretsError(*problems)
    accounts = {email.lower(): password for email, password in found[0].items()}
    key = fingerprint_key(Path(names[1]).with_name(KEY_FILE))
    return Secrets(accounts, found[1], names[0], names[1], key)


def fingerprint_key(path: Path) -> Key:
    """The key of the passwords' fingerprints, made where there is none: whole or not at all, also with two runs at a time."""
    which = f"the key of the passwords' fingerprints {path}"
    if not path.exists():
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32) + "\n")
            with suppress(FileExistsError):
                path.hardlink_to(new)
        except OSError as error:
            raise SecretsError(f"{which} cannot be made: {error.strerror}; fix its directory's permissions") from None
        finally:
            new.unlink(missing_ok=True)
    text = _bytes(path, which).decode(errors="replace").strip()
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise SecretsError(f"{which} is damaged; put it back from a backup, or remove it and a new one is made")
    return Key(text)


def _read(name: str) -> dict[str, str]:
    raw = _bytes(Path(name), f"the secrets file {name}")
    which = f"the secrets file {name}"
    if raw.startswith(BOM):
        raise SecretsError(f"{which} begins with a byte order mark; save it as UTF-8 without one")
    if not raw.strip():
        raise SecretsError(f'{which} is empty; it has to be one JSON object: {{"foo@example.org": "password"}}')
    twice: list[str] = []
    try:
        content = json.loads(raw.decode(), object_pairs_hook=lambda pairs: _object(pairs, twice))
    except UnicodeDecodeError as error:
        raise SecretsError(f"{which} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise SecretsError(f"{which} cannot be read as JSON: {error.msg}, line {error.lineno}; fix that line") from None
    except (ValueError, RecursionError):
        raise SecretsError(
            f"{which} cannot be read: a number in it is too large or its nesting too deep; fix it"
        ) from None
    if not isinstance(content, dict):
        raise SecretsError(f'{which} has to be one JSON object: {{"foo@example.org": "password"}}')
    problems = [
        f"{which}: the value of {_key(key)} is {_json_type(value)}; it has to be a text in quotes"
        for key, value in content.items()
        if not isinstance(value, str)
    ]
    problems += [f"{which}: {_key(key)} is in it twice; remove one" for key in dict.fromkeys(twice)]
    if problems:
        raise SecretsError(*problems)
    return content


def _bytes(path: Path, which: str) -> bytes:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            kind = "a directory" if stat.S_ISDIR(about.st_mode) else "not a regular file"
            raise SecretsError(f"{which} is {kind}; name a file with one JSON object")
        if (mode := stat.S_IMODE(about.st_mode)) & 0o077:
            raise SecretsError(f"{which} may be read by others (mode {mode:o}); run: chmod 600 {path}")
        if about.st_size > LARGEST:
            raise SecretsError(f"{which} has {about.st_size} bytes, more than {LARGEST}; is it the right one?")
        return path.read_bytes()
    except FileNotFoundError:
        hint = "; '~' is not expanded here, so write the whole path" if str(path).startswith("~") else ""
        raise SecretsError(f"there is no secrets file {path}; see docs/your-own-server.md{hint}") from None
    except OSError as error:
        raise SecretsError(f"{which} cannot be read: {error.strerror}; fix its path or its permissions") from None


def _object(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    lower: set[str] = set()
    for key, _ in pairs:
        if key.lower() in lower:
            twice.append(key.lower())
        lower.add(key.lower())
    return dict(pairs)


def _key(key: str) -> str:
    """An address or a daemon may be shown. Anything else may be a password: the operator may have swapped key and value."""
    known = key in DAEMONS or re.fullmatch(r"[\w.+-]{1,64}@[\w-]+(\.[\w-]+)+", key, re.ASCII)
    return repr(key) if known else "one entry"


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def account_problems(secrets: Secrets, emails: Iterable[str]) -> list[str]:
    """What is wrong with the passwords of these accounts."""
    problems = []
    for email in emails:
        secret = secrets.accounts.get(email)
        if secret is None:
            problems.append(f"{secrets.accounts_file} has no password for {email}; add one")
        elif not secret:
            problems.append(
                f"{secrets.accounts_file}: the password of {email} is empty, so anybody could log in; set one of at least 8 characters"
            )
        elif problem := passwords.problem(secret):
            problems.append(f"{secrets.accounts_file}: the password of {email} {problem}")
    return problems


def service_problems(secrets: Secrets) -> list[str]:
    """What is wrong with the passwords of daemons."""
    if ROLE_PASSWORD.fullmatch(secrets.services.get("mailreader", "")):
        return []
    near = get_close_matches("mailreader", secrets.services, 1) if "mailreader" not in secrets.services else []
    return [
        f"{secrets.secrets_file}: 'mailreader' needs a password of at least 16 letters, digits or _ . ~ -, and at most 128"
        + (" (one entry has nearly that name)" if near else "")
        + "; make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
    ]
