"""Where a letter of the postal union stands, by the passports of both servers."""

from typing import Any

from checks.engine.target import Target
from checks.engine.verdicts import CannotStart, Finding
from classroom.letters import Letter
from lab import state
from postmaster import reading
from postmaster.model import NotFound, Passport


def trace(letter: Letter, records: dict[str, state.Record]) -> None:
    """Write down what became of the letter: first by the sender's log, then, once it has left, by the recipient's."""
    for name in (letter.sender, letter.recipient):
        if name not in records:
            continue
        try:
            found = passport(records[name], letter.message_id)
        except NotFound:
            untouched = "its Postfix has not taken it up; is Postfix running there?"
            unseen = "its log has no line of it, and the sender's says that it was delivered there"
            letter.state = "waiting" if name == letter.sender else "lost"
            letter.why = f"{name}: {untouched if name == letter.sender else unseen}"
            return
        except (CannotStart, Finding, OSError):
            letter.state, letter.why = "lost", f"{name} does not answer by SSH, so its log says nothing"
            return
        hop = next((one for one in found.ends if one.mood != "good"), None)
        if hop:
            letter.state = "waiting" if hop.verdict == "deferred" else "refused"
            letter.why = f"{hop.station} on {name}: {hop.verdict}{f', {hop.what}' if hop.what else ''}"
            return
        if not found.ended:
            letter.why = f"{found.ends[-1].station} on {name} has it, and it goes on"
            return
    letter.state, letter.why = "lost", f"{letter.recipient} has taken it, and it is in no folder of foo's"


def passport(record: dict[str, Any], message_id: str) -> Passport:
    """The way of the letter on this host. NotFound: its log has none."""
    target = Target(
        hostname=record["fqdn"],
        address=record["address"],
        domain=record["domain"],
        ssh_host=record["name"],
        ssh_config=state.path("ssh_config"),
    )
    try:
        return reading.passport(target, message_id)
    finally:
        target.close()
