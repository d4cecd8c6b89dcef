"""Looking at the host: run a command, read a file or a log, ask the database."""

import re
import shlex
from collections.abc import Sequence
from contextlib import closing

import psycopg2

from checks.clients import sql
from checks.engine.verdicts import Failed, words
from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotExpected, NotReady

Expect = str | tuple[str, ...]
UNITS = {
    "postfix": "-u 'postfix*'",
    "postgresql": "-u 'postgresql*'",
    "dovecot": "-u dovecot",
    "workers": "-u amavis -u clamav-daemon",
    "mail": "-u 'postfix*' -u dovecot -u amavis",
}


@stoppable(
    "{host} may go on with `{command}`: a command does not end with the cell that began it.",
    'run("ps -eo pid,etime,args --sort=-start_time | head", on="{host}") shows what still runs; run("kill PID", on="{host}") ends it.',
)
def run(command: str, *, on: str | None = None, ok: int | Sequence[int] | None = 0, expect: Expect = ()) -> html.Text:
    """Run a command on the mail host as root, or on another host of the lab or the inventory; its output and errors, without secrets.

    `ok` are the exit codes that are no surprise; None is any. Raises NotExpected for another code, or where no line of the
    output has what `expect` says: each of its texts, or "re:" and a regular expression. A minute without an end is NotReady, and so
    is a host that is not there: nothing is run on the mail host in its place.
    """
    here = where.place()
    there = list(dict.fromkeys([here.name, *here.lab.get("hosts", {}), *here.others]))
    if on is not None and on not in there:
        raise NotReady(
            f"There is no host {on!r} to run this on; nothing was run.",
            "" if on else "This inventory has no host from which a client would connect.",
            f"There are: {', '.join(there)}. Without on= it is {here.name}.",
        )
    done = remote.execute(command, on=on or "")
    said = done.both or "It printed nothing."
    if ok is not None and done.code not in ([ok] if isinstance(ok, int) else ok):
        raise NotExpected(f"`{command}` ended with {done.code}.", said)
    for one in each(expect):
        if not any(one in line or begins(line, one) for line in done.both.splitlines()):
            raise NotExpected(f"`{command}` did not print {one!r}.", said)
    return html.Text(done.both or f"(nothing; exit code {done.code})", f"{on or here.name}$ {command}")


@stoppable()
def read(path: str, pattern: str = "") -> html.Text:
    """A file of the host, or only its lines that the regular expression finds. Passwords come masked.

    Raises NotExpected where the file is missing or not readable.
    """
    hide = "s/(pass(word|wd)?[a-z_]* ?= ?)[^ ]+/\\1(secret)/"
    done = remote.execute(f"sed -E {shlex.quote(hide)} -- {shlex.quote(path)}")
    if done.code:
        raise NotExpected(f"{path} cannot be read.", done.err.strip(), "show(…) says which step makes it")
    if not pattern:
        return html.Text(done.out, path)
    found = [line for line in done.out.splitlines() if re.search(pattern, line)]
    return html.Text("\n".join(found) or "(no such line)", f"{path}  (lines with {pattern})")


@stoppable()
def log(unit: str = "mail", lines: int = 20, grep: str = "") -> html.Text:
    """The last lines of the log of "postfix", "dovecot", "postgresql", the "workers", "mail" (all but the database) or a unit.

    With `grep` only the lines that this extended regular expression finds.
    """
    wanted = f" | grep -E -- {shlex.quote(grep)}" if grep else ""
    done = remote.execute(f"{_journal(unit)} -o short --no-hostname --no-pager{wanted} | tail -n {int(lines)}")
    return html.Text(done.out or "(nothing)", _journal(unit) + (f", lines with {grep}" if grep else ""))


@stoppable()
def ask(statement: str, *, refused: bool = False) -> html.Shown:
    """Ask the tables as mailreader, through an SSH tunnel; whatever the statement did is rolled back.

    refused=True: the database must not allow it, else NotExpected is raised. NotReady: the database does not answer.
    """
    try:
        with closing(where.place().target()) as target:
            password = target.secret(target.role)
            with closing(sql.connect(target, target.role, password)) as connection:
                cursor = connection.cursor()
                cursor.execute(statement)
                headings = [column.name for column in cursor.description or ()]
                rows = [[remote.masked(str(cell)) for cell in row] for row in cursor.fetchall()] if headings else []
    except (psycopg2.Error, OSError, Failed) as error:
        why = remote.masked(words(error).strip())
        if refused and getattr(error, "pgcode", None):
            return html.Note("refused, as it should be", f"{statement}\n{why}", "good")
        away = not isinstance(error, Failed) and ("refused" in why or "closed" in why)
        remedy = 'apply("postgresql.install")' if away else ""
        raise NotReady("The database did not answer that.", why, remedy, "notebook 02") from None
    if refused:
        remedy = 'apply("postgresql.tables"), apply("postgresql.role")'
        raise NotExpected("mailreader was allowed to do that.", statement, remedy)
    return html.Table(headings, rows, f"mail=> {statement}")


def _journal(unit: str) -> str:
    return f"journalctl {UNITS.get(unit) or f'-u {shlex.quote(unit)}'}"


def each(expect: Expect) -> tuple[str, ...]:
    return (expect,) if isinstance(expect, str) else expect


def begins(text: str, wanted: str) -> bool:
    """Whether a reply begins with these words, or holds the regular expression; IMAP's tag does not count."""
    if wanted.startswith("re:"):
        return bool(re.search(wanted[3:], text, re.MULTILINE))
    return any(re.sub(r"^a\d+ ", "", line).startswith(wanted) for line in text.splitlines())
