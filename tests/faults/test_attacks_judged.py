"""The same attacks on a server that was broken for them: somebody gets in, and it is seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults.attacking import Family, broken
from tests.faults.test_attacks_relay import envelopes, relay
from tests.faults.test_attacks_wire import claims, smuggled
from tests.faults.test_attacks_words import enumeration, senders

ANY_SENDER = "smtpd_sender_restrictions=permit"
Attack = Callable[[Target, Host, Host], Family]
WRONG: dict[str, tuple[str, Attack]] = {
    "a relay": (
        "postconf -e 'smtpd_relay_restrictions = check_recipient_access static:OK, reject_unauth_destination'",
        relay,
    ),
    "anybody's name": ("postconf -P smtp/inet/smtpd_sender_restrictions=", envelopes),
    "bare line ends": (
        "postconf -e smtpd_forbid_bare_newline=no smtpd_forbid_unauth_pipelining=no smtpd_data_restrictions=; "
        "postconf -P smtp/inet/smtpd_forbid_bare_newline=no",  # port 25's own word counts, not main.cf's
        lambda target, host, world: smuggled(target, host, world, 25),
    ),
    "XCLIENT for all": ("postconf -e smtpd_authorized_xclient_hosts=0.0.0.0/0", claims),
    "anybody sends as anybody": (
        f"postconf -P submission/inet/{ANY_SENDER} submissions/inet/{ANY_SENDER}",
        lambda target, host, world: senders(target),
    ),
    "VRFY": ("postconf -e disable_vrfy_command=no", lambda target, host, world: enumeration(target, host)),
}


@pytest.mark.usefixtures("no_mail")
@pytest.mark.parametrize("name", WRONG)
def test_the_judge_sees_who_gets_in(mailserver: Host, world: Host, target: Target, long: bool, name: str) -> None:
    if not long:
        pytest.skip("with make faults")
    done, attack = WRONG[name]
    with broken(mailserver, done):
        assert attack(target, mailserver, world).got_in
