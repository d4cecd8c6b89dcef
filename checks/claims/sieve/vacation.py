"""The vacation responder: one answer to a person, none to a list (RFC 5230)."""

import email
import time
from email.message import EmailMessage
from uuid import uuid4

from imapclient import IMAPClient

from checks.clients import mail, managesieve
from checks.engine import Failed, Target, claim, negative, once_a_run

SCRIPT = 'require "vacation";\nvacation :days 1 :handle "{word}" :subject "{word}" "I am away.";\n'
# What the tests of a message need: who reads To, answers; who finds one of these, does not.
LIST = (("List-Id", "<people.example.org>"), ("Precedence", "list"))


@claim(
    "A person who writes to one on vacation gets one answer, and only one",
    needs="submission smtp-tls sending managesieve lmtp",
    remedy="Is the recipient's address in To? See chapter 5, vacation; journalctl -u dovecot | grep vacation",
)
def answers(target: Target) -> str:
    first, second, _, heard = written(target)
    to_these = [str(one["In-Reply-To"]) for one in heard]
    if to_these.count(first) != 1:
        raise Failed(f"{to_these.count(first)} answers to the first letter")
    if second in to_these:
        raise Failed("a second letter was answered too")
    one = heard[to_these.index(first)]
    if target.bar not in str(one["From"]) or not str(one["Auto-Submitted"]).startswith("auto-replied"):
        raise Failed(f"From: {one['From']}; Auto-Submitted: {one['Auto-Submitted']}")
    return f"one, from {one['From']}, Auto-Submitted: {one['Auto-Submitted']}"


@negative(
    "Who writes by way of a mailing list gets none",
    needs="submission smtp-tls sending managesieve lmtp",
    remedy="This is Pigeonhole's own rule: has somebody scripted an answer without vacation?",
)
def not_to_lists(target: Target) -> str:
    _, _, listed, heard = written(target)
    if any(str(one["In-Reply-To"]) == listed for one in heard):
        raise Failed("the list was answered")
    return "none to a letter with List-Id"


@once_a_run
def written(target: Target) -> tuple[str, str, str, list[EmailMessage]]:
    """The marks of two personal letters and one by a list, from foo to bar, and what came back to foo."""
    target.two_accounts("nobody gets an answer of their own")
    word = f"mailroom check {uuid4().hex}"
    # The list's first: an answer to it would be there before the one that is waited for.
    letters = [mail.compose(target, target.foo, target.bar, *kind) for kind in (LIST, [mail.PERSON], [mail.PERSON])]
    marks = [mark for mark, _ in letters]
    with managesieve.session(target, 1) as client, mail.imap(target, 1) as theirs, mail.imap(target, 0) as ours:
        if not client.putscript(managesieve.NAME, SCRIPT.format(word=word)) or not client.setactive(managesieve.NAME):
            raise Failed(client.words())
        try:
            for mark, message in letters:
                mail.submit(target, message, target.bar)
                if not mail.find(theirs, "INBOX", mark):
                    raise Failed("a letter to the one on vacation did not arrive")
            heard = replies(target, ours, word)
        finally:
            for mark in marks:
                mail.remove(theirs, "INBOX", mark)
    return marks[1], marks[2], marks[0], heard


def replies(target: Target, client: IMAPClient, word: str) -> list[EmailMessage]:
    """The answers of that subject, taken out of INBOX once none is on its way any more."""
    client.select_folder("INBOX")
    end = time.monotonic() + mail.DELIVERY
    while not client.search(["SUBJECT", word]) and time.monotonic() < end:
        time.sleep(0.1)
        client.noop()
    target.shell(
        f"for try in $(seq 50); do postqueue -p | grep -qF ' {target.foo}' || break; sleep 0.1; done", may_fail=True
    )
    client.noop()
    uids = client.search(["SUBJECT", word])
    texts = [part[b"BODY[]"] for part in client.fetch(uids, ["BODY.PEEK[]"]).values()] if uids else []
    if uids:
        client.add_flags(uids, [b"\\Deleted"], silent=True)
        client.uid_expunge(uids)
    return [email.message_from_bytes(text, policy=email.policy.default) for text in texts]
