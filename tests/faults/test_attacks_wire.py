"""What is said at the wrong moment or in the wrong place on the wire: before TLS, behind the end of a letter, too early."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults.attacking import (
    BAR,
    FOO,
    OUTSIDE,
    STRANGER,
    Family,
    Wire,
    arrived,
    letter,
    log_in,
    plain,
    wire,
)

Count = Callable[..., None]
pytestmark = pytest.mark.usefixtures("no_mail")

# The line that asks for TLS, and what an attacker in the middle puts behind it in the same packet. Carried out after the
# handshake it would have its answer there.
INJECTED = {
    25: (b"STARTTLS\r\n", (b"MAIL FROM:<x@example.net>\r\n", b"NOOP\r\n", b"RSET\r\nEHLO x\r\n")),
    587: (b"STARTTLS\r\n", (b"EHLO x\r\n", b"NOOP\r\n", b"MAIL FROM:<x@example.net>\r\n")),
    143: (b"a STARTTLS\r\n", (b"b CAPABILITY\r\n", b"b NOOP\r\nc LOGIN x y\r\n", b"b LOGOUT\r\n")),
    4190: (b"STARTTLS\r\n", (b"CAPABILITY\r\n", b'NOOP "x"\r\n', b"LOGOUT\r\n")),
}


def injection(target: Target) -> Family:
    family = Family()
    for port, (ask, behind) in INJECTED.items():
        for injected in behind:
            session = Wire(target, port)
            if port in (25, 587):
                session.ask("EHLO client.example.net")
            if port == 4190:
                while session.line().startswith('"'):
                    pass
            session.put(ask + injected)
            answer = session.line()
            while port == 143 and answer.startswith("*"):
                answer = session.line()
            # whatever stands behind the answer in the clear was carried out before TLS: no use to an attacker
            session.left = b""
            try:
                session.wrap()
            except OSError as error:
                family.judge(f"{port} {injected!r}", False, str(error))
                continue
            session.socket.settimeout(2)
            before = session.rest(1)
            greeting = port == 4190  # after TLS it tells its capabilities anew, unasked
            heard = re.sub(r'^".*\n?', "", before, flags=re.M) if greeting else before
            heard = re.sub(r'^OK "TLS negotiation successful\."$', "", heard, flags=re.M).strip() if greeting else heard
            family.judge(f"{port} {injected!r}", bool(heard), heard)
            session.close()
    return family


def test_nothing_said_before_tls_is_carried_out_after_it(mailserver: Host, target: Target, count: Count) -> None:
    injection(target).count(count, "STARTTLS injection", mailserver.suite)


# What some server takes for the end of a letter. The right one is CR LF . CR LF.
ENDS = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r",
    "CR.LF": b"\r.\n",
    "LF.CR": b"\n.\r",
    "LFCR.LFCR": b"\n\r.\n\r",
    "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "CRCRLF.CRLF": b"\r\r\n.\r\n",
    "LF.NULCRLF": b"\n.\0\r\n",
    "NULLF.CRLF": b"\0\n.\r\n",
    "CRLF.blank CRLF": b"\r\n. \r\n",
    "CRLFNUL.CRLF": b"\r\n\0.\r\n",
    "wide": b"\xe2\x80\xa8.\xe2\x80\xa8",
    "VT.VT": b"\x0b.\x0b",
    "CRLF..CRLF": b"\r\n..\r\n",
}


def smuggled(target: Target, host: Host, world: Host, port: int) -> Family:
    """A second letter in the body of a first one: it comes into being neither here nor at the next server.

    It is told by its own Message-ID: as a letter it has it in its head, inside the first one in the body.
    """
    family, tried = Family(), {}
    to = BAR if port == 25 else OUTSIDE
    sender = STRANGER if port == 25 else FOO
    for name, end in ENDS.items():
        outer, head = letter(sender=sender, to=to, text=f"The first, {name}")
        inner, hidden = letter(sender="ceo@example.org", to=to, text="The second")
        commands = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode()
        with wire(target, port, patience=6) as session:
            log_in(session, target) if port == 587 else session.ask("EHLO client.example.net")
            for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>", "DATA"):
                session.ask(command)
            session.put(head.rstrip(b"\r\n") + end + commands + hidden + b".\r\nQUIT\r\n")
            tried[name] = outer, inner, session.rest(4)
    found = arrived(host, world, [mark for outer, inner, _ in tried.values() for mark in (outer, inner)], 60)
    for name, (outer, inner, replies) in tried.items():
        letters = [head_of(host, world, path) for path in found[outer] + found[inner]]
        born = [head for head in letters if f"<{inner}" in head]
        twice = len(re.findall(r"^250 2\.0\.0 Ok: queued", replies, re.M)) > 1
        family.judge(f"{port} {name}", bool(born) or twice, replies.replace("\n", " | "))
    return family


def head_of(host: Host, world: Host, path: str) -> str:
    """The head of a letter that arrived, here or in the world."""
    where, name = (world, path.removeprefix("world:")) if path.startswith("world:") else (host, path)
    return where.run(["sed", "-n", "1,/^\\r\\?$/p", name]).stdout


def test_no_letter_is_smuggled_in_another(mailserver: Host, world: Host, target: Target, count: Count) -> None:
    """On its way in, and from a user on its way out to the world."""
    family = smuggled(target, mailserver, world, 25)
    out = smuggled(target, mailserver, world, 587)
    family.tried, family.got_in = family.tried + out.tried, family.got_in + out.got_in
    family.count(count, "smuggling", mailserver.suite)


def test_bdat_smuggles_nothing(mailserver: Host, world: Host, target: Target, count: Count) -> None:
    """Chunks whose ends lie inside a line end, and a chunk that has commands in it."""
    family, sent = Family(), []
    for name, cut in (
        ("in the dot", b"\r\n.\r\n"),
        ("a bare dot", b"\n.\n"),
        ("commands", b"\r\n.\r\nMAIL FROM:<x@example.net>\r\n"),
    ):
        outer, content = letter(sender=STRANGER, text="The first")
        inner, hidden = letter(sender=STRANGER, text="The second")
        body = content + cut + f"MAIL FROM:<{STRANGER}>\r\nRCPT TO:<{BAR}>\r\nDATA\r\n".encode() + hidden + b".\r\n"
        with wire(target, 25) as session:
            offered = session.ask("EHLO client.example.net")
            session.ask(f"MAIL FROM:<{STRANGER}>")
            session.ask(f"RCPT TO:<{BAR}>")
            half = len(content) + 2
            session.put(f"BDAT {half}\r\n".encode() + body[:half])
            first = session.reply()
            session.put(f"BDAT {len(body) - half} LAST\r\n".encode() + body[half:])
            session.put(b"QUIT\r\n")
            rest = session.rest(4)
        sent.append((name, outer, inner, f"{'CHUNKING' in offered} {first} | {rest}"))
    found = arrived(mailserver, world, [mark for _, *marks, _ in sent for mark in marks], 60)
    for name, outer, inner, said in sent:
        born = [h for p in found[outer] + found[inner] if f"<{inner}" in (h := head_of(mailserver, world, p))]
        family.judge(name, bool(born) or said.count("queued as") > 1, said)
    family.count(count, "smuggling by BDAT", mailserver.suite)


def test_who_does_not_wait_for_the_answer(mailserver: Host, world: Host, target: Target, count: Count) -> None:
    """A robot that throws its whole letter at the port: before the greeting, or behind DATA without a word from us."""
    family, marks = Family(), {}
    for name, pause in (("before the greeting", 0.0), ("behind DATA", 0.5)):
        mark, content = letter(sender=STRANGER)
        marks[mark] = name
        with wire(target, 25) as session:
            time.sleep(pause)
            session.put(f"HELO client.example.net\r\nMAIL FROM:<{STRANGER}>\r\nRCPT TO:<{BAR}>\r\nDATA\r\n".encode())
            session.put(content + b".\r\nQUIT\r\n")
            session.rest(3)
    found = arrived(mailserver, world, marks)
    for mark, name in marks.items():
        family.judge(name, bool(found[mark]), str(found[mark]))
    family.count(count, "does not wait for the answer", mailserver.suite)


CLAIMS = (
    "XCLIENT ADDR=127.0.0.1 NAME=localhost",
    "XCLIENT LOGIN=foo@example.test",
    "XCLIENT NAME=mx1.example.test ADDR={mx} PROTO=ESMTP",
    "XFORWARD ADDR=127.0.0.1 NAME=localhost SOURCE=LOCAL",
    "XFORWARD IDENT=1 PROTO=ESMTP",
    "XREPLACEMENT 1",
    "AUTH PLAIN",
    "AUTH EXTERNAL =",
    "AUTH ANONYMOUS Zm9v",
    "ETRN example.org",
    "VRFY foo",
    "EXPN postmaster",
    "TURN",
    "DEBUG",
    "WIZ",
)


def claims(target: Target, host: Host, world: Host) -> Family:
    """Commands by which a stranger says that he is somebody else, or that make the server tell or do something."""
    family = Family()
    for port in (25, 587, 465):
        for claim in CLAIMS:
            with wire(target, port) as session:
                session.ask("EHLO client.example.net")
                reply = session.ask(claim.replace("{mx}", host.record["address"]))
                session.ask("EHLO client.example.net")
                session.ask(f"MAIL FROM:<{FOO}>")
                relayed = session.ask(f"RCPT TO:<{OUTSIDE}>")
            told = reply.startswith("2") and not claim.startswith(("XFORWARD",))
            family.judge(f"{port} {claim}", told or relayed.startswith("2"), f"{reply} / {relayed}")
    return family


def test_nobody_is_believed_who_he_says_he_is(mailserver: Host, world: Host, target: Target, count: Count) -> None:
    claims(target, mailserver, world).count(count, "XCLIENT, XFORWARD, VRFY and others", mailserver.suite)


def test_no_password_is_taken_in_the_clear(mailserver: Host, target: Target, count: Count) -> None:
    """The right one, at every port that talks in the clear first. It crosses the lab's own wire only."""
    family = Family()
    user, password = target.account(0)
    for port in (25, 587):
        for mechanism in ("PLAIN", "LOGIN"):
            with wire(target, port, "") as session:
                offered = session.ask("EHLO client.example.net")
                first = session.ask(f"AUTH {mechanism}" + (f" {plain(user, password)}" if mechanism == "PLAIN" else ""))
                family.judge(f"{port} {mechanism}", first[:1] in "23" or "AUTH" in offered, first)
    for line in (f'LOGIN {user} "{password}"', f"AUTHENTICATE PLAIN {plain(user, password)}", "AUTHENTICATE PLAIN"):
        with wire(target, 143, "") as session:
            reply = session.tagged(line)
            family.judge(
                f"143 {line.split()[0]}", "a OK" in reply or reply.startswith("+"), reply.replace(password, "…")
            )
    with wire(target, 4190, "") as session:
        while session.line().startswith('"'):
            pass
        session.put(f'AUTHENTICATE "PLAIN" "{plain(user, password)}"\r\n'.encode())
        reply = session.line()
        family.judge("4190", reply.startswith("OK"), reply)
    family.count(count, "passwords in the clear", mailserver.suite)
