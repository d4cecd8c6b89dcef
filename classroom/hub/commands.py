"""python -m classroom hub …: what is typed, and what is said."""

import argparse
import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from classroom import folder
from classroom.hub import certificate, coming, facts, handout, opening, tokens
from classroom.people import ClassError
from lab import names, state
from lab.progress import busy, say

Told = tuple[dict[str, Any], str]  # as JSON, and in words


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    top = commands.add_parser("hub", help="JupyterHub: learners work in a browser, each on their own host")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, (_, about) in VERBS.items():
        one = verbs.add_parser(verb, parents=[common], help=about, description=about)
        if verb == "up":
            one.add_argument("--address", default="", metavar="URL", help="what learners type: https://NAME:8443")
            one.add_argument("--memory", default="", metavar="SIZE", help=f"for each learner ({facts.MEMORY})")
        if verb == "open":
            one.add_argument(
                "where", metavar="ADDRESS[:PORT]", help=f"an address of this machine; the port is {opening.PORT}"
            )
        if verb == "renew":
            one.add_argument("name")
        if verb == "keep":
            one.add_argument("file", type=Path, metavar="FILE.tar.gz")


def run(options: argparse.Namespace) -> int:
    data, text = VERBS[options.verb][0](options)
    print(json.dumps(data, indent=2, ensure_ascii=False) if options.json else text)
    return 0


def up(options: argparse.Namespace) -> Told:
    found = coming.up(options.address, options.memory)
    page = handout.write(found.learners, found.address)
    news = f"{len(found.changed)} things changed" if found.changed else "nothing was changed"
    lines = [f"The hub is up for {len(found.learners)} learners, {news}, in {found.seconds:.0f} s."]
    lines += [f"On this machine: {facts.local()}", f"Cards to print:  {page}"]
    if found.address != facts.local():
        host = urlsplit(found.address)
        lines += [
            f"Learners type:   {found.address}",
            f"It is closed to other machines until you open it: python -m classroom hub open ADDRESS:{host.port or 443}",
        ]
    if not found.limited:
        lines.append("! This kernel's control groups are of version 1, so no learner's memory is limited.")
    return found.as_dict() | {"handout": str(page)}, "\n".join(lines)


def cards(options: argparse.Namespace) -> Told:
    facts.told()
    page = handout.write(folder.present(), facts.shown())
    proof = certificate.fingerprint(tokens.folder())
    return {"handout": str(page), "fingerprint": proof}, f"Cards to print: {page}"


def renew(options: argparse.Namespace) -> Told:
    learner = folder.member(options.name)
    coming.renew(learner)
    page = handout.write(folder.present(), facts.shown())
    text = f"{learner.called} has another token and is signed out; the notebooks stay. The card: {page}"
    return {"renewed": learner.name, "handout": str(page)}, text


def opened(options: argparse.Namespace) -> Told:
    """In the foreground: with this program it is closed again."""
    host, port = opening.parse(options.where)
    there = facts.there().record

    def ready(at: int) -> None:
        say(f"The hub is open at https://{host}:{at}, for everybody who reaches that address. Ctrl-C closes it.")
        typed = urlsplit(facts.shown())
        if (typed.hostname, typed.port or 443) != (host, at):
            say(f"The cards say {facts.shown()}. See that it leads here, or: python -m classroom hub up --address URL")

    asyncio.run(opening.serve(host, port, int(there["ports"][str(names.HTTPS)]), ready))
    return {}, ""


def keep(options: argparse.Namespace) -> Told:
    """All notebooks, as a file of this machine."""
    facts.there()
    command = ["ssh", "-F", str(state.path("ssh_config")), names.HUB]
    # a link is kept as a link, and a name is no option
    command.append("cd /home && find . -mindepth 2 -maxdepth 2 -name notebooks -print0 | tar -cz --null -T -")
    try:
        file = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ClassError(f"{options.file} is there already; nothing was written.", "Give another name.") from None
    except OSError as error:
        raise ClassError(f"{options.file} cannot be written: {error.strerror}.") from None
    with os.fdopen(file, "wb") as to, busy("fetching the notebooks"):
        done = subprocess.run(command, stdout=to, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        options.file.unlink()
        raise ClassError(f"The notebooks could not be fetched: {done.stderr.decode(errors='replace').strip()[-200:]}")
    size = options.file.stat().st_size
    return {"file": str(options.file), "bytes": size}, f"All notebooks are in {options.file} ({size / 1e6:.1f} MB)."


def down(options: argparse.Namespace) -> Told:
    was = coming.down()
    text = "The hub is gone, with its notebooks and tokens. The mail hosts stay." if was else "There was no hub."
    return {"removed": was}, text


VERBS: dict[str, tuple[Callable[[argparse.Namespace], Told], str]] = {
    "up": (up, "bring it up for the class that is up; again: it hears who is in the class now"),
    "handout": (cards, "a page to print, with a card for each learner: address, name, token, QR code"),
    "open": (opened, "let other machines in at an address of this one, until Ctrl-C"),
    "renew": (renew, "another token for a learner whose card is lost"),
    "keep": (keep, "all notebooks as one file of this machine"),
    "down": (down, "the hub goes, with the notebooks on it"),
}
