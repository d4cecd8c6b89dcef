"""python -m checks: prove, from outside, that the mail server does what the chapters say."""

import argparse
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

import checks
from checks.engine import inventory, report
from checks.engine.target import Target, domain_of, named, read_json
from checks.engine.verdicts import CannotStart, words


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="python -m checks",
        description=f"{__doc__} The inventory's first server is asked (the lab's, unless MAILROOM_INVENTORY names another "
        "inventory); --hostname names one that is in no inventory.",
        epilog="Exit code: 0 all well, 1 something failed, 2 could not start. Wrong passwords are "
        "tried on purpose: where failed logins lead to a ban, use --skip '*.wrong_*'.",
    )
    p.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="GLOB",
        help="checks or steps, such as 'dovecot.tls' or '*.claim'; may be repeated",
    )
    p.add_argument("--skip", action="append", default=[], metavar="GLOB", help="leave these out")
    p.add_argument("--chapter", type=int, metavar="N", help="one chapter only")
    p.add_argument("--list", action="store_true", help="show the checks and stop")
    p.add_argument("--short", action="store_true", help="count what passed; only what did not is told in full")
    p.add_argument("--json", action="store_true", help="the results as JSON on stdout")
    p.add_argument(
        "--via", default="", metavar="direct|HOST", help="connect from here, or from a host reached over SSH"
    )
    p.add_argument("--ipv6", action="store_true", help="over IPv6: the server by its name's AAAA address")
    p.add_argument("--host", default="", metavar="NAME", help="which server of the inventory")
    own = p.add_argument_group("a server that is in no inventory")
    own.add_argument("--hostname", metavar="FQDN", help="its name, as in its certificate")
    own.add_argument("--address", help="its address; its name if not given")
    own.add_argument("--domain", help="the mail domain; the host name's if not given")
    own.add_argument(
        "--accounts-file",
        type=Path,
        metavar="JSON",
        help='{"foo@example.org": "password", …}: two accounts to test with',
    )
    own.add_argument("--secrets-file", type=Path, metavar="JSON", help='{"mailreader": "password"}: the database role')
    own.add_argument("--ssh-host", default="", metavar="HOST", help="SSH to it, as root")
    own.add_argument("--ssh-config", type=Path, metavar="FILE", help="~/.ssh/config if not given")
    own.add_argument("--certificate", metavar="PATH", help=f"where it is on the host ({Target.certificate})")
    own.add_argument("--key", metavar="PATH", help=f"where its key is on the host ({Target.key})")
    own.add_argument("--mail-home", metavar="PATH", help=f"where the mail lies ({Target.mail_home})")
    own.add_argument("--mail-owner", metavar="USER", help=f"whose it is ({Target.mail_owner})")
    own.add_argument(
        "--also-port",
        type=int,
        action="append",
        default=[],
        metavar="PORT",
        help="a further port that is meant to listen",
    )
    return p


def target_of(options: argparse.Namespace) -> Target:
    server = None if options.hostname else inventory.server(options.host)
    if server:
        target = server.target(options.via, secrets=False)
    else:
        target = Target(
            hostname=options.hostname,
            address=options.address or options.hostname,
            domain=options.domain or domain_of(options.hostname),
            ssh_host=options.ssh_host,
            ssh_config=options.ssh_config or Path("~/.ssh/config").expanduser(),
            via=options.via or "direct",
        )
    for which in ("accounts", "secrets"):
        if given := getattr(options, f"{which}_file"):
            setattr(target, which, read_json(given))
        elif server:
            setattr(target, which, server.secrets(which))
    for name in ("certificate", "key", "mail_home", "mail_owner"):
        setattr(target, name, getattr(options, name) or getattr(target, name))
    target.also_ports = tuple(options.also_port)
    if options.ipv6:
        target.address = server.address6 if server and server.lab else six(options.address or target.hostname)
    return target


def six(name: str) -> str:
    """The IPv6 address that a name leads to. Raises CannotStart where it leads to none."""
    try:
        return str(socket.getaddrinfo(name, None, socket.AF_INET6, socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise CannotStart(f"{name} has no IPv6 address here ({words(error)}).") from None


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.list:
        for check in checks.selected(options.only, options.chapter, options.skip):
            print(f"{check.id:44} {check.kind:8} {named(check.title)}")
        return 0
    begun = time.monotonic()
    progress = Console(stderr=True, highlight=False, markup=False)
    try:
        target = target_of(options)
        with progress.status("Asking …") as status:
            results = checks.run(
                target,
                options.only,
                chapter=options.chapter,
                skip=options.skip,
                on_result=lambda result: status.update(f"{result.id} …"),
            )
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing was concluded.", file=sys.stderr)
        return 2
    seconds = time.monotonic() - begun
    if options.json:
        print(report.as_json(target, results, seconds))
    else:
        report.show(target, results, seconds, short=options.short)
    return 1 if any(result.verdict == "fail" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
