"""A message with a virus: it reaches nobody, it is held, and its forged sender hears nothing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from checks import amavis_conf, applied
from checks.delivery import PATIENCE, letter
from checks.mail import smtp
from checks.model import Failed, check
from checks.post import files, hand_over, taken
from checks.samples import EICAR
from checks.submission import log_in
from checks.target import Target

BELT = ("ssh", "smtp", "postgresql")
# Not Auto-Submitted, as other letters of ours: nobody ever answers a robot.
PERSON = ("X-Mailroom", "check")


@dataclass(frozen=True)
class Caught:
    """What became of a message with a virus: the reply, the file that holds it, and whoever got it all the same."""

    reply: str
    held: str
    reached: str
    answered: str


@check(
    "amavis.filter.virus",
    "A virus reaches no mailbox",
    negative=True,
    elsewhere=True,
    needs=BELT,
    remedy="content_filter in main.cf, and chapter 3, clamav.",
)
def virus(target: Target) -> str:
    found = caught(target)
    if found.reached:
        raise Failed(f"delivered as {found.reached}")
    return f"port 25 says {found.reply}; held as {found.held}" if found.held else found.reply


@check(
    "amavis.filter.no_answer",
    "Its forged sender hears nothing of it",
    negative=True,
    elsewhere=True,
    needs=BELT,
    remedy="$final_virus_destiny = D_DISCARD: after the queue, a refusal becomes a bounce.",
)
def no_answer(target: Target) -> str:
    found = caught(target)
    if found.answered:
        raise Failed(found.answered)
    return "no message to it in Postfix's log or queue"


@check(
    "amavis.filter.held",
    "It is held where the postmaster can look at it",
    elsewhere=True,
    needs=BELT,
    remedy="$virus_quarantine_method = 'local:virus-%m'; see chapter 3, quarantine.",
)
def held(target: Target) -> str:
    found = caught(target)
    if not found.held and not found.reply.startswith("250"):
        return f"refused at the door: {found.reply}"
    if not found.held:
        raise Failed("neither in quarantine nor in a mailbox")
    return found.held


def caught(target: Target) -> Caught:
    """EICAR from a stranger whom nobody else knows, to bar; sent once in a run."""
    applied.antivirus(target)
    return target.keep("eicar", lambda: brought(target))


def brought(target: Target) -> Caught:
    sender, (bar, _) = f"stranger-{uuid4().hex}@example.net", target.account(1)
    mark, message = letter(target, sender, bar, PERSON, attached=EICAR)
    folder = amavis_conf.settings(target)["quarantine"]
    reply = hand_over(target, sender, bar, message)
    where = target.shell(
        f"for try in $(seq {int(PATIENCE * 10)}); do found=$(grep -rlF -- '{mark}' {folder} | head -n 1); "
        f'[ -n "$found" ] || found=$({files(target, bar, mark)} | head -n 1); '
        '[ -n "$found" ] && rm -- "$found" 2>/dev/null && echo "$found" && break; sleep 0.1; done',
        may_fail=True,
        timeout=PATIENCE + 15,
    )
    reached = "" if where.startswith(folder) else where or taken(target, mark, bar, 0)[0]
    answered = target.shell(
        f"journalctl -q --no-pager -o cat --since '-2 minutes' -u 'postfix*' | grep -F 'to=<{sender}>' | "
        f"grep -v 'orig_to' | tail -n 1; mailq | grep -F ' {sender}' | head -n 1",
        may_fail=True,
    )
    return Caught(reply, where if where.startswith(folder) else "", reached, answered)


@check(
    "amavis.filter.own_virus",
    "What our own people send is scanned too, and they are told",
    needs=("ssh", "smtp", "postgresql"),
    remedy="content_filter=smtp-amavis:[127.0.0.1]:10026 for submission and submissions in master.cf.",
)
def own_virus(target: Target) -> str:
    applied.antivirus(target)
    applied.front_desk(target)
    (foo, password), (bar, _) = target.account(0), target.account(1)
    mark, message = letter(target, foo, bar, PERSON, attached=EICAR)
    with smtp(target, 587) as session:
        log_in(session, foo, password)
        session.sendmail(foo, [bar], message)
    path, text = taken(target, mark, foo)
    target.shell(f"grep -rlF -- '{mark}' {amavis_conf.settings(target)['quarantine']} | xargs -r rm -f", may_fail=True)
    if reached := taken(target, mark, bar, 0)[0]:
        raise Failed(f"delivered as {reached}")
    if not path:
        raise Failed(f"{foo} heard nothing within {PATIENCE:.0f} s")
    words = " ".join(text.split())
    return f"not delivered; {foo} reads: {'INFECTED' if 'INFECTED' in words.upper() else words[:60]}"
