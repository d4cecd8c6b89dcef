"""The program that asks an authority for a certificate, as a host runs it, with a certbot that only pretends."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploys.data import mail_data
from deploys.told import by_step
from facts.mail_host import MailHost
from operations import files
from tests.unit.test_acme import DEBIAN, MX1, OURS

CERTBOT = """#!/bin/sh
echo "$REQUESTS_CA_BUNDLE $*" >>{folder}/calls
[ -e {folder}/new.pem ] || {{ cat {folder}/refusal; exit 1; }}
mkdir -p {folder}/live {folder}/renewal
cp {folder}/new.pem {folder}/live/fullchain.pem
cp {folder}/new.key {folder}/live/privkey.pem
echo 'server = https://ca.example.test/dir' >{folder}/renewal/mailroom.conf
while [ "$1" != --authenticator ]; do shift; done
echo "authenticator = $2" >>{folder}/renewal/mailroom.conf
"""
REFUSAL = "Saving debug log to /x\n  Domain: mx1.example.test\n  Type:   connection\n  Detail: refused\nAsk for help or search\n"
SELF = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90")


class Host:
    """The program as it is on a host, in a folder."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder = folder
        values = {
            **OURS,
            "tls_certificate": f"{folder}/served/cert.pem",
            "tls_key": f"{folder}/served/key.pem",
            "acme_trust": "/ca.pem",
            **more,
        }
        kept = by_step(mail_data(values, MX1, secrets_too=False), DEBIAN, MailHost())["believed.certificate"]
        (text,) = [
            given["text"] for operation, given in kept if operation is files.put and given["dest"].endswith("/acme")
        ]
        text = text.replace("/etc/letsencrypt/live/mailroom", f"{folder}/live").replace("/etc/letsencrypt", str(folder))
        text = (
            text.replace("/var/log/letsencrypt/", f"{folder}/")
            .replace("/var/lib/mailroom-acme", f"{folder}/state")
            .replace("/usr/local/lib/mailroom/certificate", "true")
            .replace("/etc/mailroom-acme-dns.ini", f"{folder}/dns.ini")
        )
        self.put("acme", text)
        self.put("certbot", CERTBOT.format(folder=folder))
        (folder / "served").mkdir()
        (folder / "refusal").write_text(REFUSAL)
        self.make("served/cert.pem", "served/key.pem", "/O=mailroom/CN=mx1.example.test")

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def make(self, certificate: str, key: str, subject: str = "/CN=mx1.example.test", *names: str) -> None:
        listed = ",".join(f"DNS:{name}" for name in names or (MX1,))
        told = ("-subj", subject, "-addext", f"subjectAltName={listed}", "-out", certificate, "-keyout", key)
        subprocess.run([*SELF, *told], cwd=self.folder, check=True, capture_output=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        return subprocess.run([str(self.folder / "acme"), *words], env=env, capture_output=True, text=True)

    @property
    def served(self) -> str:
        return "".join((self.folder / "served" / name).read_text() for name in ("cert.pem", "key.pem"))

    @property
    def calls(self) -> int:
        return len((self.folder / "calls").read_text().splitlines()) if (self.folder / "calls").exists() else 0

    def later(self, seconds: int) -> None:
        """The last failure was that long ago."""
        failed = self.folder / "state/failed"
        time, rest = failed.read_text().split(" ", 1)
        failed.write_text(f"{int(time) - seconds} {rest}")


@pytest.fixture
def program(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_it_asks_once_and_installs(program: Host) -> None:
    program.make("new.pem", "new.key")
    done = program.run("order")
    assert done.returncode == 0 and "there is none yet" in done.stdout, done.stderr
    assert program.served == "".join((program.folder / f"new.{end}").read_text() for end in ("pem", "key"))
    assert (program.folder / "served/key.pem").stat().st_mode & 0o777 == 0o600
    for mode in ("order", "now", "timer", "install"):
        assert program.run(mode).returncode == 0
    assert program.calls == 1
    (call,) = (program.folder / "calls").read_text().splitlines()
    assert call.startswith("/ca.pem certonly ") and call.endswith(" -d mx1.example.test") and "--reuse-key" in call
    assert "--register-unsafely-without-email" in call and "--email" not in call


def test_a_refusal_changes_nothing_says_why_and_is_not_repeated(program: Host) -> None:
    before = program.served
    done = program.run("order")
    assert done.returncode == 1 and program.served == before and program.calls == 1
    assert "Domain: mx1.example.test" in done.stderr and "port 80 has to be open" in done.stderr
    assert "Ask for help" not in done.stderr and "the old one goes on serving, until" in done.stderr
    again = program.run("order")
    assert again.returncode == 1 and "not asked again" in again.stderr and "Detail: refused" in again.stderr
    assert program.run().returncode == 0 and program.calls == 1
    program.later(1000)
    assert program.run().returncode == 0 and program.calls == 1, "the timer has more patience than a person"
    assert program.run("order").returncode == 1 and program.calls == 2
    program.later(3400)
    assert program.run().returncode == 0 and program.calls == 2, "twice as long after the second"
    program.later(3400)
    assert program.run().returncode == 1 and program.calls == 3
    program.later(-5000)  # the clock was set back
    assert program.run("order").returncode == 1 and program.calls == 4
    assert program.run("now").returncode == 1 and program.calls == 5
    program.make("new.pem", "new.key")
    assert program.run("now").returncode == 0 and program.served != before
    assert not (program.folder / "state/failed").exists()


def test_a_full_disk_asks_nobody(program: Host) -> None:
    """What was ordered and could not be kept counts all the same: five a week for the same names."""
    program.put("df", "#!/bin/sh\necho Filesystem\necho x 9 9 19 99% /\n")
    done = program.run("now")
    assert done.returncode == 1 and program.calls == 0 and "make room in /etc and /var" in done.stderr


def test_what_is_served_is_known_as_ours_again(program: Host) -> None:
    program.make("new.pem", "new.key")
    assert program.run("now").returncode == 0
    noted = (program.folder / "state/installed").read_text()
    (program.folder / "state/installed").unlink()
    assert program.run().returncode == 0 and program.calls == 1
    assert (program.folder / "state/installed").read_text() == noted != ""


def test_another_wish_is_asked_for_at_once(program: Host) -> None:
    assert program.run("order").returncode == 1
    text = (program.folder / "acme").read_text()
    program.put("acme", re.sub(r"(?m)^names=.*", "names='mx1.example.test imap.example.test'", text))
    assert program.run("order").returncode == 1 and program.calls == 2
    assert program.run("order").returncode == 1 and program.calls == 2


def test_the_operators_pair_stays(program: Host) -> None:
    program.make("served/cert.pem", "served/key.pem", "/CN=theirs")
    before = program.served
    program.make("new.pem", "new.key")
    done = program.run("now")
    assert done.returncode == 1 and "is not mailroom's" in done.stderr and program.served == before


def test_half_a_pair_is_not_installed(program: Host) -> None:
    before = program.served
    program.make("new.pem", "other.key")
    program.make("other.pem", "new.key")
    done = program.run("now")
    assert done.returncode == 1 and "does not belong to the key" in done.stderr and program.served == before


@pytest.mark.parametrize(
    "said", ["urn:ietf:params:acme:error:accountDoesNotExist", "Account https://ca/my-account/1 not found."]
)
def test_an_account_that_the_authority_has_forgotten_is_made_anew(program: Host, said: str) -> None:
    (program.folder / "refusal").write_text(said)
    (program.folder / "accounts/ca.example.test/dir").mkdir(parents=True)
    assert program.run("now").returncode == 1 and program.calls == 2
    assert not (program.folder / "accounts/ca.example.test/dir").exists()


def test_a_refused_nonce_is_no_answer(program: Host) -> None:
    """An authority refuses some at any time; certbot asks once more by itself, and that may be refused, too."""
    (program.folder / "refusal").write_text("JWS has an invalid anti-replay nonce: f37yYpl8")
    assert program.run("now").returncode == 1 and program.calls == 4


def test_what_certbot_trips_over_is_in_its_log(program: Host) -> None:
    """2.1, of Debian 12: https://github.com/certbot/certbot/issues/9539"""
    (program.folder / "refusal").write_text("An unexpected error occurred:\nAttributeError: can't set attribute\n")
    error = "urn:ietf:params:acme:error:rateLimited :: There were too many requests of a given type :: until noon"
    (program.folder / "letsencrypt.log").write_text(f"Traceback\nacme.messages.Error: {error}\nAttributeError: x\n")
    done = program.run("now")
    assert error in done.stderr and "takes no more orders" in done.stderr and "set attribute" not in done.stderr


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Type: dns\nDetail: DNS problem: NXDOMAIN looking up A for mx1", "needs an A record"),
        ("urn:ietf:params:acme:error:rateLimited :: too many failed authorizations", "takes no more orders for now"),
        ("SSLError CERTIFICATE_VERIFY_FAILED", "acme_trust"),
        ("Type:   unauthorized\nDetail: 404", "has to lead to this host"),
        ("Type:   caa\nDetail: CAA record for mx1 prevents issuance", "CAA record"),
        (
            "ValueError: Requesting ca.example.test/dir: Connection refused",
            "can this host reach https://ca.example.test/dir?",
        ),
    ],
)
def test_each_refusal_has_its_remedy(program: Host, said: str, remedy: str) -> None:
    (program.folder / "refusal").write_text(said)
    done = program.run("now")
    assert remedy in done.stderr and said.splitlines()[-1] in done.stderr, done.stderr
