"""python -m postmaster: the way of a message, held mail, the settings for a mail client, and the records in the DNS."""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from checks.engine import inventory
from checks.engine.target import Target, domain_of
from checks.engine.verdicts import CannotStart, Failed, Skipped, words
from postmaster import card, picture, quarantine, reading, text
from postmaster.keys import command as keys
from postmaster.model import NotFound
from postmaster.reports import command as reports
from postmaster.zone import command as zone

EXAMPLES = """\
examples:
  python -m postmaster passport '<1234@example.net>'       every hop of a message, from the log
  python -m postmaster passport 4jXSW25B36zcWq5 --svg way.svg
  python -m postmaster quarantine                          the mail that Amavis holds
  python -m postmaster quarantine release virus-5mMRHWlt9jx5
  python -m postmaster card foo@example.org                the settings for a mail client
  python -m postmaster card foo@example.org --apple foo.mobileconfig
  python -m postmaster dns print                           the records that the server needs, as a zone file
  python -m postmaster dns check                           whether they are there, asked where they come from
  python -m postmaster dns check --hostname mail.example.org --domain example.org
  python -m postmaster dkim                                which key signs, and what to do next; rotate, switch, retire
  python -m postmaster reports                             DMARC reports that have arrived, as a table; or of FILES

The inventory's first server is asked (the lab's, unless MAILROOM_INVENTORY names another inventory); --host names another of it,
--ssh-host a server that is in no inventory (as root, by ~/.ssh/config).
Exit code: 0 found or done, 1 no such message or refused, 2 could not start."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m postmaster",
        description="The postmaster's desk. Addresses and verdicts are shown, never contents.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--host", default="", metavar="NAME", help="which server of the inventory")
    where.add_argument(
        "--ssh-host", default="", metavar="HOST", help="a server that is in no inventory: SSH to it, as root"
    )
    where.add_argument("--ssh-config", type=Path, metavar="FILE", help="~/.ssh/config if not given")
    where.add_argument("--json", action="store_true", help="as JSON on stdout")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    one = commands.add_parser("passport", parents=[where], help="every hop of a message")
    one.add_argument("id", help="its Message-ID or a queue id")
    one.add_argument("--since", default="", metavar="TIME", help="as journalctl takes it: '-2 days', '2026-11-20'")
    one.add_argument("--svg", type=Path, metavar="FILE", help="write the picture there")
    one.add_argument("--all", action="store_true", help="name every recipient")
    one.add_argument("--log", action="store_true", help="the log's lines under each hop")
    one = commands.add_parser("quarantine", parents=[where], help="list, show or release held mail")
    one.add_argument("action", nargs="?", choices=("list", "show", "release"), default="list")
    one.add_argument("id", nargs="?", default="", help="as the list shows it")
    one = commands.add_parser("card", parents=[where], help="the settings for a mail client")
    one.add_argument("address", nargs="?", default="", help="the account; for any, if not given")
    one.add_argument("--apple", type=Path, metavar="FILE", help="write a profile for Apple's devices there")
    one = commands.add_parser(
        "dns", parents=[where], help="the records that the server needs: print them, or check them"
    )
    zone.arguments(one)
    one = commands.add_parser(
        "dkim", parents=[where], help="the keys that sign: their state, and a new one in their place"
    )
    keys.arguments(one)
    one = commands.add_parser(
        "reports", parents=[where], help="DMARC reports, from their mailbox or from files, as a table"
    )
    reports.arguments(one)
    return top


def target_of(options: argparse.Namespace) -> Target:
    """The server that is asked; for dns, it may be known by its name alone; for reports from files there is none."""
    if options.command == "dns" and zone.alone(options):
        return zone.by_name(options)
    if options.command == "reports" and reports.alone(options):
        return Target(hostname="", address="", domain="")
    if not options.ssh_host:
        via = "" if options.command in ("dns", "dkim") else "direct"  # in the lab, the DNS is asked from a client
        return inventory.server(options.host).target(via, secrets=False)
    config = options.ssh_config or Path("~/.ssh/config").expanduser()
    name = options.ssh_host
    return Target(hostname=name, address=name, domain=domain_of(name), ssh_host=name, ssh_config=config)


def main(arguments: Sequence[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without arrows gets question marks, not a stack trace
    top = parser()
    options = top.parse_args(arguments)
    if options.command == "quarantine" and (options.action == "list") == bool(options.id):
        top.error("list takes no ID; show and release take one")
    target = None
    try:
        target = target_of(options)
        if target.ssh_host:
            target.server  # noqa: B018  # connect, or say why not
    except (CannotStart, Failed, Skipped) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        return COMMANDS[options.command](target, options)
    except NotFound as error:
        print(error, file=sys.stderr)
        return 1
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 2
    except (Failed, OSError) as error:
        print(f"{target.hostname} did not answer as it should: {words(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        target.close()


def passport(target: Target, options: argparse.Namespace) -> int:
    found = reading.passport(target, options.id, options.since)
    if options.svg:
        try:
            options.svg.write_text(picture.document(found))
        except OSError as error:
            print(f"The picture cannot be written to {options.svg}: {error.strerror}.", file=sys.stderr)
            return 2
        print(f"The picture is in {options.svg}.", file=sys.stderr)
    if options.json:
        print(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
    else:
        text.show(found, everybody=options.all, log=options.log)
    return 0


def dns(target: Target, options: argparse.Namespace) -> int:
    named = zone.alone(options) or options.ssh_host
    return zone.command(target, options, None if named else inventory.server(options.host))


def dkim(target: Target, options: argparse.Namespace) -> int:
    return keys.command(target, options, None if options.ssh_host else inventory.server(options.host))


COMMANDS = {"passport": passport, "quarantine": quarantine.command, "card": card.command, "dns": dns}
COMMANDS |= {"dkim": dkim, "reports": reports.command}

if __name__ == "__main__":
    sys.exit(main())
