"""An operation is one of pyinfra's: documented, usable alone, and with a reason where it has nothing to do."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import operations
from facts.mail_host import File, MailHost, ReadMailHost
from operations import accounts, base, files, firewall, postfix
from operations.fingerprints import Key
from operations.passwords import stored
from tests.unit.test_steps import BARE, inside, named_by


def public() -> Iterator[tuple[str, Any]]:
    for module in pkgutil.iter_modules(operations.__path__):
        for name, one in vars(importlib.import_module(f"operations.{module.name}")).items():
            if hasattr(one, "touches"):
                yield f"{module.name}.{name}", one


OPERATIONS = dict(public())
EACH = pytest.mark.parametrize("name", OPERATIONS)


def example(name: str) -> dict[str, Any]:
    """The arguments of the example in an operation's docstring."""
    (told,) = re.findall(r"\*\*Example:\*\* ``(.+)``", inspect.getdoc(OPERATIONS[name]) or "")
    call = ast.parse(told, mode="eval").body
    assert isinstance(call, ast.Call) and not call.args and ast.unparse(call.func) == name, told
    given = {word.arg: compile(ast.Expression(word.value), name, "eval") for word in call.keywords}
    known = {"Key": Key, "host": SimpleNamespace(data=SimpleNamespace(reader_password="secret"))}
    return {str(word): eval(value, dict(known)) for word, value in given.items()}


def test_all_are_found() -> None:
    assert len(OPERATIONS) > 35 and len({name.partition(".")[0] for name in OPERATIONS}) > 14


@EACH
def test_the_docstring_names_the_parameters(name: str) -> None:
    """In pyinfra's form, all of them, in their order; two that are alike may share a line."""
    told = re.findall(r"^\+ ([a-z_, ]+): \S", inspect.getdoc(OPERATIONS[name]) or "", re.MULTILINE)
    parameters = inspect.signature(OPERATIONS[name]).parameters
    assert ", ".join(told).split(", ") == (list(parameters) or [""])
    inspect.signature(OPERATIONS[name]).bind(**example(name))


@EACH
def test_alone_it_says_what_has_to_be_read(name: str, yielded: Callable[..., list[Any]]) -> None:
    """Without the preflight: each file that its commands name is read, so that a second run finds it."""
    commands = yielded(BARE, OPERATIONS[name], **example(name))
    assert bool(commands) != (name in IDLE_WHERE_NOTHING_IS)
    wanted = base.wanted(OPERATIONS[name], example(name))
    assert ReadMailHost().command(**wanted)
    seen = {*wanted.get("texts", ()), *wanted.get("sums", ())}
    lost = {path for path in named_by(commands) if path not in seen and not inside(path, seen)}
    assert lost <= READ_ANYWAY.get(name, set())


IDLE_WHERE_NOTHING_IS = {"acme.withdrawn", "firewall.services", "selinux.file_context", "services.health"}
IDLE_WHERE_NOTHING_IS |= {
    "relay.no_road",
    "relay.no_service",
    "relay.retry",
    "services.withdrawn",
    "postfix.no_overrides",
}
IDLE_WHERE_NOTHING_IS |= {name for name in OPERATIONS if name.partition(".")[0] in ("release", "upgraded")}
READ_ANYWAY = {"clamav.signatures": {"/var/lib/clamav"}, "sieve.homes": {"/home/mail"}}  # as part of `system`


def test_it_tells_why_nothing_happens(yielded: Callable[..., list[Any]], noops: list[str]) -> None:
    """With -v, one line an operation. A text is not shown, and no secret."""
    sha = "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"
    there = MailHost(files={"/a": File("644", "root", "root", 1.0, "regular file", sha)})
    there.files["/etc/aliases"] = File("644", "root", "root", 1.0, "regular file", "", "root: alice\n")
    assert yielded(there, files.put, dest="/a", text="x") == []
    assert yielded(there, files.directory, path="/a", ours=False) == []
    assert yielded(there, firewall.services, services=("smtp", "imaps")) == []
    assert yielded(there, postfix.aliases, aliases={"root": "postmaster@example.test"}) == []
    assert noops == [
        "files.put /a: as it should be",
        "files.directory /a: kept: the directory is the operator's",
        "firewall.services smtp, imaps: no firewalld runs here",
        "postfix.aliases root: kept: the operator leads root elsewhere",
    ]
    assert yielded(there, files.put, dest="/a", text="y") and len(noops) == 4
    secret = {"secrets": {"foo@example.test": "S3ntinel"}, "scheme": "ARGON2ID", "key": Key("k"), "reader": "r"}
    rows = {"password_fingerprints": {"owner": "postgres", "acl": "{postgres=arwdDxt/postgres}"}}
    found = {"password": stored("S3ntinel", "ARGON2ID")}
    found |= {"hash": found["password"], "key": Key("k").id}
    found["fingerprint"] = Key("k").fingerprint("foo@example.test", found["hash"], "S3ntinel")
    there.sql = {"tables": rows, "users": {"foo@example.test": found}}
    assert yielded(there, accounts.user_passwords, **secret) == []
    assert noops[4:] == ["accounts.user_passwords foo@example.test: as it should be"]


def test_who_forgets_an_argument_is_told_which() -> None:
    with pytest.raises(TypeError, match=r"dkim\.key: missing a required argument: 'folder'"):
        OPERATIONS["dkim.key"](path="/etc/ssl/m1.pem", group="amavis")
