"""python -m postmaster: the way of a message, and held mail."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from checks.engine import inventory
from checks.engine.target import Target, domain_of
from checks.engine.verdicts import CannotStart, Failed, Skipped
from postmaster import picture, quarantine, reading, text
from postmaster.model import NotFound

EXAMPLES = """\
examples:
  python -m postmaster passport '<1234@example.net>'       every hop of a message, from the log
  python -m postmaster passport 4jXSW25B36zcWq5 --svg way.svg
  python -m postmaster quarantine                          the mail that Amavis holds
  python -m postmaster quarantine release virus-5mMRHWlt9jx5

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
    return top


def target_of(options: argparse.Namespace) -> Target:
    if not options.ssh_host:
        return inventory.server(options.host).target("direct", secrets=False)
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
        target.server  # noqa: B018  # connect, or say why not
    except (CannotStart, Failed, Skipped) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        return passport(target, options) if options.command == "passport" else quarantine.command(target, options)
    except NotFound as error:
        print(error, file=sys.stderr)
        return 1
    except (Failed, OSError) as error:
        print(f"{target.hostname} did not answer as it should: {error}", file=sys.stderr)
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


if __name__ == "__main__":
    sys.exit(main())
