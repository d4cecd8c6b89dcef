"""Learning from the user's own hand: what is moved into Junk is spam, what goes back to the inbox is not."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from checks import applied
from checks.delivery import found, letter, remove
from checks.mail import STRANGER, imap
from checks.model import Failed, check
from checks.target import Target

PATIENCE = 20.0  # sa-learn is a program of its own, and gentle
NEEDS = ("ssh", "login")
SPOOL = "/var/spool/mailroom-learn"
UNIT = "mailroom-learn"
BAYES = "cd /; runuser -u amavis -- sa-learn"
COUNTS = (
    BAYES
    + " --dump magic 2>/dev/null | sed -nE 's/^[0-9. ]+ ([0-9]+) +[0-9]+ +non-token data: (nspam|nham)$/\\2 \\1/p'"
)


@dataclass(frozen=True)
class Lesson:
    """The counts of Bayes before, after a move into Junk, and after the way back."""

    before: dict[str, int]
    as_spam: dict[str, int]
    as_ham: dict[str, int]


@check(
    "sieve.learning.spam",
    "A message moved into Junk is learned as spam",
    needs=NEEDS,
    remedy=f"journalctl -u dovecot | grep imapsieve; systemctl status {UNIT}.path; ls {SPOOL}/spam",
)
def spam(target: Target) -> str:
    applied.sieving(target)
    applied.filtering(target)
    lesson = target.keep("lesson", lambda: taught(target))
    if lesson.as_spam["nspam"] != lesson.before["nspam"] + 1:
        raise Failed(f"nspam stays at {lesson.before['nspam']}")
    return f"nspam {lesson.before['nspam']} → {lesson.as_spam['nspam']}"


@check(
    "sieve.learning.ham",
    "Moved out again, it is learned as none",
    negative=True,
    needs=NEEDS,
    remedy=f"journalctl -u dovecot | grep imapsieve; systemctl status {UNIT}.path; ls {SPOOL}/ham",
)
def ham(target: Target) -> str:
    applied.sieving(target)
    applied.filtering(target)
    lesson = target.keep("lesson", lambda: taught(target))
    if lesson.as_ham["nham"] != lesson.as_spam["nham"] + 1:
        raise Failed(f"nham stays at {lesson.as_spam['nham']}")
    return f"nham {lesson.as_spam['nham']} → {lesson.as_ham['nham']}, nspam back to {lesson.as_ham['nspam']}"


@check(
    "sieve.learning.private",
    "Only Dovecot puts messages there to be learned, and only Amavis reads them",
    negative=True,
    needs=("ssh",),
    remedy=f"{SPOOL} is for the mail's owner and the group amavis; see chapter 5, learning.",
)
def private(target: Target) -> str:
    applied.sieving(target)
    applied.filtering(target)
    found = target.shell(f"find {SPOOL} -type d -printf '%m %u:%g %p\\n'")
    wrong = [line for line in found.splitlines() if int(line.split()[0], 8) & 0o007]
    if wrong:
        raise Failed("; ".join(wrong))
    return found.splitlines()[0]


def taught(target: Target) -> Lesson:
    """One letter's way into Junk and out of it, forgotten again at the end."""
    bar = target.account(1)[0]
    if not target.once(f"ls -d {SPOOL} 2>/dev/null"):
        raise Failed(f"there is no {SPOOL}", "See chapter 5, learning.")
    mark, message = letter(target, STRANGER, bar)
    before, lessons = counts(target), learned(target)
    with imap(target, 1) as client:
        try:
            client.append("INBOX", message)
            client.move(found(client, "INBOX", mark), "Junk")
            if learned(target, lessons + 1) == lessons:
                raise Failed(f"nothing was learned within {PATIENCE:.0f} s of the move into Junk")
            as_spam = counts(target)
            client.move(found(client, "Junk", mark), "INBOX")
            learned(target, lessons + 2)
            as_ham = counts(target)
        finally:
            remove(client, "INBOX", mark)
            remove(client, "Junk", mark)
            target.shell(f"printf '%s' {shlex.quote(message.decode())} | ({BAYES} --forget)", may_fail=True)
    return Lesson(before, as_spam, as_ham)


def learned(target: Target, least: int = 0) -> int:
    """How often the unit has learned something, by its journal; waits until it was so often. Cheaper than asking Bayes."""
    count = f"journalctl -q --no-pager -o cat -u {UNIT} | grep -c '^Learned tokens from [1-9]'"
    loop = f'for try in $(seq {int(PATIENCE * 5)}); do n=$({count}); [ "$n" -ge {least} ] && break; sleep 0.2; done; echo $n'
    return int(target.shell(loop, may_fail=True, timeout=PATIENCE + 20))


def counts(target: Target) -> dict[str, int]:
    """How many messages Bayes has learned of each kind."""
    pairs = dict(line.split() for line in target.shell(COUNTS, may_fail=True, timeout=30).splitlines() if " " in line)
    return {name: int(pairs.get(name, 0)) for name in ("nspam", "nham")}
