"""SMTP, IMAP, ManageSieve and LMTP by hand: what differs between them, and the four verbs."""

import base64
import re
from dataclasses import dataclass
from typing import Any

from notebooks.workbench.host import remote, where
from notebooks.workbench.host.commands import Expect
from notebooks.workbench.host.stopping import SPOKE, stoppable
from notebooks.workbench.message.letters import full
from notebooks.workbench.show.errors import NotReady, Trouble
from notebooks.workbench.talk.connection import Dialogue, Line, connected, spoken


@dataclass(frozen=True)
class Protocol:
    name: str
    ends: str  # a regular expression: how the last line of a reply begins; TAG is that of the command
    login: tuple[str, str]  # what "LOGIN foo" sends, and what is shown of it
    tls_port: int = 0  # where there is TLS from the first byte
    greets_again: bool = False  # the server says again what it can, once TLS is agreed on
    wide: int = 9999


SMTP = Protocol(
    "SMTP",
    "(?!...-)",  # lines with "-" after the code are followed by more
    ("AUTH PLAIN {plain}", "AUTH PLAIN ({address} and {which} password, in base64)"),
    465,
)
IMAP = Protocol("IMAP", "TAG", ('LOGIN "{address}" "{password}"', "LOGIN {address} ({which} password)"), 993)
MANAGESIEVE = Protocol(
    "ManageSieve",
    "OK|NO|BYE",
    ('AUTHENTICATE "PLAIN" "{plain}"', 'AUTHENTICATE "PLAIN" ({address})'),
    greets_again=True,
    wide=84,  # the list of extensions is twice that, and comes with each greeting
)
HATCH = "/var/spool/postfix/private/dovecot-lmtp"
# Postfix's end of the hatch is a Unix socket: what comes in at one side goes out at the other, until one of them has ended.
BRIDGE = """use IO::Socket::UNIX; use IO::Select; my $hatch = IO::Socket::UNIX->new(shift) or die "nobody at the hatch: $!\\n";
my $both = IO::Select->new(\\*STDIN, $hatch);
while (my @ready = $both->can_read) {
    for my $from (@ready) {
        exit unless sysread $from, my $part, 4096;
        syswrite $from == $hatch ? \\*STDOUT : $hatch, $part;
    }
}"""


@stoppable(SPOKE)
def smtp(port: int, *steps: str, expect: Expect = ()) -> Dialogue:
    """Speak SMTP: each step is a line; also "STARTTLS", "LOGIN foo", "LOGIN foo wrong" and "DATA the text".

    Raises NotExpected unless the server says all that `expect` has: beginnings of replies, or "re:" and a regular expression.
    NotReady: no program listens on that port.
    """
    return talk(SMTP, port, steps).expect(expect)


@stoppable(SPOKE)
def imap(port: int, *steps: str, expect: Expect = ()) -> Dialogue:
    """Speak IMAP: the tags are put in front; also "STARTTLS", "LOGIN foo" and "LOGIN foo wrong". The rest is as in smtp()."""
    return talk(IMAP, port, steps).expect(expect)


@stoppable(SPOKE)
def managesieve(*steps: str, expect: Expect = ()) -> Dialogue:
    """Speak ManageSieve (RFC 5804) on 4190; also "STARTTLS", "LOGIN foo" and "PUTSCRIPT name the script"."""
    return talk(MANAGESIEVE, 4190, steps).expect(expect)


def talk(protocol: Protocol, port: int, steps: tuple[str, ...]) -> Dialogue:
    """Say the steps one after another, each once the last one was answered, and keep what both sides said."""
    with connected(protocol.name, port, protocol.wide) as line:
        if port == protocol.tls_port:
            line.dialogue.add("note", f"port {port}: TLS from the first byte")
            line.secure()
        line.reply(protocol.ends.replace("TAG", r"\* "))
        for number, step in enumerate(steps, 1):
            tag = f"a{number} " if protocol is IMAP else ""
            ends = protocol.ends.replace("TAG", tag)
            word, _, rest = step.partition(" ")
            if word.upper() == "LOGIN":
                line.send(*(tag + one.format(**account(rest)) for one in protocol.login))
            elif word.upper() == "PUTSCRIPT":
                name, _, script = rest.partition(" ")
                # the length in front, so that the script may hold anything; "+" is: do not wait for me
                size = len(script.encode()) + script.count("\n")  # each line's end goes out as CR LF
                line.send(f'PUTSCRIPT "{name}" {{{size}+}}\n{script}')
            elif word.upper() == "DATA":
                line.send("DATA")
                if not line.reply(ends).startswith("354"):
                    continue
                # a line that is only a dot ends the message, so a dot at a line's start is doubled
                line.send(re.sub(r"^\.", "..", rest, flags=re.MULTILINE) + "\n.")
            else:
                line.send(tag + step)
            answer = line.reply(ends).removeprefix(tag)
            if word.upper() == "STARTTLS" and answer.startswith(("220", "OK")):
                line.secure()
                if protocol.greets_again:
                    line.reply(ends)
    return line.dialogue


def account(words: str) -> dict[str, str]:
    """What a login needs, for "foo", "foo@example.test" or "foo wrong"."""
    name, _, wrong = words.partition(" ")
    address, known = full(name), where.place().secrets("accounts")
    if address not in known:
        raise Trouble(f"There is no account {address}.", remedy=f"There are: {', '.join(known)}")
    password, which = ("not-the-password", "a wrong") if wrong else (known[address], "the")
    plain = base64.b64encode(f"\0{address}\0{password}".encode()).decode()
    return {"address": address, "password": password, "plain": plain, "which": which}


@stoppable(SPOKE)
def lmtp(*steps: str, expect: Expect = ()) -> Dialogue:
    """Speak LMTP with Dovecot, on the host, as Postfix does: each step is a line; after "DATA" the lines of a letter, and ".".

    Raises NotExpected as smtp() does; NotReady: Dovecot does not take letters at its socket.
    """
    dialogue = Dialogue(f"LMTP with Dovecot, {HATCH}, on {where.place().name}")
    channel: Any = remote.session()
    channel.settimeout(60)
    channel.exec_command(f"perl -e '{BRIDGE}' {HATCH}")
    errors = channel.makefile_stderr("rb")
    with spoken(Line(dialogue, channel)) as line:
        line.reply(SMTP.ends)
        taken, answer = 0, ""
        for step in steps:
            line.send(step)
            letter = answer.startswith("354")
            if letter and step != ".":
                continue
            # one reply for each line, except for "." after DATA: then one for each recipient that was taken
            for _ in range(taken if letter else 1):
                answer = line.reply(SMTP.ends)
            taken += step.startswith("RCPT") and answer.startswith("2")
    if len(dialogue.said) == 1:  # the note that it ended, and no greeting
        why = errors.read().decode(errors="replace").strip()
        raise NotReady("Dovecot does not take letters at that hatch.", why, 'apply("sieve.lmtp")', "notebook 05, 5.3")
    return dialogue.expect(expect)
