"""`python -m deploys`, which `make up` runs: a line a step at 80 columns, and what, where, why and next where one fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

from deploys.chapters import dovecot, postfix, postgresql
from lab import Host
from lab.state import path
from tests.live.support import ON_ONE, ROOT

# the mail client's has nothing to do on the host, and so no line
STEPS = len([*postfix.STEPS, *postgresql.STEPS, *dovecot.STEPS]) - 1


def told(**environment: str) -> tuple[int, str, str]:
    """The exit code, what was said, and the log."""
    done = subprocess.run(
        [sys.executable, "-m", "deploys", "dovecot"],
        cwd=ROOT, env=os.environ | environment, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert max(map(len, done.stdout.splitlines())) <= 80 and "\x1b" not in done.stdout, done.stdout
    assert "Traceback" not in done.stdout
    named = re.search(r"^All that pyinfra said: (\S+)$", done.stdout, re.MULTILINE)
    assert named, done.stdout
    log = ROOT / named[1]
    assert not log.stat().st_mode & 0o077
    return done.returncode, done.stdout, log.read_text()


@ON_ONE
def test_a_line_for_each_step_and_the_rest_in_a_log(server: Host) -> None:
    code, said, log = told()
    assert code == 0
    assert len(re.findall(r"^  Chapter \d: .+ as it was +\d+\.\d s$", said, re.MULTILINE)) == STEPS, said
    assert re.search(r"^0 changed, \d+ as they were, in \d+ s$", said, re.MULTILINE)
    assert "Amavis" not in said and "clamd" not in said
    assert "Starting operation: Chapter 4: TLS | " in log


@ON_ONE
def test_what_failed_where_why_and_what_next(server: Host) -> None:
    server.run("cp -p /etc/dovecot/dovecot.conf /root/good.conf; echo 'service {' >> /etc/dovecot/dovecot.conf")
    try:
        code, said, _ = told()
    finally:
        server.run("mv /root/good.conf /etc/dovecot/dovecot.conf")
    assert code == 1
    for word in ("✖ Dovecot runs with its current files", "Where: mx1, Chapter 1: restart", "Next:  Fix that"):
        assert word in said, said
    flat = " ".join(said.split())
    assert "Why: doveconf: Fatal: Error in configuration file" in flat
    assert flat.count("it was left as it is") == 1
    assert "Chapter 1: root's mail" in said and "  Chapter 1: restart" not in said
    assert told()[0] == 0


@ON_ONE
def test_a_refusal_changes_nothing_and_says_so(server: Host, tmp_path: Path) -> None:
    """A misspelt knob; and an inventory that is not there."""
    own = tmp_path / "own.py"
    own.write_text(f"""
import runpy
hosts = runpy.run_path("{ROOT}/inventories/lab.py")["mail"]
mail = [(name, data | {{"mail_alias": {{}}}}) for name, data in hosts]
""")
    code, said, _ = told(MAILROOM_INVENTORY=str(own))
    assert code == 1 and "deploys/dovecot.py was not run on mx1; nothing was changed there" in said
    assert "there is no knob 'mail_alias'; did you mean mail_aliases?" in said and "as they were" not in said
    code, said, _ = told(MAILROOM_INVENTORY=str(path("none.py")))
    assert code == 1 and "the inventory" in said and "there is no such file" in " ".join(said.split())
