"""The sentinel: whether a file holds a secret of a lab, in any of the forms in which one could slip out."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable
from pathlib import Path


def forms(lab: Path) -> set[str]:
    """Every secret of the lab as it stands in its files, in base64, as AUTH PLAIN carries it, and as HTML."""
    found = set()
    for name in ("accounts.json", "secrets.json"):
        for user, secret in json.loads((lab / name).read_text()).items():
            plain = base64.b64encode(f"\0{user}\0{secret}".encode()).decode()
            found |= {secret, plain, base64.b64encode(secret.encode()).decode(), html.escape(secret)}
    for fingerprints in lab.glob("fingerprint.key"):  # the first run makes it
        found.add(fingerprints.read_text().strip())
    key = (lab / "id_ed25519").read_text().splitlines()
    return found | {"$argon2id$v=19$m=", "PRIVATE KEY-----", *key[2:4]}


def leaks(files: Iterable[Path], lab: Path) -> list[str]:
    """ "file: which form" of each; the secret itself is not repeated. The article's own examples are no secret."""
    found = []
    for file in files:
        text = file.read_text(errors="replace").replace("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$…", "")
        found += [f"{file.name}: {form[:4]}…" for form in sorted(forms(lab)) if form in text]
    return found
