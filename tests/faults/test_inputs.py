"""Bad input: an inventory is refused with value, rule and remedy, or its accounts truly work. Nothing in between.

The generators are seeded by the tests' names (derandomize): the same cases in every run.
"""

from __future__ import annotations

import json
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.engine.target import Target
from deploys.chapters import amavis_texts, dovecot_texts, postfix_texts, postgresql_texts, sieve_texts
from deploys.data import DataError, MailData, mail_data
from deploys.knobs import Knobs
from lab import Host
from operations import passwords
from tests.faults import accounts, odd_values
from tests.live.support import MAILSERVER, applied

Count = Callable[..., None]
REMEDY = re.compile(
    r"\b(use|write|set|give|name|add|remove|rename|choose|take|put|make|mend|run|lower|raise|leave|save|shorten|let|has to|have a|needs|"
    r"did you mean|like|begins with|end at)\b",
    re.IGNORECASE,
)
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
        assert self.neither == []
        assert self.seen["refused"] and self.seen["worked"], self.seen


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
    wrong += [f"{key} {value!a}" for key, value in one_line.items() if re.search(r"[\s\0'\"@$%]", value)]
    if known.mail_home.startswith(("/etc", "/usr", "/dev", "/proc", "/tmp", "//")):
        wrong.append(f"mail_home {known.mail_home}")
    if not (
        100 <= known.mail_uid < 60000 and 1 <= known.spam_score <= 100 and 65536 <= known.message_size_limit < 2**29
    ):
        wrong.append("a number out of its range")
    switches = {name for name, field in Knobs.model_fields.items() if field.annotation is bool}
    return wrong + [f"{name} is no bool" for name in switches if type(getattr(known, name)) is not bool]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Secrets files with a password for each address that there is; both private."""

    for name, content in (("accounts.json", {}), ("secrets.json", {"mailreader": "0123456789abcdef"})):
        (tmp_path / name).write_text(json.dumps(content))
        (tmp_path / name).chmod(0o600)
    return {"accounts_file": str(tmp_path / "accounts.json"), "secrets_file": str(tmp_path / "secrets.json")}


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
    """Texts of the chapters that these values do not fit into: a name without a value, a line too many."""
    from deploys.step import Text

    values = {**known.values, "mail_hostname": known.hostname, "mail_domain": known.domains[0]}
    wrong = []
    for module in (amavis_texts, dovecot_texts, postfix_texts, postgresql_texts, sieve_texts):
        texts = [
            text for value in vars(module).values() for text in (value.values() if isinstance(value, dict) else [value])
        ]
        for text in [text for text in texts if isinstance(text, str)]:
            if Text(text).safe_substitute(values).count("\n") != text.count("\n"):
                wrong.append(f"{module.__name__}: a line too many")
    return wrong


@pytest.mark.parametrize("what", ["inventories", "one_knob"])
def test_an_inventory_is_refused_or_right(what: str, long: bool, count: Count, files: dict[str, str]) -> None:
    tally = Tally()

    @sized(long, 400, 3000)
    @given(getattr(odd_values, what))
    def look(values: dict[str, Any]) -> None:
        ask(files, values, tally)

    look()
    tally.count(count, {"inventories": "whole inventories", "one_knob": "single knobs"}[what])


def test_the_command_line_is_understood_or_refused(long: bool, count: Count, files: dict[str, str]) -> None:
    """`--data KNOB=text`, taken apart by pyinfra."""
    tally = Tally()
    texts = st.one_of(
        odd_values.words, st.text(max_size=12), st.sampled_from(["NaN", "Infinity", "-1", "1_0", "1e999", "9" * 5000])
    )
    whole = st.one_of(texts, odd_values.people.map(as_json), odd_values.aliases.map(as_json))

    @sized(long, 400, 3000)
    @given(st.sampled_from([name for name in Knobs.model_fields if not name.endswith("_file")]), whole)
    def look(knob: str, text: str) -> None:
        ask(files, {knob: handed_over(text)}, tally)
        if knob == "prune_accounts" and text.strip().lower() not in ("yes", "on", "true"):
            with pytest.raises(DataError, match="prune_accounts"):
                assert not mail_data({knob: handed_over(text), **files}, "mx1.example.test").prune_accounts or is_one(
                    text
                )
                raise DataError(["prune_accounts stays off"])

    look()
    tally.count(count, "the command line")


def handed_over(text: str) -> Any:
    """As pyinfra_cli.util.parse_cli_arg does; that package itself would patch this process."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for read in (int, json.loads):
        with suppress(ValueError):
            return read(text)
    return text


def is_one(text: str) -> bool:
    return handed_over(text) == 1


def as_json(value: Any) -> str:
    try:
        return json.dumps(value, default=repr_of, skipkeys=True)
    except ValueError:  # a number that Python does not print
        return "[" + "9" * 5000 + "]"


def test_a_secrets_file_is_refused_or_read(long: bool, count: Count, files: dict[str, str]) -> None:
    tally = Tally()
    secret = "Xq7-Sentinel-9z"
    json_values = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.just(secret), st.text(max_size=10)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
        max_leaves=6,
    )
    keys = st.sampled_from(["foo@example.test", "FOO@example.test", "bar@example.test", "", secret, "é@example.test"])
    accounts = st.dictionaries(keys, st.one_of(json_values, st.just(secret)), max_size=4)
    right = {"foo@example.test": secret, "bar@example.test": secret}
    written = st.one_of(
        st.just(right),
        accounts,
        accounts.map(lambda more: {**more, **right}),
        json_values,
    ).map(lambda value: json.dumps(value).encode())
    mangled = st.tuples(written, st.binary(max_size=3), st.integers(0, 60)).map(
        lambda m: m[0][: m[2]] + m[1] + m[0][m[2] :]
    )

    @sized(long, 300, 4000)
    @given(st.one_of(written, mangled, st.binary(max_size=40)))
    def look(content: bytes) -> None:
        Path(files["accounts_file"]).write_bytes(content)
        found: list[MailData] = []

        def do() -> list[str]:
            try:
                found.append(mail_data(files, "mx1.example.test"))
            except DataError as error:
                assert secret not in str(error), "a secret is quoted"
                return error.problems
            return []

        tally.look(content, do, lambda: [str(v) for v in found[0].secrets.accounts.values() if not isinstance(v, str)])

    look()
    tally.count(count, "secrets files")


def test_a_password_is_refused_or_stored(long: bool, count: Count) -> None:
    """What is accepted verifies as what it is, and the stored text itself is never a password."""
    tally = Tally()
    typed = "a hash's own password"
    plain = st.text(st.characters(max_codepoint=0x250), max_size=300)
    marks = st.sampled_from(
        ["{", "{}", "{PLAIN}", "{argon2id}", "{BLF-CRYPT.hex}", "$6$", "$2y$05$", "{CRYPT}", "}{", "{SHA512-CRYPT}"]
    )
    ready = st.sampled_from(sorted({hash for _, hash in HASHED(typed)}))
    mangled = st.tuples(ready, st.integers(0, 120), st.text(max_size=2), st.integers(0, 3)).map(
        lambda m: m[0][: m[1]] + m[2] + m[0][m[1] + m[3] :]
    )

    @sized(long, 150, 1500)
    @given(st.one_of(plain, st.tuples(marks, plain).map("".join), ready, mangled))
    def look(secret: str) -> None:
        def do() -> list[str]:
            problem = passwords.problem(secret)
            hidden = secret.partition("}")[2] or secret
            assert len(hidden) < 12 or hidden not in problem or hidden.startswith("{"), "the secret is quoted"
            return [f"accounts.json: the password {problem}"] if problem else []

        def right() -> list[str]:
            stored = passwords.stored(secret, "SHA512-CRYPT")
            if passwords.is_hash(secret):
                return [] if stored.partition("}")[2] == secret.partition("}")[2] else ["the hash was altered"]
            ours = passwords.matches(secret, stored, "SHA512-CRYPT") and not passwords.matches(
                "another", stored, "SHA512-CRYPT"
            )
            return [] if ours and secret.isascii() and len(secret) <= passwords.LONGEST else ["it does not verify"]

        tally.look(secret, do, right)

    look()
    tally.count(count, "passwords")


def HASHED(password: str) -> list[tuple[int, str]]:
    from tests.faults.accounts import hashed

    return list(enumerate(hashed(password)))


@pytest.mark.slow
def test_odd_accounts_truly_work(mailserver: Host, target: Target, long: bool, count: Count, tmp_path: Path) -> None:
    """Deployed in one run; each logs in by IMAP, sends by submission, receives. A hash's own text lets nobody in."""
    odd = accounts.odd(60 if long else 12)
    aliases = {
        account.email: f"alias-{number}@{accounts.DOMAIN}" for number, account in enumerate(odd) if number % 5 == 0
    }
    secrets = tmp_path / "accounts.json"
    secrets.touch(0o600)
    secrets.write_text(json.dumps({account.email: account.secret for account in odd}))
    data = {
        "mail_domains": [accounts.DOMAIN, accounts.OTHER],
        "mail_users": [{"email": account.email, "name": f"Odd {number}"} for number, account in enumerate(odd)],
        "mail_aliases": {alias: [email] for email, alias in aliases.items()},
    }
    words = [word for key, value in data.items() for word in ("--data", f"{key}={json.dumps(value)}")]
    hashes = [account for account in odd if account.secret != account.password]
    try:
        applied(MAILSERVER, *words, MAILROOM_ACCOUNTS_FILE=str(secrets))
        wrong = {email: said for email, said in accounts.works(target, odd, aliases).items() if said}
        let_in = [account.email for account in hashes if gets_in(mailserver, account.email, account.secret)]
        proof = [account.email for account in hashes if gets_in(mailserver, account.email, account.password)]
    finally:
        applied(MAILSERVER, "--data", "prune_accounts=yes")
        mailserver.run(["sh", "-c", FORGET, "-", *(posixpath.join(*account.email.split("@")[::-1]) for account in odd)])
    count(
        "inputs",
        "odd accounts",
        mailserver.suite,
        tried=len(odd),
        refused_clearly=0,
        worked=len(odd) - len(wrong),
        neither=len(wrong),
    )
    assert wrong == {} and let_in == [] and len(proof) == len(hashes)


# the mailboxes of accounts that are no more, and what Dovecot's LMTP and Sieve kept for them
FORGET = 'for each; do rm -rf "/home/mail/$each" "/home/mail/.home/$each"; done'


def gets_in(mailserver: Host, email: str, password: str) -> bool:
    return mailserver.run(["doveadm", "auth", "test", email, password], check=False).returncode == 0
