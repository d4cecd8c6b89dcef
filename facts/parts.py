"""Lines of `read_host.sh`'s output, taken apart."""

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any


def pairs(lines: list[str]) -> dict[str, str]:
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}


def two(line: str) -> tuple[str, str]:
    first, _, second = line.partition(" ")
    return first, second


def timestamp(text: str) -> float:
    """Seconds since 1970 of systemd's "Sun 2026-11-22 08:45:00.196210 UTC", 0.0 of an empty text."""
    if not text:
        return 0.0
    _, day, time, _ = text.split()
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC).timestamp()


def label_type(context: str) -> str:
    """mail_spool_t of system_u:object_r:mail_spool_t:s0."""
    return [*context.split(":"), "", "", ""][2]


def rule(line: str) -> tuple[str, str]:
    """Pattern and type of a line of file_contexts.local: "/home/mail(/.*)?    system_u:object_r:mail_spool_t:s0"."""
    words = line.split()
    return words[0], label_type(words[-1])


def answers(lines: list[str]) -> dict[str, Any]:
    """The database's answers; {} while the server is stopped or not installed."""
    found: dict[str, Any] = {"tables": {}, "users": {}, "transports": {}, "aliases": {}}
    printed = gzip.decompress(base64.b64decode("".join(lines))).decode().splitlines()
    if not printed:
        return {}
    for answer in map(json.loads, printed):
        if "table" in answer:
            found["tables"][answer["table"]] = answer
        elif "row" in answer:
            key = answer.get("email" if answer["row"] == "users" else "domain") or answer["alias"]
            found[answer["row"]][key] = answer
        else:
            found.update(answer)
    return found
