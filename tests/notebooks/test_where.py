"""Which host a cell touches: a host that is not of the lab is looked at freely, and changed only after an opt-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from notebooks.workbench.experiment import breaking
from notebooks.workbench.host import commands, remote, where, worker
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotAllowed, NotReady
from notebooks.workbench.step import applying, banner, rewinding

DATA = {
    "mail_hostname": "mail.example.org",
    "mail_domains": ["example.org"],
    "mail_home": "/home/mail",
    "mail_owner": "vmail",
    "ssh_hostname": "192.0.2.25",
    "tls_certificate": "/etc/postfix/certs/cert.pem",
    "tls_key": "/etc/postfix/certs/key.pem",
}
TLS = {
    "chapter": "dovecot",
    "name": "tls",
    "title": "Chapter 4: TLS",
    "doc": "",
    "article": "",
    "position": 5,
    "today": {},
    "now": "",
    "compared": False,
}


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> Iterator[where.Place]:
    here = where.Place("mail", DATA, {}, [TLS], ["mail"])
    monkeypatch.setattr(where, "_now", [here])
    monkeypatch.setattr(where, "_allowed", set())
    yield here


def test_a_production_host_is_not_changed_by_accident(production: where.Place) -> None:
    with pytest.raises(NotAllowed, match="not a lab host") as refused:
        applying.apply("dovecot.tls")
    assert 'allow("mail.example.org")' in refused.value.remedy
    with pytest.raises(NotAllowed):
        rewinding.rewind("bare")
    with pytest.raises(NotAllowed):
        breaking.break_it("socket")


def test_the_opt_in_names_the_host_in_full(production: where.Place) -> None:
    with pytest.raises(NotAllowed, match=r"mx1 is not the host"):
        where.allow("mx1")
    assert "may be changed" in where.allow("mail.example.org")
    where.may_change(production)


def test_an_opt_in_does_not_make_a_lab_of_it(production: where.Place) -> None:
    where.allow("mail.example.org")
    with pytest.raises(NotAllowed):
        rewinding.rewind("bare")


def test_the_banner_says_production(production: where.Place) -> None:
    shown = banner.Banner(production, "Debian", "2.4.1", [("chapter 4", 3, 17)], "dovecot.tls")
    assert repr(shown) == str(shown)  # what a notebook keeps beside the HTML: not the inventory's data
    assert str(shown).startswith("PRODUCTION: these cells touch mail, mail.example.org (192.0.2.25)")
    assert "PRODUCTION" in shown._repr_html_() and 'allow("mail.example.org")' in str(shown)


STEPS = [
    {**TLS, "chapter": chapter, "name": name}
    for chapter, name in (
        ("postfix", "host_name"),
        ("postfix", "install"),
        ("postgresql", "install"),
        ("amavis", "install"),
        ("dovecot", "install"),
        ("dovecot", "tls"),
        ("believed", "signing"),
    )
]
ONE_TO_FOUR = {"postfix.host_name", "postfix.install", "postgresql.install", "dovecot.install"}


@pytest.mark.parametrize(
    ("chapter", "built", "says"),
    [
        ("", {"postfix.host_name"}, ""),  # a bare host has its name
        ("", ONE_TO_FOUR, 'from the first step: rewind("bare")'),
        ("postfix", ONE_TO_FOUR, 'This chapter is built already, and every cell … To begin it anew: rewind("bare")'),
        ("dovecot", ONE_TO_FOUR, 'A part of this chapter is built already, … anew: rewind("postgresql.install")'),
        ("amavis", ONE_TO_FOUR, ""),
        ("believed", ONE_TO_FOUR, ""),  # a chapter that installs nothing
        ("believed", {*ONE_TO_FOUR, "believed.signing"}, 'This chapter is built … anew: rewind("dovecot.install")'),
    ],
)  # fmt: skip
def test_a_host_that_is_built_already_says_how_to_begin_anew(
    monkeypatch: pytest.MonkeyPatch, chapter: str, built: set[str], says: str
) -> None:
    here = where.Place("mx1", DATA, {"hosts": {"mx1": {"address": "198.18.0.10", "role": "mail"}}}, STEPS, ["mx1"])
    monkeypatch.setattr(where, "_now", [here])
    said = banner.already(here, chapter, built)
    begins, _, ends = says.rpartition("… ")
    assert said.startswith(begins) and said.endswith(ends) and bool(said) == bool(says)
    shown = banner.Banner(here, "Debian", "", [("chapter 1, postfix", 2, 2)], "", said)
    assert said in str(shown) and html.escape(said) in shown.body()


def test_a_server_of_ones_own_is_not_to_be_begun_anew(production: where.Place) -> None:
    production.steps[:] = STEPS
    assert not banner.already(production, "", ONE_TO_FOUR)


def test_the_bars_are_equally_long_and_have_a_field_for_each_step() -> None:
    for done, count in ((0, 11), (11, 11), (3, 17)):
        row = banner.bar(("chapter 1, postfix", done, count))
        assert row.count("<i class=on></i>") == done and row.count("<i") == count and f"{done} of {count}" in row
        assert ("✓" in row) == (done == count)


def test_without_a_lab_the_first_cell_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("MAILROOM_INVENTORY", raising=False)
    monkeypatch.setattr(where, "_now", [])
    with pytest.raises(NotReady, match="no host to work on") as refused:
        where.place()
    assert "make up" in str(refused.value)


@pytest.mark.parametrize(("name", "says"), [("", "no host from which a client"), ("world", "There are: mail.")])
def test_what_is_for_another_host_is_not_run_on_the_mail_host(
    production: where.Place, name: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a workshop without a client, where `client` is empty."""
    monkeypatch.setattr(remote, "execute", lambda *_, **__: pytest.fail("it was run"))
    with pytest.raises(NotReady, match="nothing was run") as refused:
        commands.run("true", on=name)
    assert says in str(refused.value)


def test_a_host_that_is_not_in_the_inventory_needs_no_new_lab(
    production: where.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise worker.Refused("The inventory has no host 'mx9'; it has mail.")

    monkeypatch.setattr(worker, "ask", refuse)
    with pytest.raises(NotReady, match="it has mail") as refused:
        where.use("mx9")
    assert "make up" not in str(refused.value) and where.place() is production
