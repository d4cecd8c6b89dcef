"""Secrets live in two files of mode 0600 on the controller, or where the environment says; a key of ours is beside them."""

import json
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from deploys.kinds import Problems, twice
from operations import passwords
from operations.fingerprints import Key

ROLE_PASSWORD = re.compile(r"[A-Za-z0-9_.~-]{16,128}")  # three files hold it, and each quotes in its own way
DAEMONS = ("mailreader", "relayhost", "acme_dns")
KEY_FILE = "fingerprint.key"  # beside secrets_file
LONGEST_OF_RELAY = 512  # characters; API keys, which some providers take for passwords, have up to 200
LARGEST = 10_000_000  # bytes; a file of 100,000 accounts has less
NO_KEY = Key("")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Secrets:
    """`accounts`: password (or {SCHEME}hash) by address; `services`: {"mailreader": …, "relayhost": …}. Never shown by repr()."""

    accounts: dict[str, str] = field(repr=False)
    services: dict[str, str] = field(repr=False)
    accounts_file: str = ""
    secrets_file: str = ""
    key: Key = NO_KEY


class SecretsError(Problems):
    """`problems`: what is wrong with the files, a sentence each, with the remedy and without a secret."""


def load(accounts_file: str, secrets_file: str) -> Secrets:
    """Read both files. MAILROOM_ACCOUNTS_FILE and MAILROOM_SECRETS_FILE in the environment win over the arguments."""
    names = [
        os.environ.get("MAILROOM_ACCOUNTS_FILE") or accounts_file,
        os.environ.get("MAILROOM_SECRETS_FILE") or secrets_file,
    ]
    found, problems = [], []
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
    which = f"the secrets file {name}"
    raw = _bytes(Path(name), which)
    if raw.startswith(BOM):
        raise SecretsError(f"{which} begins with a byte order mark; save it as UTF-8 without one")
    if not raw.strip():
        raise SecretsError(f'{which} is empty; it has to be one JSON object: {{"foo@example.org": "password"}}')
    repeated: list[str] = []
    try:
        content = json.loads(raw.decode(), object_pairs_hook=lambda pairs: _object(pairs, repeated))
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
    problems += [f"{which}: {_key(key)} is in it twice; remove one" for key in dict.fromkeys(repeated)]
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


def _object(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    repeated += twice([key.lower() for key, _ in pairs])
    return dict(pairs)


def _key(key: str) -> str:
    """An address or a daemon may be shown. Anything else may be a password: the operator may have swapped key and value."""
    known = key in DAEMONS or re.fullmatch(r"[\w.+-]{1,64}@[\w-]+(\.[\w-]+)+", key, re.ASCII)
    return repr(key) if known else "one entry"


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def problems(secrets: Secrets, emails: Iterable[str], relay: bool = False) -> Iterator[str]:
    """What is wrong with the passwords of these accounts, and of the daemons; with `relay` we log in at one."""
    file = secrets.accounts_file
    for email in emails:
        secret = secrets.accounts.get(email)
        if secret is None:
            yield f"{file} has no password for {email}; add one"
        elif not secret:
            yield f"{file}: the password of {email} is empty, so anybody could log in; set one of at least 8 characters"
        elif problem := passwords.problem(secret):
            yield f"{file}: the password of {email} {problem}"
    if not ROLE_PASSWORD.fullmatch(secrets.services.get("mailreader", "")):
        near = get_close_matches("mailreader", secrets.services, 1) if "mailreader" not in secrets.services else []
        yield (
            f"{secrets.secrets_file}: 'mailreader' needs a password of at least 16 letters, digits or _ . ~ -, and at most 128"
            + (" (one entry has nearly that name)" if near else "")
            + "; make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    if relay:
        yield from _relay(secrets)


def _relay(secrets: Secrets) -> Iterator[str]:
    """A line of Postfix's table, whose end is trimmed (https://www.postfix.org/DATABASE_README.html, texthash)."""
    password = secrets.services.get("relayhost")
    why = "relayhost_user is set, and"
    if password is None:
        yield f"{secrets.secrets_file}: {why} 'relayhost' has no password; add your provider's, or set relayhost_user = None"
    elif not password:
        yield f"{secrets.secrets_file}: {why} the password of 'relayhost' is empty; write the one that your provider gave you"
    elif len(password) > LONGEST_OF_RELAY or password != password.rstrip() or not password.isprintable():
        yield (
            f"{secrets.secrets_file}: the password of 'relayhost' has to be one line of at most {LONGEST_OF_RELAY} characters, without "
            "control characters and without a blank at its end; copy it again, or ask your provider for another one"
        )
