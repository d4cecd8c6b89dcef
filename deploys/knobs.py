"""The knobs of chapters 3 and 5, checked: numbers in their range, signatures in their form."""

import re
from typing import Any

SOURCE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.-]*$|^[0-9A-Fa-f:]+$")
HDB = re.compile(r"^[0-9a-f]{32}:(\d+|\*):[A-Za-z0-9._-]+(:\d+)?$")


def filter_problems(values: dict[str, Any]) -> list[str]:
    """What is wrong with the data of the filters, one sentence each; [] when nothing is."""
    problems = []
    for key in ("antivirus", "signature_updates", "spam_network_tests"):
        if not isinstance(values.get(key), bool):
            problems.append(f"{key} = {values.get(key)!r} has to be True or False")
    if not _within(values.get("amavis_processes"), 1, 64, int):
        problems.append(
            f"amavis_processes = {values.get('amavis_processes')!r} has to be a number from 1 to 64; "
            "each takes some 60 MB, and 2 suit a server of 2 GB"
        )
    if not _within(values.get("quarantine_days"), 1, 3650, int):
        problems.append(
            f"quarantine_days = {values.get('quarantine_days')!r} has to be a number of days from 1 to 3650"
        )
    score, refuse = values.get("spam_score"), values.get("spam_refuse_score")
    if not _within(score, 1, 100, int, float):
        problems.append(f"spam_score = {score!r} has to be a number from 1 to 100; SpamAssassin's own is 5.0")
    if refuse is not None and not _within(refuse, 1, 10000, int, float):
        problems.append(
            f"spam_refuse_score = {refuse!r} has to be None, or a number from 1 to 10000; 15 is a careful one"
        )
    elif refuse is not None and _within(score, 1, 100, int, float) and refuse < score:
        problems.append(
            f"spam_refuse_score = {refuse!r} is below spam_score = {score!r}: what is not even filed as spam would be refused"
        )
    signatures = values.get("virus_signatures")
    if not isinstance(signatures, (list, tuple)):
        problems.append("virus_signatures has to be a list, in square brackets")
    else:
        problems += [
            f"virus_signatures: {line!r} is not a line of a .hdb file, like 44d88612fea8a8f36de82e1278abb02f:68:Name "
            "(https://docs.clamav.net/manual/Signatures/HashSignatures.html)"
            for line in signatures
            if not HDB.match(str(line))
        ]
    if values.get("antivirus") is True and values.get("signature_updates") is False and not signatures:
        problems.append(
            "antivirus is True, but signature_updates is False and virus_signatures is empty: clamd does not start without "
            "a signature. Set signature_updates = True, or antivirus = False"
        )
    return problems


def dovecot_problems(values: dict[str, Any]) -> list[str]:
    """The same of chapter 5: whom chrony asks, and whether Dovecot logs more."""
    problems = []
    if not isinstance(values.get("mail_debug"), bool):
        problems.append(f"mail_debug = {values.get('mail_debug')!r} has to be True or False")
    sources = values.get("time_sources")
    if not isinstance(sources, (list, tuple)):
        return [*problems, "time_sources has to be a list, in square brackets"]
    return problems + [
        f"time_sources: {name!r} is neither a host name nor an address, like ntp.example.org"
        for name in sources
        if not SOURCE.fullmatch(str(name))
    ]


def _within(value: Any, least: float, most: float, *types: type) -> bool:
    return isinstance(value, types) and not isinstance(value, bool) and least <= value <= most  # type: ignore[operator]
