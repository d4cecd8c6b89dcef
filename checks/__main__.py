"""python -m checks: prove, from outside, that the mail server does what the chapters say."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

import checks
from checks.engine import inventory, report
from checks.engine.check import Result
from checks.engine.target import Target, domain_of, read_json
from checks.engine.verdicts import CannotStart


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="python -m checks",
        description=f"{__doc__} The inventory's first server is asked (the lab's, unless MAILROOM_INVENTORY names another "
        "inventory); --hostname names one that is in no inventory.",
        epilog="Exit code: 0 all well, 1 something failed, 2 could not start. Wrong passwords are "
        "tried on purpose: where failed logins lead to a ban, use --skip '*.wrong_password'.",
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
    p.add_argument("--json", action="store_true", help="the results as JSON on stdout")
    p.add_argument(
        "--via", default="", metavar="direct|HOST", help="connect from here, or from a host reached over SSH"
    )
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
    secrets: dict[str, Callable[[], Mapping[str, str]]]
    if not options.hostname:
        server = inventory.server(options.host)
        target = server.target(options.via, secrets=False)
        secrets = {which: partial(server.secrets, which) for which in ("accounts", "secrets")}
    else:
        target = Target(
            hostname=options.hostname,
            address=options.address or options.hostname,
            domain=options.domain or domain_of(options.hostname),
            ssh_host=options.ssh_host,
            ssh_config=options.ssh_config or Path("~/.ssh/config").expanduser(),
            via=options.via or "direct",
        )
        secrets = {"accounts": dict, "secrets": dict}
    for which, kept in secrets.items():
        given = getattr(options, f"{which}_file")
        setattr(target, which, read_json(given) if given else kept())
    for name in ("certificate", "key", "mail_home", "mail_owner"):
        setattr(target, name, getattr(options, name) or getattr(target, name))
    target.also_ports = tuple(options.also_port)
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.list:
        for check in checks.selected(options.only, options.chapter, options.skip):
            print(f"{check.id:44} {check.kind:8} {check.title}")
        return 0
    begun = time.monotonic()
    progress = Console(stderr=True, highlight=False, markup=False)
    try:
        target = target_of(options)
        with progress.status("Asking …") as status:

            def tell(result: Result) -> None:
                status.update(f"{result.id} …")

            results = checks.run(target, options.only, chapter=options.chapter, skip=options.skip, on_result=tell)
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
        report.show(target, results, seconds)
    return 1 if any(result.verdict == "fail" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
