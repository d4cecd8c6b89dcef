"""Looking at the host: run a command, read a file, follow a log, ask the database."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence

import psycopg2

from checks.engine import ssh
from notebooks.workbench.host import remote, where
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotExpected, NotReady

Expect = str | tuple[str, ...]
POSTFIX = "-u 'postfix*'"
WORKERS = "-u amavis -u clamav-daemon"
UNITS = {"postfix": POSTFIX, "postgresql": "-u 'postgresql*'", "dovecot": "-u dovecot", "workers": WORKERS}
UNITS["mail"] = f"{POSTFIX} -u dovecot -u amavis"


def run(
    command: str, *, on: str = "", ok: int | Sequence[int] | None = 0, expect: Expect | None = None, stdin: str = ""
) -> html.Text:
    """Run a command on the mail host as root, or on another lab host. `ok` are the exit codes that are no surprise."""
    done = remote.execute(command, on=on, stdin=stdin)
    accepted = {ok} if isinstance(ok, int) else set(ok) if ok is not None else None
    if accepted is not None and done.code not in accepted:
        raise NotExpected(f"`{command}` ended with {done.code}.", done.both or "It printed nothing.", "")
    for one in (expect,) if isinstance(expect, str) else expect or ():
        if not any(one in line or begins(line, one) for line in done.both.splitlines()):
            raise NotExpected(f"`{command}` did not print {one!r}.", done.both or "It printed nothing.")
    return html.Text(done.both or f"(nothing; exit code {done.code})", f"{on or where.place().name}$ {command}")


def read(path: str, pattern: str = "") -> html.Text:
    """A file of the host, or only its lines that the regular expression finds. Passwords come masked."""
    hide = "s/(pass(word|wd)?[a-z_]* ?= ?)[^ ]+/\\1(secret)/"
    done = remote.execute(f"sed -E {shlex.quote(hide)} -- {shlex.quote(path)}")
    if done.code:
        raise NotExpected(f"{path} cannot be read.", done.err.strip(), "show(…) says which step makes it")
    lines = [line for line in done.out.splitlines() if not pattern or re.search(pattern, line)]
    note = f"  (lines with {pattern})" if pattern else ""
    return html.Text("\n".join(lines) or "(no such line)" if pattern else "\n".join(lines), f"{path}{note}")


def log(unit: str = "mail", lines: int = 20, grep: str = "") -> html.Text:
    """What "postfix", "dovecot", "postgresql", the "workers" or "mail" (all but the database) said last."""
    wanted = f" | grep -E -- {shlex.quote(grep)}" if grep else ""
    done = remote.execute(f"journalctl {_units(unit)} -o short --no-hostname --no-pager{wanted} | tail -n {int(lines)}")
    return html.Text(done.out or "(nothing)", f"journalctl {_units(unit)}" + (f", lines with {grep}" if grep else ""))


def follow(unit: str = "mail", seconds: float = 5.0) -> html.Text:
    """The log as it grows, for some seconds: start it, and let something happen meanwhile (a terminal, a mail client)."""
    seen: list[str] = []
    cursor = remote.execute("journalctl -n 0 --show-cursor -q").out.strip().removeprefix("-- cursor: ")
    end = time.monotonic() + seconds
    with progress.Progress(f"following {unit} for {seconds:.0f} s") as shown:
        # asked again and again: `journalctl -f` needs inotify watches, which a busy machine may not have left for a lab host
        while time.monotonic() < end:
            time.sleep(0.3)
            after = f"--after-cursor={shlex.quote(cursor)} -q -o short --no-hostname --no-pager"
            lines = remote.execute(f"journalctl {_units(unit)} {after}").out.splitlines()
            for line in lines[len(seen) :]:
                seen.append(line)
                shown.say(line)
            shown.tick()
    return html.Text("\n".join(seen) or "(nothing was logged meanwhile)", f"{unit}, {seconds:.0f} s")


def ask(statement: str, *, refused: bool = False, database: str = "mail") -> html.Shown:
    """Ask the tables as mailreader, through an SSH tunnel. refused=True: the statement must not be allowed."""
    here = where.place()
    forward = ssh.Forward(remote.client(), "127.0.0.1", 5432)
    try:
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=forward.port,
            dbname=database,
            user="mailreader",
            password=here.secrets("secrets")["mailreader"],
            connect_timeout=10,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            headings = [column.name for column in cursor.description or ()]
            rows = [[remote.masked(str(cell)) for cell in row] for row in cursor.fetchall()] if headings else []
            connection.rollback()
    except (psycopg2.Error, OSError) as error:
        why = remote.masked(str(error).strip())
        if refused and isinstance(error, psycopg2.Error) and error.pgcode:
            return html.Note("refused, as it should be", f"{statement}\n{why}", "good")
        remedy = 'apply("postgresql.install")' if "refused" in why or "closed" in why else ""
        raise NotReady("The database did not answer that.", why, remedy, "notebook 02") from None
    finally:
        forward.close()
    if refused:
        raise NotExpected(
            "mailreader was allowed to do that.", statement, 'apply("postgresql.tables"), apply("postgresql.role")'
        )
    return html.Table(headings, rows, f"mail=> {statement}")


def _units(unit: str) -> str:
    return UNITS.get(unit, f"-u {shlex.quote(unit)}")


def begins(text: str, wanted: str) -> bool:
    """Whether a reply begins with these words, or holds the regular expression; IMAP's tag does not count."""
    if wanted.startswith("re:"):
        return bool(re.search(wanted[3:], text, re.MULTILINE))
    return any(re.sub(r"^a\d+ ", "", line).startswith(wanted) for line in text.splitlines())
