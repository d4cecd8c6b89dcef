"""How a learner's host looks, so that two can be held side by side."""

import hashlib
import io
import json
import re
import subprocess
import tarfile
from pathlib import Path

from lab import state

# What is another on each host: names and addresses in a database, and keys with what is signed by them.
OWN = r"etc/(aliases\.db|hosts|machine-id|mailroom-lab/.*|postfix/certs/.*|ssh/ssh_host_.*|ssl/certs/[0-9a-f]{8}\.0|ssl/.*snakeoil.*)"
OWN += r"|root/\.ssh/authorized_keys"


def looks(room: Path, name: str) -> tuple[dict[str, tuple[str, str, str, str]], dict[str, bytes]]:
    """Each file of a host's settings with its rights and a sum, in which its own names and secrets count as everybody's; and as it is."""
    words = ["ssh", "-F", str(room / "ssh_config"), name, "cd / && tar c etc usr/local root 2>/dev/null"]
    host, place = state.record(name), room / "learners" / name
    own = {f"{name}.class.example": "DOMAIN", host["address"]: "IP", host["address6"]: "IP6"}
    for file in ("secrets.json", "accounts.json"):
        own |= {secret: key.partition("@")[0] for key, secret in json.loads((place / file).read_text()).items()}
    found: dict[str, tuple[str, str, str, str]] = {}
    raw: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(subprocess.run(words, capture_output=True, check=True).stdout)) as tar:
        for one in tar.getmembers():
            content = None if one.issym() else tar.extractfile(one)  # it would follow the link
            text = raw[one.name] = content.read() if content else one.linkname.encode()
            for word, shared in own.items():
                text = text.replace(word.encode(), shared.encode()) if word else text
            if not re.fullmatch(OWN, one.name):
                found[one.name] = (oct(one.mode), one.uname, one.gname, hashlib.sha256(text).hexdigest())
    return found, raw
