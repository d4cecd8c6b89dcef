"""python -m classroom: a host for each learner, the board, letters between all, and help for one."""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from classroom import coming, folder, people
from classroom.exercise import commands as exercises
from classroom.hub import commands as hubs
from classroom.people import ClassError
from lab import names
from lab.errors import LabError
from lab.progress import busy

EXAMPLES = """\
examples:
  python -m classroom up class.csv                 a host for each name in the file; again: what is new in it
  python -m classroom up --learners 12             learner-01 to learner-12
  python -m classroom up --name 'Ada Lovelace' --name Ben
  python -m classroom board                        who has done what; also with --csv and --json
  python -m classroom board --every 20             again and again, and as a page for the projector
  python -m classroom post                         everybody's server writes to everybody else's
  python -m classroom reset ada                    a bare host
  python -m classroom rewind ada "chapter 2, maps" as it was right after that step
  python -m classroom catch-up ada ben "chapter 2" all steps up to the end of that chapter; "all" is everybody
  python -m classroom prepare "chapter 2"          before the class: catch-up to there takes seconds from then on
  python -m classroom remove ada                   that host and its folder, for good
  python -m classroom exercise start               a fault on your own server; also list, symptom, hint, check, give-up, history
  python -m classroom hub up                       JupyterHub for the class; also handout, open, renew, keep, down
  python -m classroom down                         nothing of the class is left

A file of names has one in each line, in UTF-8. A second column, after a comma, is what the host is called; else it is made from
the name. The class keeps its files in .class, a folder for each learner in .class/learners; MAILROOM_CLASS_DIR names another.
Exit code: 0 all went well, 1 something did not, 2 could not start."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m classroom",
        description="A class: one host and one domain for each learner, and one world for all.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="as JSON on stdout")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    one = commands.add_parser("up", parents=[common], help="a host for each name")
    one.add_argument("file", nargs="?", type=Path, help="a file with a name in each line")
    one.add_argument("--learners", type=int, metavar="N", help="that many, by numbers")
    one.add_argument("--name", action="append", default=[], metavar="NAME", help="one name; may be given several times")
    one = commands.add_parser("board", parents=[common], help="who has done which steps")
    one.add_argument("--csv", action="store_true", help="a line for each learner, a column for each step")
    one.add_argument("--every", type=float, metavar="SECONDS", help="again and again, until it is stopped")
    one = commands.add_parser("post", parents=[common], help="everybody's server writes to everybody else's")
    one.add_argument("--patience", type=float, default=20.0, metavar="SECONDS", help="for the last letter (20)")
    one = commands.add_parser("reset", parents=[common], help="a bare host for this learner")
    one.add_argument("name")
    one = commands.add_parser("rewind", parents=[common], help="a learner's host as it was right after a step")
    one.add_argument("name")
    one.add_argument("to", metavar="STEP", help='"chapter 2, maps", or bare')
    one = commands.add_parser("catch-up", parents=[common], help="all steps up to the end of a chapter")
    one.add_argument("names", nargs="+", metavar="NAME", help='learners, or "all"')
    one.add_argument("to", metavar="CHAPTER", help='"chapter 2", or a step')
    one.add_argument("--in-place", action="store_true", help="on the host as it is, also where a state was prepared")
    one = commands.add_parser("prepare", parents=[common], help="a state from which catch-up takes seconds")
    one.add_argument("to", metavar="CHAPTER", help='"chapter 2"; 1 and 4, too')
    one = commands.add_parser("remove", parents=[common], help="a learner's host and folder, for good")
    one.add_argument("name")
    exercises.add(commands, common)
    hubs.add(commands, common)
    commands.add_parser("down", parents=[common], help="nothing of the class is left")
    return top


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def give(options: argparse.Namespace, data: dict[str, Any], text: str) -> None:
    """The answer: JSON where that was asked for, else words."""
    if options.json:
        print(json.dumps(data, indent=2, ensure_ascii=False))
    elif text:
        print(text)


def shown(path: Path) -> str:
    """As one types it from the checkout."""
    return str(path.relative_to(names.ROOT) if path.is_relative_to(names.ROOT) else path)


def up(options: argparse.Namespace) -> int:
    given = [options.file is not None, options.learners is not None, bool(options.name)]
    if sum(given) > 1:
        raise ClassError("A file, --learners and --name exclude each other.", "Give one of them.")
    asked: list[people.Learner] = []
    if options.file:
        asked = people.from_csv(options.file)
    elif options.learners is not None:
        asked = people.numbered(options.learners)
    elif options.name:
        asked = people.named(options.name)
    found = coming.up(asked, say)
    known, lines = folder.records(), []
    if found.made:
        rows = [("learner", "host", "address")]
        rows += [(one.called, known[one.name]["fqdn"], known[one.name]["address"]) for one in found.learners]
        wide, wider = (max(len(row[column]) for row in rows) for column in (0, 1))
        lines = [f"{called:<{wide}}  {host:<{wider}}  {address}" for called, host, address in rows]
    news = [f"{len(found.made)} made"] * bool(found.made) + [f"{', '.join(found.back)} brought back"] * bool(found.back)
    what = ", ".join(news) or "nothing was changed"
    lines.append(f"{len(found.learners)} learners' hosts are up, {what}, in {found.seconds:.0f} s.")
    for one in found.unlisted:
        lines.append(
            f"{one.called} is not in this list, and stays: python -m classroom remove {one.name} removes the host."
        )
    if found.made:
        lines += [
            f"Each learner's folder is {shown(folder.use())}/learners/NAME; what they type first: docs/teaching.md",
            "The board: python -m classroom board",
        ]
    give(options, found.as_dict(), "\n".join(lines))
    return 0


def board(options: argparse.Namespace) -> int:
    from classroom import board, page, terminal

    while True:
        with busy("asking all hosts"):
            found = board.ask()
        file = page.write(found)
        if options.csv:
            print(board.as_csv(found), end="")
        elif options.json:
            print(json.dumps(found.as_dict(), indent=None if options.every else 2, ensure_ascii=False), flush=True)
        else:
            to = terminal.console()
            if options.every and to.is_terminal:
                to.clear()
            terminal.board(found, to)
            to.print(f"For the projector: {file}", style="dim")
        if not options.every:
            return 0 if all(row.state == "asked" for row in found.rows) else 1
        time.sleep(max(options.every - found.seconds, 1))


def post(options: argparse.Namespace) -> int:
    from classroom import post, terminal

    found = post.union(say, options.patience)
    if options.json:
        give(options, found.as_dict(), "")
    else:
        terminal.post(found, terminal.console())
    return 0 if found.arrived == len(found.letters) else 1


def helped(options: argparse.Namespace) -> int:
    """reset and rewind: of one learner."""
    from classroom import helping

    learner = folder.member(options.name)
    with busy(f"{options.command}: {learner.name}"):
        done = helping.reset(learner) if options.command == "reset" else helping.rewind(learner, options.to)
    text = f"{done.said}\n{done.seconds:.0f} s; no other host was touched." if done.ok else ""
    give(options, done.as_dict(), text)
    if not done.ok:
        say(done.said)
    return 0 if done.ok else 1


def catch_up(options: argparse.Namespace) -> int:
    from classroom import helping

    learners = folder.members(options.names)
    say(f"{len(learners)} to the end of {options.to}")
    done = helping.catch_up(learners, options.to, say, options.in_place)
    for one in done:
        say(f"{'✓' if one.ok else '✖'} {one.name}: {one.said}, {one.seconds:.0f} s")
    failed = [one.name for one in done if not one.ok]
    text = f"{len(done) - len(failed)} of {len(done)} are there."
    if failed:
        text += f" Not: {', '.join(failed)}. The same command again goes on where it stopped."
    give(options, {"learners": [one.as_dict() for one in done]}, text)
    return 1 if failed else 0


def prepare(options: argparse.Namespace) -> int:
    from classroom import helping, prepared

    seconds = prepared.prepare(options.to, helping.failed, say)
    text = f"Prepared in {seconds:.0f} s: catch-up to the end of {options.to} begins there."
    give(options, {"prepared": options.to, "seconds": round(seconds, 1)}, text)
    return 0


def remove(options: argparse.Namespace) -> int:
    learner = folder.member(options.name)
    coming.remove(learner)
    give(options, {"removed": learner.name}, f"{learner.called} is no longer in the class. No other host was touched.")
    return 0


def down(options: argparse.Namespace) -> int:
    there = coming.down()
    give(options, {"removed": there}, "Nothing of the class is left." if there else "There was no class.")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": up,
    "board": board,
    "post": post,
    "reset": helped,
    "rewind": helped,
    "catch-up": catch_up,
    "prepare": prepare,
    "remove": remove,
    "exercise": exercises.run,
    "hub": hubs.run,
    "down": down,
}


def main(arguments: Sequence[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our signs
    options = parser().parse_args(arguments)
    if options.command != "exercise":  # that is for a lab of one's own, too
        folder.use()
    try:
        return COMMANDS[options.command](options)
    except (ClassError, LabError) as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("Stopped. The same command again does no harm.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
