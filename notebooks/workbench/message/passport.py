"""Where a letter is: its passport as the host's own log tells it, drawn and in words, and the short forms of it."""

import email
import io
import re
import shlex
import time
from collections.abc import Collection
from contextlib import closing

from checks.engine.verdicts import CannotStart, Failed, words
from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotExpected, NotReady, Trouble
from postmaster import picture, reading, text
from postmaster.model import NotFound, Passport

PATIENCE = 25.0  # SpamAssassin may ask the DNS, and wait
OURS = "X-Spam|X-Virus|Authentication-Results|X-Amavis"
KINDS = {"queue": "warn", "quarantine": "warn", "nowhere": "bad", "refused": "bad", "bounced": "bad"}
# The file that a letter is: in a Maildir, else in quarantine.
FILE = """for file in $(grep -rlF -- "$id" "$home" /var/lib/amavis/virusmails 2>/dev/null); do
case $file in */new/*|*/cur/*|*/virusmails/*) echo "$file"; break;; esac; done"""


class Shown(html.Shown):
    """The picture; below it, behind a click, every hop in words and the log's own lines."""

    def __init__(self, passport: Passport, log: str) -> None:
        self.passport, self.log = passport, log

    def __str__(self) -> str:
        out = io.StringIO()
        text.show(self.passport, out, width=100)
        return out.getvalue().rstrip("\n")

    def body(self) -> str:
        told = self.passport
        fates = "".join(f"<div><b>{html.escape(one)}</b></div>" for one in [*text.fates(told), *told.notes])
        words = html.details(f"{len(told.hops)} hops in words", html.escape(self))
        log = html.details("the log's own lines", html.escape(self.log))
        title = f"<div class=dim>The passport of <code>{html.escape(told.message_id or told.asked)}</code></div>"
        return f"{title}<div class=wide>{picture.drawing(told)}</div>" + fates + words + log


class Whereabouts(html.Shown):
    """The short form: where a letter is, who decided that, and the file that it is."""

    def __init__(self, letter: Letter, passport: Passport | None, path: str) -> None:
        self.letter, self.passport, self.path = letter, passport, path
        self.places = passport.places if passport else ["nowhere"]
        if passport and passport.folders:  # its reader may have moved or deleted it since
            self.places = [folder_of(path)] if path else ["nowhere"]

    @property
    def place(self) -> str:
        return " and ".join(self.places) or "on its way"

    def detail(self) -> str:
        if not self.passport:
            return self.letter.answer or "No line of the log names it."
        ends = [hop for hop in self.passport.hops if not self.passport.following(hop)]
        # a folder says little; the hop before it has chosen it
        deciders = [self.passport.hops[hop.after - 1] if hop.folder and hop.after else hop for hop in ends]
        rows = [", ".join(filter(None, [f"{hop.station}: {hop.verdict}", hop.what, hop.setting])) for hop in deciders]
        return "\n".join(filter(None, [*dict.fromkeys(rows), self.path]))

    def __str__(self) -> str:
        return "\n  ".join([f"“{self.letter.subject}” is in: {self.place}", *self.detail().splitlines()])

    def body(self) -> str:
        head = f"✉ {html.escape(self.letter.subject)}: <b class=h>{html.escape(self.place)}</b>"
        return html.box(head + html.dim(self.detail()), KINDS.get(self.place, "good"))


def folder_of(path: str) -> str:
    """ "Junk" of …/.Junk/new/1, "INBOX" of …/foo/cur/1, "quarantine" elsewhere."""
    folder, new, _ = path.rsplit("/", 3)[-3:]
    return "quarantine" if new not in ("new", "cur") else folder[1:] if folder.startswith(".") else "INBOX"


@stoppable()
def passport(message: str | Letter | html.Note, wait: float = 15.0) -> Shown | html.Note:
    """Every hop of a message: a letter that send() returned, a Message-ID, or a queue id.

    Waits up to `wait` seconds for a message that is on its way. Raises Trouble where no line of the log names it.
    """
    if isinstance(message, html.Note):  # an experiment that was not made says so, and left no letter
        return message
    found = followed(message, wait)
    return Shown(found, remote.masked("\n".join(found.log())))


def followed(message: str | Letter, wait: float) -> Passport:
    """The passport, once the message has come to rest or patience ends. A letter that was refused is not waited for."""
    asked, refused = (message.message_id, message.refused) if isinstance(message, Letter) else (message, False)
    try:
        reading.understood(asked)  # what no message can be called is not waited for
    except NotFound as error:
        raise unknown(message, str(error)) from None
    end = time.monotonic() + (0 if refused else wait)
    try:
        with closing(where.place().target()) as target:
            while True:
                late = time.monotonic() > end
                try:
                    found = reading.passport(target, asked)
                    if found.ended or late:
                        return found
                except NotFound as error:
                    if late:
                        raise unknown(message, str(error)) from None
                time.sleep(0.3)
    except (CannotStart, Failed, OSError) as error:
        raise NotReady("The host's log could not be read.", remote.masked(words(error))) from None


def unknown(message: str | Letter, said: str) -> Trouble:
    what, _, why = said.partition("\n")
    if isinstance(message, Letter) and message.refused:
        what, why = f"“{message.subject}” was refused: {message.answer}", "A refused letter has no passport."
    return Trouble(what, why, "mailbox() and log() show what did arrive", "the end of notebook 02")


def located(letter: Letter, wait: float = PATIENCE) -> Whereabouts:
    """Where a letter is, once it has come to rest: delivered, held, refused, or put off with a reason."""
    try:
        found = followed(letter, wait)
    except Trouble:
        return Whereabouts(letter, None, "")
    path = ""
    if found.folders or "quarantine" in found.places:
        names = f"id={shlex.quote(letter.message_id)} home={shlex.quote(where.place().data['mail_home'])}"
        path = remote.execute(f"{names}\n{FILE}").out.strip()
    return Whereabouts(letter, found, path)


@stoppable()
def where_is(letter: Letter | html.Note, *, expect: str | Collection[str] = ()) -> html.Shown:
    """Where a letter has come to rest: a folder of its recipient, "queue", "quarantine", "refused", "bounced" or "nowhere".

    Raises NotExpected where it is in none of the places of `expect` after 25 seconds.
    """
    if isinstance(letter, html.Note):
        return letter
    wanted = {expect} if isinstance(expect, str) else set(expect)
    end = time.monotonic() + PATIENCE
    found = located(letter)
    while wanted and wanted.isdisjoint(found.places):
        if time.monotonic() > end:
            what = f"The letter is not in: {' or '.join(sorted(wanted))}"
            raise NotExpected(what, str(found), "passport(letter) shows its way")
        time.sleep(0.3)
        found = located(letter, 0.0)
    return found


@stoppable(
    "The letter may be gone from its mailbox on {host} already.",
    "{call} again; where_is(…) says whether it is still there.",
)
def take_out(letter: Letter | html.Note) -> html.Shown:
    """Remove a letter of an experiment from its recipient's folder or from quarantine. NotAllowed: no lab host."""
    if isinstance(letter, html.Note):
        return letter
    where.lab_only(where.place(), "Taking out letters")
    found = located(letter, 0.0)
    if found.path:
        remote.execute(f"rm -f -- {shlex.quote(found.path)}")
    return html.Note("Taken out.", f"“{letter.subject}” was in: {found.place}", "good")


@stoppable()
def headers(letter: Letter | html.Note, pattern: str = OURS) -> html.Shown:
    """The header fields, of a letter that was delivered or is held, whose name the regular expression finds."""
    if isinstance(letter, html.Note):
        return letter
    found = located(letter)
    if not found.path:
        return found
    # not masked: a signature is no secret, and looks like one
    fields = email.message_from_string(remote.execute(f"sed '/^$/q' {shlex.quote(found.path)}").out).items()
    rows = [f"{name}: {' '.join(value.split())}" for name, value in fields if re.match(pattern, name, re.IGNORECASE)]
    return html.Text("\n".join(rows) or "(no such field)", f"{found.place}: {found.path}")
