"""Learning from the user's own hand: what is moved into Junk is spam, what goes back to the inbox is not."""

import shlex
from dataclasses import dataclass

from checks.clients import host, mail
from checks.engine import Failed, Target, claim, negative, once_a_run

PATIENCE = 20.0  # sa-learn is a program of its own, and gentle
SPOOL = "/var/spool/mailroom-learn"
UNIT = "mailroom-learn"
BAYES = "cd /; runuser -u amavis -- sa-learn"
COUNTS = (
    BAYES
    + " --dump magic 2>/dev/null | sed -nE 's/^[0-9. ]+ ([0-9]+) +[0-9]+ +non-token data: (nspam|nham)$/\\2 \\1/p'"
)


@claim(
    "A message moved into Junk is learned as spam",
    needs="ssh login amavis",
    remedy=f"journalctl -u dovecot | grep imapsieve; systemctl status {UNIT}.path; ls {SPOOL}/spam",
)
def spam(target: Target) -> str:
    lesson = taught(target)
    if lesson.as_spam["nspam"] != lesson.before["nspam"] + 1:
        raise Failed(f"nspam stays at {lesson.before['nspam']}")
    return f"nspam {lesson.before['nspam']} → {lesson.as_spam['nspam']}"


@negative(
    "Moved out again, it is learned as none",
    needs="ssh login amavis",
    remedy=f"journalctl -u dovecot | grep imapsieve; systemctl status {UNIT}.path; ls {SPOOL}/ham",
)
def ham(target: Target) -> str:
    lesson = taught(target)
    if lesson.as_ham["nham"] != lesson.as_spam["nham"] + 1:
        raise Failed(f"nham stays at {lesson.as_spam['nham']}")
    return f"nham {lesson.as_spam['nham']} → {lesson.as_ham['nham']}, nspam back to {lesson.as_ham['nspam']}"


@negative(
    "Only Dovecot puts messages there to be learned, and only Amavis reads them",
    needs="ssh amavis",
    remedy=f"{SPOOL} is for the mail's owner and the group amavis; see chapter 5, learning.",
)
def private(target: Target) -> str:
    listed = host.files(target, f"find {SPOOL} -type d")
    host.closed_to_others(listed)
    return f"{listed[0]} {listed[0].path}"


@dataclass(frozen=True)
class Lesson:
    """The counts of Bayes before, after a move into Junk, and after the way back."""

    before: dict[str, int]
    as_spam: dict[str, int]
    as_ham: dict[str, int]


@once_a_run
def taught(target: Target) -> Lesson:
    """One letter's way into Junk and out of it, forgotten again at the end."""
    if not target.once(f"ls -d {SPOOL} 2>/dev/null"):
        raise Failed(f"there is no {SPOOL}", "See chapter 5, learning.")
    mark, message = mail.compose(target, target.stranger, target.bar)
    before, lessons = counts(target), learned(target)
    with mail.imap(target, 1) as client:
        try:
            client.append("INBOX", message)
            client.move(mail.find(client, "INBOX", mark), "Junk")
            if learned(target, lessons + 1) == lessons:
                raise Failed(f"nothing was learned within {PATIENCE:.0f} s of the move into Junk")
            as_spam = counts(target)
            client.move(mail.find(client, "Junk", mark), "INBOX")
            learned(target, lessons + 2)
            as_ham = counts(target)
        finally:
            mail.remove(client, "INBOX", mark)
            mail.remove(client, "Junk", mark)
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
