"""docs/knobs.md, made from the model."""

import json
from typing import Any

from pydantic.fields import FieldInfo

from deploys.kinds import about, rule

HEAD = """# The knobs

Made by `python -m deploys.knobs > docs/knobs.md` from `deploys/knobs.py`; a test holds the two equal.

Set a knob for a host or a group in the inventory, or for one run on the command line: `--data quarantine_days=14`,
`--data prune_accounts=yes`, and a list or a table as JSON: `--data 'mail_domains=["example.org"]'`.
Where True or False is asked for, yes, no, on, off, 1 and 0 are understood, and the text `None` where a knob may be None.
Whatever is not understood is refused before the first change, with the value, the rule and what to write instead.

pyinfra's own names (`ssh_user`, `_sudo`, …) pass. A key that is neither theirs nor a knob is refused, since it is most often
a knob with a letter wrong; keys of your own begin with `x_`.

**Passwords** in the accounts file are texts of 8 to 256 characters of ASCII, or ready-made hashes, `{SCHEME}hash`, the scheme in
any case: ARGON2ID or ARGON2I (one lane, `p=1`), BLF-CRYPT (cost 5 to 13), SHA512-CRYPT or SHA256-CRYPT (1,000 to 1,000,000
rounds), and CRYPT with one of those or yescrypt. Other schemes are weak, or not known to every Dovecot. A password does not
begin with braces, and a hash needs its scheme in front: otherwise the text of the hash would log in.
"""


def markdown(fields: dict[str, FieldInfo]) -> str:
    """The page: a table for each section."""
    page = HEAD
    for name, field in fields.items():
        if section := about(field)["section"]:
            page += f"\n## {section}\n\n| knob | has to be | default | |\n|---|---|---|---|\n"
        cells = [text.replace("|", "\\|") for text in (rule(field), field.description or "")]
        page += f"| `{name}` | {cells[0]} | `{_default(field.default)}` | {cells[1]} |\n"
    return page


def _default(value: Any) -> str:
    return repr(value) if isinstance(value, bool | float | int | type(None)) else json.dumps(value)
