"""The judge of signatures is not blind, and asks only for the record that Amavis shows."""

import subprocess
from types import SimpleNamespace
from typing import Any, cast

import dkim
import pytest

from checks.clients import signature
from checks.engine import Failed
from checks.engine.target import Target

LETTER = b"From: foo@example.test\r\nTo: bar@example.test\r\nSubject: x\r\n\r\nSent by hand.\r\n"
D = "example.test"


@pytest.fixture(scope="module")
def key() -> bytes:
    return subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout


def target(key: bytes, selector: str = "mailroom") -> Target:
    """A host whose Amavis shows this key, in lines as it does."""
    public = subprocess.run(["openssl", "rsa", "-pubout"], input=key, capture_output=True, check=True).stdout.decode()
    strings = "\n".join(f'  "{one}"' for one in ["v=DKIM1; p=", *public.splitlines()[1:-1]])
    shown = (
        f"noise\n; key#1 2048 bits, s={selector}, d={D}, /a/key\n{selector}._domainkey.{D}.\t3600 TXT (\n{strings})\n\n"
    )
    return cast(Target, SimpleNamespace(once=lambda command: shown))


def signed(key: bytes, letter: bytes = LETTER, **more: Any) -> str:
    """As it is in a mailbox: bare line ends, and lines of the delivery's above."""
    made = dkim.sign(letter, b"mailroom", D.encode(), key, canonicalize=(b"relaxed", b"relaxed"), **more)
    return f"Return-Path: <foo@{D}>\nDelivered-To: bar\n" + (made + letter).decode().replace("\r\n", "\n")


def test_a_good_signature_holds_and_says_whose_it_is(key: bytes) -> None:
    assert signature.judged(target(key), signed(key), D) == (True, "d=example.test, s=mailroom, 2048 bits")


@pytest.mark.parametrize(
    ("word", "other"), [("by hand", "by foot"), ("To: bar", "To: eve"), ("Subject: x", "Subject: y")]
)
def test_what_was_changed_does_not_hold(key: bytes, word: str, other: str) -> None:
    holds, _ = signature.judged(target(key), signed(key).replace(word, other), D)
    assert not holds


def test_another_key_and_another_selector_do_not_hold(key: bytes) -> None:
    second = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout
    assert not signature.judged(target(second), signed(key), D)[0]
    assert not signature.judged(target(key, "other"), signed(key), D)[0]


def test_only_a_signature_of_that_domain_counts(key: bytes) -> None:
    with pytest.raises(Failed, match=r"not signed for example\.org, but for example\.test"):
        signature.judged(target(key), signed(key), "example.org")
    with pytest.raises(Failed, match=r"not signed for example\.test$"):
        signature.judged(target(key), LETTER.decode(), D)
    assert signature.signers(LETTER.decode()) == [] and signature.signers(signed(key)) == [D]


def test_ours_is_found_among_others(key: bytes) -> None:
    others = "DKIM-Signature: v=1; a=rsa-sha256; d=list.example;\n\ts=x; h=from; bh=YQ==; b=YQ==\n"
    text = others + signed(key)
    assert signature.signers(text) == ["list.example", D]
    assert signature.judged(target(key), text, D)[0]
