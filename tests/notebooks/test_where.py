"""Which host a cell touches: a host that is not of the lab is looked at freely, and changed only after an opt-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from notebooks.workbench.experiment import breaking
from notebooks.workbench.host import where
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
    "today": {},
    "needs": "",
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
    assert str(shown).startswith("PRODUCTION: these cells touch mail, mail.example.org (192.0.2.25)")
    assert "PRODUCTION" in shown._repr_html_() and 'allow("mail.example.org")' in str(shown)


def test_without_a_lab_the_first_cell_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("MAILROOM_INVENTORY", raising=False)
    monkeypatch.setattr(where, "_now", [])
    with pytest.raises(NotReady, match="no host to work on") as refused:
        where.place()
    assert "make up" in str(refused.value)
