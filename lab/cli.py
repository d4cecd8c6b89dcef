"""The lab's command line: python -m lab …"""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from lab import engine, life, names, records, snapshots, state
from lab.errors import LabError
from lab.progress import say

EXAMPLES = """\
examples:
  python -m lab up                     mx1 (a mail host) and client (a stranger's), Debian 13
  python -m lab up --suite bookworm    the same, mx1 on Debian 12 (or: LAB_SUITE=bookworm)
  python -m lab add mx2:bookworm       one mail host more
  python -m lab add world              a host that plays the Internet: DNS, another mail domain, clients, a clock
  python -m lab ssh mx1                a root shell there; or: ssh -F .lab/ssh_config mx1
  python -m lab snapshot mx1 "chapter 4, TLS"
  python -m lab rewind mx1 "chapter 4, TLS"
  python -m lab publish _x.example.test "a text"   a record that the world's DNS answers from now on
  python -m lab down                   hosts and network gone; secrets, snapshots and caches kept

The lab keeps its files in .lab; MAILROOM_LAB_DIR names another folder, for a second lab beside it.
LAB_ENGINE=podman|docker chooses the engine, where both are installed."""


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        options.action(options)
        return 0
    except LabError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped; run the same command again to finish, or `python -m lab down`")
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m lab",
        description="Disposable Debian hosts with systemd and sshd, made for breaking.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str, action: Callable[[argparse.Namespace], None], text: str, *words: str
    ) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        for word in words:
            sub.add_argument(word)
        sub.set_defaults(action=action, role=None)
        return sub

    suite: dict[str, Any] = {
        "choices": names.CHOICES,
        "help": f"Debian release, or a stand-in for another family (default: LAB_SUITE, else as it is, else {names.DEFAULT_SUITE})",
    }
    anew: dict[str, Any] = {
        "action": "store_true",
        "help": "make a host of another suite or role anew: all on it is lost",
    }
    one = command("up", up, "Bring the lab up; costs nothing where it is up already.")
    one.add_argument("hosts", nargs="*", metavar="NAME[:SUITE]", help="default: mx1 client")
    one.add_argument("--suite", **suite)
    one.add_argument("--rebuild", **anew)
    one = command("add", up, "Add hosts to the lab. mx… are mail hosts, world is the Internet, others are strangers.")
    one.add_argument("hosts", nargs="+", metavar="NAME[:SUITE]")
    one.add_argument("--suite", **suite)
    one.add_argument("--rebuild", **anew)
    one.add_argument("--role", choices=("mail", "client"), help="default: by the name")
    command("list", show, "Show the lab's hosts.")
    one = command("ssh", ssh, "Log in to a host as root, or run a command there.", "host")
    one.add_argument("command", nargs=argparse.REMAINDER)
    one = command("snapshot", snapshot, "Keep a host as it is now, under a name of your choice.", "host", "name")
    one.add_argument("--stay", action="store_true", help="do not begin the host anew from it: quicker, and larger")
    one = command("publish", publish, "Publish a text record in the world's DNS; without a text, take it back.", "name")
    one.add_argument("text", nargs="?", default="")
    command("rewind", rewind, "Put a host back to a snapshot; `bare` is always there.", "host", "name")
    command("snapshots", show_snapshots, "List the snapshots: name, size, time.")
    command("rm", lambda options: life.remove(options.host), "Remove one host and its snapshots.", "host")
    command("down", lambda _: life.down(), "Remove hosts and network; keep secrets, snapshots and caches.")
    command("purge", lambda _: life.purge(), "Down, and this lab's snapshots and secrets too.")
    command("distclean", lambda _: life.distclean(), "Purge, and the image and package caches of all checkouts.")
    return top


def up(options: argparse.Namespace) -> None:
    suite = options.suite or os.environ.get("LAB_SUITE") or None
    if names.home() != names.directory() and not options.hosts:  # a learner's place: their teacher has brought it up
        return report(state.load())
    # by default the release is for the mail host; the client keeps what it has
    asked = split(options.hosts, suite) or dict.fromkeys(names.DEFAULT_HOSTS) | {"mx1": suite}
    # a stand-in is for mail hosts: the client keeps a Debian's tools
    others = names.DEFAULT_SUITE if suite in names.STAND_INS else suite
    report(life.up(asked, others or names.DEFAULT_SUITE, dict.fromkeys(asked, options.role), options.rebuild))


def split(words: list[str], suite: str | None) -> dict[str, str | None]:
    asked: dict[str, str | None] = {}
    for word in words:
        name, _, own = word.partition(":")
        if not names.valid(name):
            raise LabError(f"{name!r} cannot name a host.", "Use a-z, 0-9 and -, a letter first.")
        if own and names.role(name) == names.WORLD:
            raise LabError(f"{name} has a system of its own.", f"Write just: {name}")
        asked[name] = own or suite
    for each in {own for own in [*asked.values(), suite] if own}:
        if each not in names.CHOICES:
            raise LabError(f"No suite {each!r}.", f"Choose one of: {', '.join(names.CHOICES)}.")
    return asked


def report(lab: dict[str, Any]) -> None:
    for host in lab["hosts"].values():
        where = f"{host['address']:<15}  ssh 127.0.0.1:{host['ssh_port']}"
        print(f"{host['name']:<10} {host['suite']:<9} {host['fqdn']:<22} {where}")


def show(_: argparse.Namespace) -> None:
    report(state.load())


def ssh(options: argparse.Namespace) -> None:
    state.record(options.host)
    sys.stdout.flush()
    os.execvp("ssh", ["ssh", "-F", str(state.path("ssh_config")), options.host, *options.command])


def snapshot(options: argparse.Namespace) -> None:
    kept = snapshots.take(options.host, options.name, options.stay)
    print(f"{kept.host} kept as {kept.title!r} ({kept.size / 1e6:.0f} MB)")


def publish(options: argparse.Namespace) -> None:
    records.publish(options.name, options.text)
    print(f"the world's DNS {'has' if options.text else 'no longer has'} a text for {options.name}")


def rewind(options: argparse.Namespace) -> None:
    snapshots.rewind(options.host, options.name)
    print(f"{options.host} is back at {options.name!r}")


def show_snapshots(_: argparse.Namespace) -> None:
    found = engine.present()
    for kept in snapshots.listed(found) if found else []:
        size = f"{kept.size / 1e6:6.0f} MB"
        print(f"{kept.host:<10} {kept.suite:<9} {size}  {kept.created}  {kept.title}")
