"""What the DNS says of each key, and what to do next."""

from dataclasses import dataclass
from typing import Any

from postmaster.keys import state
from postmaster.keys.state import Domain, Key, State, day
from postmaster.zone import signing
from postmaster.zone.ask import Authorities
from postmaster.zone.need import LATER, Verdict


@dataclass(frozen=True)
class Asked:
    """What the DNS says of a key's record."""

    key: Key
    verdict: Verdict


def record(key: Key, names: Authorities) -> Asked:
    if key.role == "gone":
        answer = signing.followed(key.name, names)
        left = [value for value in answer.values if signing.key(value)]
        if answer.problem:
            return Asked(key, Verdict("unknown", answer.problem, LATER))
        if left:
            return Asked(
                key, Verdict("advice", "its key is gone", "Take the record away, or empty it to p=", answer.values)
            )
        return Asked(key, Verdict("unneeded", "revoked" if answer.values else "taken away"))
    which = "the key that signs" if key.role == "signs" else "the host's key"
    return Asked(key, signing.judge(key.name, key.record, names, which))


def recent(one: Domain) -> list[Key]:
    """All but the oldest of those that are gone."""
    gone = one.those("gone")[2:]
    return [key for key in one.keys if key not in gone]


def row(found: State, one: Domain, asked: list[Asked]) -> dict[str, Any]:
    keys = []
    for each in asked:
        key, verdict = each.key, each.verdict
        absent = {
            "signs": "wrong",
            "next": "wrong",
            "old": "wrong" if key.keep and found.now < key.keep else "unneeded",
        }
        keys.append(
            {
                "selector": key.selector, "role": key.role, "record": key.name, "want": key.record if key.public else "",
                **{name: getattr(key, name).isoformat() if getattr(key, name) else "" for name in ("since", "until", "keep")},
                "sign": absent.get(key.role, "unneeded") if verdict.sign == "missing" else verdict.sign,
                "says": verdict.says, "remedy": verdict.remedy,
            }
        )  # fmt: skip
    return {"domain": one.name, "trouble": one.trouble, "keys": keys, "next": advice(found, one, asked)}


def advice(found: State, one: Domain, asked: list[Asked]) -> str:
    """What to do next, the most urgent first; "" where nothing is."""
    by_role = {role: [each for each in asked if each.key.role == role] for role in ("signs", "next", "old", "gone")}
    if one.trouble:
        return one.trouble
    if one.stale:
        return "A switch was cut off before Amavis was restarted: python -m postmaster dkim switch"
    for each in by_role["signs"]:
        if each.verdict.sign in ("wrong", "missing", "advice"):
            return each.verdict.remedy
    for each in by_role["next"]:
        if each.verdict.sign == "right":
            return "Its record is there: python -m postmaster dkim switch"
        return "Publish the next key's record (python -m postmaster dkim rotate prints it), then: python -m postmaster dkim switch"
    for each in by_role["old"]:
        if each.key.keep and found.now >= each.key.keep:
            return "No letter needs the old key: python -m postmaster dkim retire"
        if each.verdict.sign in ("wrong", "missing"):
            return f"Until {day(each.key.keep)}, letters on their way need the old record, too. {each.verdict.remedy}"
        return f"Leave the record of {each.key.selector} where it is until {day(each.key.keep)}."
    for each in by_role["gone"]:
        if each.verdict.sign == "advice":
            return f"Take the record {each.key.name} away, or empty it to p="
    if one.signs and one.signs.since and found.now - one.signs.since > state.YEAR:
        return "It has signed for more than a year: python -m postmaster dkim rotate"
    return ""
