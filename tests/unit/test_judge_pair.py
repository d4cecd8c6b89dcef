"""Whether a daemon could serve with a certificate and a key, as OpenSSL itself says on the host."""

import subprocess
from pathlib import Path

import pytest

from facts.mail_host import JUDGE_PAIR

OPENSSL = ("openssl", "req", "-new", "-x509", "-days", "30", "-nodes", "-subj", "/CN=mx1.example.test", "-newkey")


def make(folder: Path, name: str, kind: str = "rsa:2048") -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run([*OPENSSL, kind, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    certificate, key = make(folder, "good")
    make(folder, "other")
    make(folder, "weak", "rsa:1024")
    (folder / "junk.crt").write_text("junk\n")
    (folder / "junk.key").write_text("-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n".format("PRIVATE KEY"))
    (folder / "chain.crt").write_text(certificate.read_text() + (folder / "other.crt").read_text())
    (folder / "wrong-order.crt").write_text((folder / "other.crt").read_text() + certificate.read_text())
    (folder / "cut.crt").write_text(certificate.read_text() + (folder / "other.crt").read_text()[:400])
    for said in (
        ("x509", "-in", certificate, "-outform", "DER", "-out", folder / "der.crt"),
        ("pkey", "-in", key, "-aes256", "-passout", "pass:S3ntinel", "-out", folder / "locked.key"),
    ):
        subprocess.run(["openssl", *map(str, said)], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("good", "good", ""),
        ("chain", "good", ""),
        ("good", "other", "does not belong to the key"),
        ("wrong-order", "good", "has to be the first of its file"),
        ("weak", "weak", "ee key too small"),
        ("junk", "good", "is no certificate in PEM"),
        ("der", "good", "is no certificate in PEM"),
        ("cut", "good", "is broken"),
        ("good", "junk", "OpenSSL refuses"),
        ("good", "locked", "has a passphrase"),
        ("nothing", "good", "is not there"),
        ("good", "nothing", "is not there"),
    ],
)
def test_a_pair(pairs: Path, certificate: str, key: str, said: str) -> None:
    script = f'{JUDGE_PAIR}\njudge_pair "$1" "$2"'
    files = (str(pairs / f"{certificate}.crt"), str(pairs / f"{key}.key"))
    done = subprocess.run(["sh", "-euc", script, "sh", *files], capture_output=True, text=True, check=True)
    assert (said in done.stdout if said else done.stdout == "") and not done.stderr, done
    assert len(done.stdout.splitlines()) <= 1 and "S3ntinel" not in done.stdout


def test_the_limits_of_postfix(tmp_path: Path) -> None:
    """local(8) and virtual(8) would die of a file that may hold less than a message."""
    from operations.postfix import LIMITS_AGREE

    postconf = tmp_path / "postconf"
    for message, of_file, agrees in ((100, 0, True), (100, 100, True), (100, 99, False), (0, 100, False), (0, 0, True)):
        postconf.write_text(f'#!/bin/sh\n[ "$2" = message_size_limit ] && echo {message} || echo {of_file}\n')
        postconf.chmod(0o755)
        path = f"{tmp_path}:/usr/bin:/bin"
        done = subprocess.run(["sh", "-euc", LIMITS_AGREE], env={"PATH": path}, capture_output=True, text=True)
        assert (done.returncode == 0) == agrees, (message, of_file, done)
        assert ("is smaller than message_size_limit" in done.stderr) is not agrees
