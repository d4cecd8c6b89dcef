"""python -m checks: prove, from outside, that the mail server does what the chapters say."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

import checks
from checks.engine import report
from checks.engine.check import Result
from checks.engine.target import Target, domain_of, lab_target, read_json
from checks.engine.verdicts import CannotStart


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="python -m checks",
        description=f"{__doc__} The lab's mail host is asked unless --hostname names another.",
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
    p.add_argument("--host", default="", metavar="NAME", help="which mail host of the lab")
    own = p.add_argument_group("a server of your own")
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
    own.add_argument("--certificate", metavar="PATH", help="where it is on the host")
    own.add_argument("--key", metavar="PATH", help="where its key is on the host")
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
    if not options.hostname:
        target = lab_target(options.host, options.via)
    else:
        target = Target(
            hostname=options.hostname,
            address=options.address or options.hostname,
            domain=options.domain or domain_of(options.hostname),
            ssh_host=options.ssh_host,
            ssh_config=options.ssh_config or Path("~/.ssh/config").expanduser(),
            via=options.via or "direct",
        )
    if options.accounts_file:
        target.accounts = read_json(options.accounts_file)
    if options.secrets_file:
        target.secrets = read_json(options.secrets_file)
    target.certificate = options.certificate or target.certificate
    target.key = options.key or target.key
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
