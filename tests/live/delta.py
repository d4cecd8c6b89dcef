"""Delta Chat's core on a lab host: a real mail program that is given an address and a password, and nothing else.

The authorities that it trusts are compiled into it, so it cannot be told of a lab's. But it keeps the keys of servers that it has
verified once, and goes on taking a certificate with such a key. `trusting` writes the server's key there; the name in the certificate
is verified all the same. https://github.com/chatmail/core/blob/main/src/net/tls/danger.rs
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import deltachat_rpc_server
from deltachat_rpc_client import Account, DeltaChat, Rpc

from lab import Host
from tests.live.support import packages
from tests.live.traffic import until

FOLDER = "/root/delta"
PROGRAM = Path(deltachat_rpc_server.__file__).with_name("deltachat-rpc-server")  # without a library of any system's
PATIENCE = 180  # seconds for all that one test does with it; it waits for ever itself


def ssh(host: Host, command: str) -> list[str]:
    return ["ssh", "-F", str(host.folder / "ssh_config"), host.name, command]


@contextmanager
def running(host: Host) -> Iterator[DeltaChat]:
    """The program on this host, spoken to over SSH; afterwards nothing of it is left."""
    packages(host, "sqlite3")
    host.run(f"rm -rf {FOLDER}; mkdir {FOLDER}")
    with PROGRAM.open("rb") as program:
        subprocess.run(ssh(host, f"cat >{FOLDER}/program; chmod 755 {FOLDER}/program"), stdin=program, check=True)
    words: Any = ssh(host, f"DC_ACCOUNTS_PATH={FOLDER}/accounts {FOLDER}/program 2>/dev/null")
    try:
        with Rpc(rpc_server_path=words) as rpc:
            late = threading.Timer(PATIENCE, rpc.process.kill)
            late.start()
            try:
                yield DeltaChat(rpc)
            finally:
                late.cancel()
    finally:
        host.run(f"rm -rf {FOLDER}")


def trusting(program: DeltaChat, host: Host, key: str, *names: str) -> Account:
    """An account without settings that trusts this key of these servers, by the SHA-256 of it in base64."""
    made = program.add_account()
    database = made.get_info()["database_dir"]
    rows = "".join(f"INSERT INTO tls_spki VALUES ('{name}', '{key}', unixepoch());" for name in names)
    host.run(f"sqlite3 -cmd '.timeout 5000' {database}", stdin=rows)
    return made


def downloaded(account: Account, message: Any) -> str:
    """The path of what came with a message: a large one is fetched once it is asked for."""
    account._rpc.download_full_message(account.id, message.id)
    return str(until(lambda: message.get_snapshot().get("file"), "the attachment has come"))
