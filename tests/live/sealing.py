"""Letters signed (DKIM) and sealed (ARC) on the world by dkimpy, with a key of the test's own that the world's DNS has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from shlex import quote
from uuid import uuid4

from lab import Host, names
from lab.records import publish_all

KEY, SHORT = "/root/door.key", "/root/short.key"
SELECTOR = "door"
LISTS = "lists.example.com"  # the list whose seal the operator trusts
OTHER = "other.example.com"  # another one: its seal is as good, and nobody trusts it
TRUSTED = ("--data", f'trusted_forwarders=["{LISTS}"]')
# The world's domains and what their owners ask for; example.net asks for p=reject anyway.
POLICIES = {
    "_dmarc.example.org": "v=DMARC1; p=quarantine; sp=none",
    "_dmarc.example.com": "v=DMARC1; p=none; np=reject",
    "_dmarc.strict.example.com": "v=DMARC1; p=reject; adkim=s; aspf=s",
    "_dmarc.trying.example.com": "v=DMARC1; p=quarantine; t=y",
    "_dmarc.share.example.com": "v=DMARC1; p=quarantine; pct=0",
    "many.example.org": "v=spf1 " + " ".join(f"include:i{n}.example.org" for n in range(11)) + " -all",
    **{f"i{n}.example.org": "v=spf1 -all" for n in range(11)},
}
SIGNERS = ("example.net", "strict.example.com", LISTS, OTHER)
# What is done to a letter on its way here: calls of these, on the command line.
PROGRAM = rf"""
import sys, dkim
KEY, SHORT, SELECTOR, LISTS, OTHER = {KEY!r}, {SHORT!r}, {SELECTOR!r}, {LISTS!r}, {OTHER!r}
"""
PROGRAM += r"""
letter = sys.stdin.buffer.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
def key(path): return open(path, "rb").read()
def sign(domain, path=KEY, selector=SELECTOR, **more):
    global letter
    heads = more.pop("heads", [b"from", b"to", b"subject", b"date", b"message-id"])
    letter = dkim.sign(letter, selector.encode(), domain.encode(), key(path), include_headers=heads,
        canonicalize=(b"relaxed", b"relaxed"), **more) + letter
def seal(domain, said):
    global letter
    letter = f"Authentication-Results: {domain}; {said}\r\n".encode() + letter
    made = dkim.arc_sign(letter, SELECTOR.encode(), domain.encode(), key(KEY), domain.encode(),
        include_headers=[b"from", b"to", b"subject", b"date", b"message-id"])
    letter = b"".join(made) + letter.split(b"\r\n", 1)[1]
def change(before, after):
    global letter
    assert before.encode() in letter, (before, letter)
    letter = letter.replace(before.encode(), after.encode(), 1)
"""


@dataclass(frozen=True)
class Made:
    """A letter, where it has to end, words of our line about it, what is done to it on its way, and who brings it."""

    author: str
    ends: str
    said: str = ""
    done: str = ""
    head: str = ""
    sender: str = "nobody@example.com"
    at: str = "elm.homes.example.net"  # "" is the world's own mail server

    def brought(self, world: Host, to: str, family: str = "-4") -> str:
        """Bring it to the mail host's port 25, over IPv4 or, with -6, IPv6; the mark in its Message-ID."""
        mark = uuid4().hex
        text = f"{self.head}From: {self.author}\nTo: {to}\nSubject: A letter\nDate: {formatdate()}\n"
        text += f"Message-ID: <{mark}@example.net>\n\nA letter.\n"
        program = f"{PROGRAM}\n{self.done}\nsys.stdout.buffer.write(letter.replace(b'\\r\\n', b'\\n'))"
        home = world.record["clients"].get(self.at, "")
        way = (
            f"--local-interface {names.six(home) if family == '-6' else home} --helo {self.at}"
            if self.at
            else f"--helo {world.fqdn}"
        )
        way += f" {family} --from {quote(self.sender or '<>')} --to {to}"
        made = f"python3 -c {quote(program)} | swaks --server mx1.example.test {way} --data -"
        heard = world.run(made, stdin=text, check=False).stdout
        assert re.search(r"<[-~] +250 2[.]0[.]0", heard), heard
        return mark


@contextmanager
def published(world: Host) -> Iterator[None]:
    """Keys and policies in the world's DNS, for as long as they are wanted."""
    world.run(
        f"umask 077; test -e {KEY} || openssl genrsa -out {KEY} 2048 2>&1; test -e {SHORT} || openssl genrsa -out {SHORT} 768 2>&1"
    )
    texts = dict(POLICIES)
    for path, selector in ((KEY, SELECTOR), (SHORT, "short")):
        public = world.run(f"openssl rsa -in {path} -pubout -outform DER 2>/dev/null | base64 -w0").stdout.strip()
        texts |= {f"{selector}._domainkey.{domain}": f"v=DKIM1; k=rsa; p={public}" for domain in SIGNERS}
        texts["testing._domainkey.example.net"] = texts[f"{SELECTOR}._domainkey.example.net"].replace("k=rsa;", "t=y;")
    publish_all(texts)
    try:
        yield
    finally:
        publish_all(dict.fromkeys(texts, ""))
