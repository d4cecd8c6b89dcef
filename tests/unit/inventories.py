"""What the inventory says, good or bad, and what becomes of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploys.data import DataError, MailData, mail_data

GOOD = {"foo@example.test": "a good password", "bar@example.test": "another one"}
SERVICES = {"mailreader": "0123456789abcdef"}


def put(path: Path, content: Any, mode: int = 0o600) -> str:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return str(path)


def problems(values: dict[str, Any], **changed: Any) -> list[str]:
    with pytest.raises(DataError) as caught:
        mail_data({**values, **changed}, "mx1.example.test")
    return caught.value.problems


def good(values: dict[str, Any], **changed: Any) -> MailData:
    return mail_data({**values, **changed}, "mx1.example.test")
