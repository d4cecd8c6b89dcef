"""python -m postmaster reports: DMARC reports from a mailbox of the server, or from files, as a table."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from checks.engine.target import Target
from checks.engine.verdicts import CannotStart
from postmaster.model import NotFound
from postmaster.quarantine import words
from postmaster.reports import mailbox, sources
from postmaster.reports.read import address, report
from postmaster.reports.told import Found, as_dict, told
from postmaster.reports.unpack import Bad, NoReport, documents
from postmaster.zone import host

NAMED = 100  # of how many addresses the name is asked
LARGEST = 100 * 2**20  # bytes of a file
TOGETHER = 512 * 2**20  # bytes of all reports, unpacked
Read = Iterator[tuple[str, bytes | str]]


def arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help=".xml, .xml.gz, .zip or .eml, whatever they are called"
    )
    one.add_argument(
        "--mailbox", default="", metavar="ADDRESS", help="where reports arrive (postmaster@ each mail domain)"
    )
    one.add_argument(
        "--days", type=int, default=30, metavar="N", help="of the mailbox: letters of the last N days (30)"
    )
    one.add_argument(
        "--address", action="append", default=[], metavar="IP", help="one of ours, that the host does not know (NAT)"
    )


def alone(options: argparse.Namespace) -> bool:
    """Whether only files were given: then no host is asked, and --address says what is ours."""
    return bool(options.files) and not (options.host or options.ssh_host)


def command(target: Target, options: argparse.Namespace) -> int:
    """0 read, 1 a file that was given could not be, 2 nobody could be asked."""
    ours = {address(one) for one in options.address}
    if "" in ours:
        raise CannotStart(f"{', '.join(options.address)}: --address takes an IP address.")
    if not 0 < options.days <= 36500:
        raise CannotStart("--days takes a number of days, from 1 to 36500.")
    domains: tuple[str, ...] = ()
    if not alone(options):
        about = host.facts(target, tuple(options.address))
        ours |= {address(one) for one in (*about.addresses, *about.private)}
        domains = about.domains
    if options.files:
        found = gathered(", ".join(map(str, options.files[:3])), from_files(options.files), domains)
    else:
        asked = [options.mailbox] if options.mailbox else [f"postmaster@{domain}" for domain in domains]
        users = mailbox.mailboxes(target, asked)
        if not users:
            raise NotFound(
                f"{', '.join(asked)} leads to no mailbox of {target.hostname}; nothing was read. An alias for it in accounts.json, or "
                "the mailbox that rua= of your DMARC record names: --mailbox ADDRESS"
            )
        every = (one for user in users for one in mailbox.letters(target, user, options.days))
        found = gathered(f"{', '.join(users)} on {target.hostname}", every, domains)
    rows = sources.summed(found.reports.values(), ours)
    if not alone(options):
        known = mailbox.names(target, [one.address for one in rows[:NAMED]])
        for one in rows:
            one.name = words(known.get(one.address, ""))
    if options.json:
        print(json.dumps(as_dict(found, rows), indent=2, ensure_ascii=False))
    else:
        told(found, rows, bool(ours))
    for name, why in found.bad:
        print(f"Passed over: {name}: {why}.", file=sys.stderr)
    return 1 if options.files and found.bad else 0


def from_files(files: Iterable[Path]) -> Read:
    for file in files:
        try:
            if not file.is_file():
                yield str(file), "no such file" if not file.exists() else "no file"
            elif file.stat().st_size > LARGEST:
                yield str(file), f"it has more than {LARGEST >> 20} MiB"
            else:
                yield str(file), file.read_bytes()
        except OSError as error:
            yield str(file), error.strerror or "it cannot be read"


def gathered(where: str, read: Iterable[tuple[str, bytes | str]], domains: tuple[str, ...]) -> Found:
    """Each report once. With `domains`, a report about another one is none of ours: anybody may send one."""
    found, size = Found(where), 0
    for name, content in read:
        if size > TOGETHER:
            content = f"those before it were {TOGETHER >> 20} MiB, unpacked; fewer at a time: --days, or files"
        if isinstance(content, str):
            found.bad.append((words(name), content))
            continue
        try:
            for each, text in documents(content, name):
                size += len(text)
                take(found, each, text, domains)
        except NoReport as error:
            if not name.startswith("letter "):
                found.bad.append((words(name), str(error)))
        except Bad as error:
            found.bad.append((words(name), words(str(error))))
    return found


def take(found: Found, name: str, text: bytes, domains: tuple[str, ...]) -> None:
    try:
        one = report(text)
    except Bad as error:
        found.bad.append((words(name), words(str(error))))
        return
    if domains and not any(one.domain == ours or one.domain.endswith(f".{ours}") for ours in domains):
        found.bad.append((words(name), f"it is about {one.domain}, which is no mail domain of this server"))
    elif one.key in found.reports:
        found.again += 1
    else:
        found.reports[one.key] = one
        if one.unread:
            found.bad.append(
                (words(name), f"{one.unread} of its records have no address or no number of letters; the others count")
            )
