"""Right data on the wrong host: said with the numbers, before anything on it is changed."""

from types import SimpleNamespace
from typing import Any

import pytest

from deploys.misfits import misfits
from deploys.platforms import PLATFORMS
from deploys.secrets import Secrets
from facts.mail_host import MailHost

DEBIAN, ALMA = PLATFORMS["debian", "13"], PLATFORMS["almalinux", "9"]
VMAIL = {"vmail": (200, 200, "/home/mail", "/usr/sbin/nologin")}
ARGON2 = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$YJ40WVNWTGgWpY1UMmntHg$mhuZsosjJ7+1vJI6kfhbJM4rT3WHxFRazdD9nV4j6y8"


def data(**changed: Any) -> Any:
    values = {
        **{"mail_owner": "vmail", "mail_uid": 200, "mail_gid": 200, "mail_home": "/home/mail"},
        **{
            "message_size_limit": 26214400,
            "password_scheme": None,
            "users": {"foo@example.test": {}},
            "relayhost": None,
        },
        "secrets": Secrets({"foo@example.test": "a good password"}, {}, "accounts.json"),
    }
    return SimpleNamespace(**{**values, **changed})


def hashed(secret: str) -> Secrets:
    return Secrets({"foo@example.test": secret}, {}, "accounts.json")


def test_ours_and_a_bare_host_fit() -> None:
    assert misfits(MailHost(), data(), DEBIAN) == []
    assert misfits(MailHost(system={"queue_free_mb": "79"}, passwd=VMAIL), data(), DEBIAN) == []
    assert misfits(MailHost(), data(secrets=hashed(ARGON2)), DEBIAN) == []
    there = MailHost(passwd={"vmail": (111, 111, "/home/mail", "/sbin/nologin")}, groups={"vmail": 111})
    assert (
        misfits(there, data(mail_uid=111, mail_gid=111), DEBIAN) == []
    )  # it is there already: nobody takes the number


@pytest.mark.parametrize(
    ("there", "known", "system", "said"),
    [
        (MailHost(system={"queue_free_mb": "76"}), {"message_size_limit": 26214401}, DEBIAN, "needs 76 MB"),
        (MailHost(system={"queue_free_mb": "1400"}), {"message_size_limit": 500 << 20}, DEBIAN, "needs 1500 MB free"),
        (MailHost(passwd={"vmail": (200, 8, "/home/mail", "/bin/false")}), {}, DEBIAN, "set mail_gid = 8"),
        (MailHost(passwd={"vmail": (200, 200, "/home/v", "/bin/false")}), {}, DEBIAN, "set mail_home = '/home/v'"),
        (MailHost(passwd={"vmail": (200, 200, "/home/mail", "/bin/bash")}), {}, DEBIAN, "a person's account"),
        (MailHost(), {"mail_uid": 101}, DEBIAN, "mail_uid = 101 is in a range that packages take"),
        (MailHost(), {"mail_gid": 998}, DEBIAN, "mail_gid = 998 is in a range that packages take"),
        (MailHost(), {"password_scheme": "ARGON2ID"}, ALMA, "not known to the Dovecot of AlmaLinux 9"),
        (MailHost(schemes=("SHA512-CRYPT",)), {"password_scheme": "ARGON2ID"}, DEBIAN, "not known to the Dovecot"),
        (MailHost(), {"secrets": hashed(ARGON2)}, ALMA, "the hash of foo@example.test is {ARGON2ID}"),
    ],
)
def test_refused(there: MailHost, known: dict[str, Any], system: Any, said: str) -> None:
    (problem,) = misfits(there, data(**known), system)
    assert said in problem and "$argon2" not in problem
