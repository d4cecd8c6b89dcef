"""What others promise: who asks, in which order, and that nothing is left without the knob. What we promise: its text."""

from __future__ import annotations

from typing import Any

import pytest

from deploys.chapters import believed_receivers
from deploys.data import mail_data
from deploys.platforms import PLATFORMS
from deploys.told import by_step, each
from facts.mail_host import File, MailHost, Unit
from operations import files, postfix, services

DEBIAN = PLATFORMS["debian", "12"]
SOCKET = "socketmap:unix:run/mta-sts/map.sock:postfix"
OWN_PAIR: dict[str, Any] = {"tls_self_signed": False}


def told(step: str, there: MailHost | None = None, **knobs: Any) -> Any:
    known = mail_data(knobs, "mx1.example.test", secrets_too=False)
    return by_step(known, DEBIAN, there or MailHost())[f"believed.{step}"]


def asks(kept: Any) -> dict[str, dict[str, str]]:
    return {one["service"]: one["settings"] for one in each(kept, postfix.overrides)}


def test_only_what_goes_to_others_asks() -> None:
    found = asks(told("sts", obey_mta_sts=True))
    assert set(found) == {"smtp/unix", "relay/unix"}
    assert {settings["smtp_tls_policy_maps"] for settings in found.values()} == {SOCKET}


def test_the_operators_tables_are_asked_first() -> None:
    there = MailHost(
        main_cf={"smtp_tls_policy_maps": "hash:/etc/postfix/tls, texthash:/x", "smtp_tls_CAfile": "/ca.pem"}
    )
    for settings in asks(told("sts", there, obey_mta_sts=True)).values():
        assert settings["smtp_tls_policy_maps"] == f"hash:/etc/postfix/tls,texthash:/x,{SOCKET}"
        assert settings["smtp_tls_CAfile"] == "/ca.pem"


def test_another_administrators_resolver_is_refused_and_ours_is_not() -> None:
    known = mail_data({"obey_mta_sts": True}, "mx1.example.test", secrets_too=False)
    there = MailHost(units={"postfix-mta-sts-resolver": Unit(True, "enabled", 1.0)})
    assert believed_receivers.resolver(there, known, DEBIAN) == [], "nobody asks it"
    there.main_cf["smtp_tls_policy_maps"] = "socketmap:inet:127.0.0.1:8461:postfix"
    (problem,) = believed_receivers.resolver(there, known, DEBIAN)
    assert "8461" in problem and "obey_mta_sts = False" in problem
    there.files["/etc/mailroom-mta-sts.yml"] = File("644", "root", "root", 1.0, "regular file", "")
    assert believed_receivers.resolver(there, known, DEBIAN) == []
    assert "chapter 6" in believed_receivers.resolver(MailHost(), known, PLATFORMS["rocky", "9"])[0]


def test_without_the_knob_nobody_asks_before_the_daemon_goes() -> None:
    kept = told("sts")
    assert not asks(kept)
    order = [operation for operation, _ in kept]
    (gone,) = each(kept, services.withdrawn)
    assert gone["units"] == ("postfix-mta-sts-resolver.service",) and "/etc/mailroom-mta-sts.yml" in gone["files"]
    assert order.index(postfix.no_overrides) < order.index(services.service) < order.index(services.withdrawn)


def test_without_the_knob_our_table_goes_whatever_stands_beside_it_and_the_operators_stays() -> None:
    ours = MailHost(overrides={"smtp/unix/smtp_tls_policy_maps": f"hash:/gone,{SOCKET}"})
    settings = {one["service"]: one["settings"] for one in each(told("sts", ours), postfix.no_overrides)}
    assert settings["smtp/unix"]["smtp_tls_policy_maps"] == f"hash:/gone,{SOCKET}"
    theirs = MailHost(overrides={"smtp/unix/smtp_tls_policy_maps": "hash:/theirs"})
    assert all("smtp_tls_policy_maps" not in one["settings"] for one in each(told("sts", theirs), postfix.no_overrides))


@pytest.mark.parametrize(("mode", "age"), [("testing", 86400), ("enforce", 604800)])
def test_the_promise_names_the_host_and_is_read_by_the_name_of_each_domain(mode: str, age: int) -> None:
    kept = told("policy", mta_sts=mode, mail_domains=["example.test", "second.test"], **OWN_PAIR)
    text, site = (given["text"] for given in each(kept, files.put))
    assert text == f"version: STSv1\nmode: {mode}\nmx: mx1.example.test\nmax_age: {age}\n"
    assert "server_name mta-sts.example.test mta-sts.second.test;" in site


def test_without_a_promise_nothing_is_left_and_no_web_server_is_asked_for() -> None:
    kept = told("policy")
    assert {given["path"] for given in each(kept, files.file)} == {
        "/var/lib/mailroom-web/mta-sts.txt",
        "/etc/nginx/mailroom.d/mta-sts.conf",
    }
    assert not any(given["present"] for given in each(kept, files.file)) and not [*each(kept, services.service)]
