"""The lab's command line: python -m lab …"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from lab import engine, life, names, snapshots, state
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
  python -m lab down                   hosts and network gone; secrets, snapshots and caches kept

The lab keeps its files in .lab; MAILROOM_LAB_DIR names another folder, for a second lab beside it.
LAB_ENGINE=podman|docker chooses the engine, where both are installed."""


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], int | None] = options.action
    try:
        return action(options) or 0
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

    def command(name: str, action: Callable[[argparse.Namespace], int | None], text: str):  # type: ignore[no-untyped-def]
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(action=action)
        return sub

    suite = {
        "choices": (*names.SUITES, *names.STAND_INS),
        "help": f"Debian release, or a stand-in for another family (default: LAB_SUITE, else as it is, else {names.DEFAULT_SUITE})",
    }
    text = "Bring the lab up; costs nothing where it is up already."
    one = command("up", up, text)
    one.add_argument("hosts", nargs="*", metavar="NAME[:SUITE]", help="default: mx1 client")
    one.add_argument("--suite", **suite)
    one = command("add", add, "Add hosts to the lab. mx… are mail hosts, world is the Internet, others are strangers.")
    one.add_argument("hosts", nargs="+", metavar="NAME[:SUITE]")
    one.add_argument("--suite", **suite)
    one.add_argument("--role", choices=("mail", "client"), help="default: by the name")
    command("list", show, "Show the lab's hosts.")
    one = command("ssh", ssh, "Log in to a host as root, or run a command there.")
    one.add_argument("host")
    one.add_argument("command", nargs=argparse.REMAINDER)
    one = command("snapshot", snapshot, "Keep a host as it is now, under a name of your choice.")
    one.add_argument("host")
    one.add_argument("name")
    one = command("rewind", rewind, "Put a host back to a snapshot; `bare` is always there.")
    one.add_argument("host")
    one.add_argument("name")
    command("snapshots", show_snapshots, "List the snapshots: name, size, time.")
    one = command("rm", remove, "Remove one host and its snapshots.")
    one.add_argument("host")
    command("down", down, "Remove hosts and network; keep secrets, snapshots and caches.")
    command("purge", purge, "Down, and this lab's snapshots and secrets too.")
    command("distclean", distclean, "Purge, and the image and package caches of all checkouts.")
    return top


def up(options: argparse.Namespace) -> None:
    suite = options.suite or os.environ.get("LAB_SUITE") or None
    asked = split(options.hosts, suite)
    if not options.hosts:
        # the release is for the mail host; the client keeps what it has
        asked = dict.fromkeys(names.DEFAULT_HOSTS) | {"mx1": suite}
    # a stand-in is for mail hosts: the client keeps a Debian's tools
    others = names.DEFAULT_SUITE if suite in names.STAND_INS else suite
    report(life.up(asked, others or names.DEFAULT_SUITE))


def add(options: argparse.Namespace) -> None:
    suite = options.suite or os.environ.get("LAB_SUITE") or None
    asked = split(options.hosts, suite)
    roles = dict.fromkeys(asked, options.role) if options.role else None
    report(life.up(asked, suite or names.DEFAULT_SUITE, roles))


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
        if each not in (*names.SUITES, *names.STAND_INS):
            raise LabError(f"No suite {each!r}.", f"Choose one of: {', '.join((*names.SUITES, *names.STAND_INS))}.")
    return asked


def report(lab: dict) -> None:  # type: ignore[type-arg]
    for host in lab["hosts"].values():
        where = f"{host['address']:<15}  ssh on 127.0.0.1:{host['ssh_port']}"
        print(f"{host['name']:<10} {host['suite']:<9} {host['fqdn']:<22} {where}")


def show(_: argparse.Namespace) -> None:
    report(state.load())


def ssh(options: argparse.Namespace) -> None:
    if options.host not in (hosts := state.load()["hosts"]):
        raise LabError(f"The lab has no host {options.host!r}.", f"It has: {', '.join(hosts)}.")
    sys.stdout.flush()
    config = str(state.path("ssh_config"))
    os.execvp("ssh", ["ssh", "-F", config, options.host, *options.command])


def snapshot(options: argparse.Namespace) -> None:
    kept = snapshots.take(options.host, options.name)
    print(f"{kept.host} kept as {kept.title!r} ({kept.size / 1e6:.0f} MB)")


def rewind(options: argparse.Namespace) -> None:
    snapshots.rewind(options.host, options.name)
    print(f"{options.host} is back at {options.name!r}")


def show_snapshots(_: argparse.Namespace) -> None:
    found = engine.present()
    for kept in snapshots.listed(found) if found else []:
        size = f"{kept.size / 1e6:6.0f} MB"
        print(f"{kept.host:<10} {kept.suite:<9} {size}  {kept.created}  {kept.title}")


def remove(options: argparse.Namespace) -> None:
    life.remove(options.host)


def down(_: argparse.Namespace) -> None:
    life.down()


def purge(_: argparse.Namespace) -> None:
    life.purge()


def distclean(_: argparse.Namespace) -> None:
    life.distclean()
