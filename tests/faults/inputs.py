"""What became of an input: refused in sentences, accepted and right, or neither."""

from __future__ import annotations

import json
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from deploys.data import DataError, MailData, mail_data
from deploys.knobs import Knobs
from deploys.platforms import PLATFORMS
from deploys.texts import values
from deploys.told import told
from facts.mail_host import MailHost

Count = Callable[..., None]
REMEDY = re.compile(
    r"\b(use|write|set|give|name|add|remove|rename|choose|take|put|make|fix|copy|run|lower|raise|leave|save|shorten|let|has to|"
    r"have a|needs|did you mean|like|begins with|end at)\b",
    re.IGNORECASE,
)
ADDRESSES = {"mail_postmaster", "acme_email"}
ASCII_NAME = re.compile(r"(?=.{4,243}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]*[a-z-][a-z0-9-]*")


class Tally:
    """What became of the inputs: refused in sentences, built and right, or neither, with the first of these."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.neither: list[str] = []

    def look(self, given: Any, do: Callable[[], list[str]], right: Callable[[], list[str]]) -> None:
        self.seen["tried"] += 1
        try:
            problems = do()
            wrong = [unclear for problem in problems if (unclear := unclear_in(problem))] if problems else right()
        except Exception as error:  # a traceback is what this suite looks for
            problems, wrong = [], [f"{type(error).__name__}: {str(error)[:300]}"]
        if wrong:
            self.neither.append(f"{repr_of(given)[:300]!a} → {wrong[0]}")
        else:
            self.seen["refused" if problems else "worked"] += 1

    def count(self, count: Count, name: str, suite: str = "") -> None:
        count(
            "inputs",
            name,
            suite,
            tried=self.seen["tried"],
            refused_clearly=self.seen["refused"],
            worked=self.seen["worked"],
            neither=len(self.neither),
        )
        assert not self.neither, "\n".join(self.neither[:5])
        assert self.seen["refused"] and self.seen["worked"], str(self.seen)


def unclear_in(problem: str) -> str:
    """Why a sentence of a refusal is none of ours; "" when it is one."""
    if not 20 <= len(problem) <= 700 or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in problem):
        return f"no sentence: {problem[:200]!a}"
    if re.search(r"Input should|pydantic|Traceback|<object", problem):
        return f"not in our words: {problem}"
    named = any(name in problem for name in Knobs.model_fields) or re.search(r"\.json|there is no knob", problem)
    return "" if named and REMEDY.search(problem) else f"no name or no remedy: {problem}"


def wrong_in(known: MailData) -> list[str]:
    """What is not right about data that was accepted, asked in another way than the model asks it."""
    wrong = []
    local = {known.hostname, "localhost", f"localhost.{known.domains[0]}"}
    if not ASCII_NAME.fullmatch(known.hostname) or len(known.hostname) > 64:
        wrong.append(f"hostname {known.hostname!a}")
    wrong += [f"domain {domain!a}" for domain in known.domains if not ASCII_NAME.fullmatch(domain) or domain in local]
    if len(set(known.domains)) != len(known.domains):
        wrong.append("a domain twice")
    for email, user in known.users.items():
        folder = posixpath.normpath(f"{known.mail_home}/{user['maildir']}")
        if not folder.startswith(known.mail_home + "/") or email != email.lower() or email.count("@") != 1:
            wrong.append(f"user {email!a}")
    for alias, targets in known.aliases.items():
        ours = [target for target in targets if target.rpartition("@")[2] in known.domains]
        if not targets or alias in known.users or any(t not in known.users and t not in known.aliases for t in ours):
            wrong.append(f"alias {alias!a}")
    one_line = {key: value for key, value in known.values.items() if isinstance(value, str)}
    addresses = {key: one_line.pop(key) for key in ADDRESSES & one_line.keys()}
    wrong += [f"{key} {value!a}" for key, value in addresses.items() if not deliverable(value)]
    login = one_line.pop("relayhost_user", "x")  # a provider's, and so with whatever one may type before a colon
    wrong += [f"relayhost_user {login!a}"] if ":" in login or breaks(login) or login != login.strip() else []
    wrong += [f"{key} {value!a}" for key, value in one_line.items() if re.search(r"[\s\0'\"@$%]", value)]
    if known.mail_home.startswith(("/etc", "/usr", "/dev", "/proc", "/tmp", "//")):
        wrong.append(f"mail_home {known.mail_home}")
    if not (
        100 <= known.mail_uid < 60000 and 1 <= known.spam_score <= 100 and 65536 <= known.message_size_limit < 2**29
    ):
        wrong.append("a number out of its range")
    switches = {name for name, field in Knobs.model_fields.items() if field.annotation is bool}
    return wrong + [f"{name} is no bool" for name in switches if type(getattr(known, name)) is not bool]


def breaks(text: str) -> bool:
    """Whether it has signs that end a line, or that cannot be written."""
    return any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text)


def deliverable(address: str) -> bool:
    """Whether Postfix hands mail on to it: dot-atoms before the @, no hyphen in front (allow_min_user = no), and a name behind it."""
    local, _, domain = address.rpartition("@")
    return re.fullmatch(r"(?!-|.*\.\.)[!#-'*+./0-9=?A-Z^-~-]{1,64}", local) is not None and bool(
        ASCII_NAME.fullmatch(domain.lower())
    )


def fill(files: dict[str, str], values: dict[str, Any]) -> None:
    """A password for each address of these values that could be one."""
    found = [
        *re.findall(r"[\w.+-]+@[\w.-]+", repr_of(values.get("mail_users"))),
        "foo@example.test",
        "bar@example.test",
    ]
    Path(files["accounts_file"]).write_text(json.dumps({email.lower(): "a good password" for email in found}))


def repr_of(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"({type(value).__name__} without a form)"


def sized(long: bool, few: int, many: int) -> settings:
    return settings(
        max_examples=many if long else few,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def ask(files: dict[str, str], values: dict[str, Any], tally: Tally) -> None:
    found: list[MailData] = []

    def do() -> list[str]:
        try:
            found.append(mail_data({**values, **files}, "mx1.example.test"))
        except DataError as error:
            return error.problems or ["refused without a word"]
        return []

    fill(files, values)
    tally.look(values, do, lambda: wrong_in(found[0]) + unfillable(found[0]))


def unfillable(known: MailData) -> list[str]:
    """A value that does not fit into the texts of the chapters, as it would be a line too many; a step that fails with it."""
    told(known, PLATFORMS["debian", "13"], MailHost())
    names = values(known, PLATFORMS["debian", "13"], MailHost())
    return [f"{name}: a line too many" for name, value in names.items() if name != "judge_pair" and "\n" in str(value)]
