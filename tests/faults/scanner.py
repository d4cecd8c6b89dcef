"""A TLS scanner that is not ours: sslyze, in a virtual environment of its own, as it asks for another cryptography than we."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from checks.clients.tls import STARTTLS, _ask_for_tls
from checks.engine.target import Target
from lab import image, names
from tests.checks.servers import Server

LOCK = Path(__file__).with_name("scanner.lock")
PROTOCOL = {25: "smtp", 587: "smtp", 143: "imap"}  # as sslyze calls what it can do STARTTLS with
# What it asks beside the suites, and the answer that lets somebody in.
HOLES = {
    "tls_compression": "supports_compression",
    "openssl_ccs_injection": "is_vulnerable_to_ccs_injection",
    "heartbleed": "is_vulnerable_to_heartbleed",
    "session_renegotiation": "is_vulnerable_to_client_renegotiation_dos",
}
BROKEN = re.compile(r"_anon_|_NULL_|EXPORT|RC4|3DES|_DES_|MD5|SSL_CK")
BEST = re.compile(r"^TLS_(ECDHE_(RSA|ECDSA)_WITH_)?(AES_\d+_GCM|CHACHA20_POLY1305)_")


def program() -> Path:
    """The scanner, installed once into the lab's cache: its packages stand with their hashes in scanner.lock."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:10]
    folder = names.cache() / f"scanner-{digest}"
    with image.one_at_a_time(folder.name):
        if not (folder / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True, timeout=600)
            (folder / "installed").touch()
    return folder / "bin/sslyze"


def scanned(target: Target, port: int) -> dict[str, Any]:
    """What the scanner found on a port, by its own names."""
    host, local = target.vantage.endpoint(target.address, port)
    if port in STARTTLS and port not in PROTOCOL:
        with bridge(target, port) as server:
            return _scan(f"127.0.0.1:{server.port}")
    return _scan(f"{host}:{local}", *(("--starttls", PROTOCOL[port]) if port in PROTOCOL else ()))


def _scan(where: str, *options: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "found.json")
        words = [str(program()), *options, "--json_out", str(found), where]
        said = subprocess.run(words, capture_output=True, text=True, timeout=300)
        assert found.exists(), said.stdout[-2000:] + said.stderr[-2000:]
        (result,) = json.loads(found.read_text())["server_scan_results"]
    assert result["connectivity_status"] == "COMPLETED", result
    asked = {name: part for name, part in result["scan_result"].items() if part["status"] != "NOT_SCHEDULED"}
    # our certificate is signed by itself: trust is what `checks` asks about
    unfinished = [name for name, part in asked.items() if part["status"] != "COMPLETED" and name != "certificate_info"]
    assert not unfinished, {name: asked[name] for name in unfinished}
    return {name: part["result"] for name, part in asked.items()}


def bridge(target: Target, port: int) -> Server:
    """A port for TLS from the first byte, that asks for it at the other end: no scanner speaks ManageSieve."""
    import socket
    import threading

    def pump(source: socket.socket, sink: socket.socket) -> None:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket) -> None:
        with socket.create_connection(target.vantage.endpoint(target.address, port), timeout=20) as there:
            _ask_for_tls(there, port, target.helo)
            back = threading.Thread(target=_quietly(pump), args=(there, client), daemon=True)
            back.start()
            _quietly(pump)(client, there)
            back.join(20)

    return Server(serve)


def _quietly(function: Any) -> Any:
    def run(*args: Any) -> None:
        from contextlib import suppress

        with suppress(OSError):
            function(*args)

    return run


def judged(found: dict[str, Any], strict: bool) -> tuple[int, list[str]]:
    """How many weak things were tried, and those that the server agreed to. Without `strict` (port 25) a suite is weak
    only when it is broken; with it, when it lacks forward secrecy, or signs apart from encrypting."""
    tried, taken, good = 0, [], 0
    for name, part in found.items():
        if not name.endswith("_cipher_suites"):
            continue
        modern = name.startswith(("tls_1_2", "tls_1_3"))
        for verdict in ("accepted", "rejected"):
            for each in part[f"{verdict}_cipher_suites"]:
                suite = each["cipher_suite"]["name"]
                weak = not modern or bool(BROKEN.search(suite)) or (strict and not BEST.match(suite))
                tried += weak
                good += verdict == "accepted" and not weak
                if weak and verdict == "accepted":
                    taken.append(f"{part['tls_version_used']} {suite}")
    assert good >= 3, f"a server that agrees to {good} good suites proves nothing by refusing weak ones"
    for question, answer in HOLES.items():
        tried += 1
        taken += [question] if found[question][answer] else []
    tried += 1
    if not found["robot"]["robot_result"].startswith("NOT_VULNERABLE"):
        taken.append("robot")
    return tried, taken
