"""An operation of ours in somebody else's deploy: no preflight, no data of ours, and an inventory with an address in it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import Host, inventory_data, snapshots
from tests.live.elsewhere import BEFORE, CASES, NOT_HERE, UNIT, Case, deploy
from tests.live.support import ON_ONE_WITH_WORLD, ROOT, Run, ran
from tests.unit.test_idiom import OPERATIONS

Apply = Callable[..., Run]

ELSEWHERE = """cd /
ask() { runuser -u postgres -- psql -XAtqc "$1"; }
cp "$(ask 'SHOW hba_file')" /srv/other_hba.conf
echo '# theirs' >> /srv/other_hba.conf
chown postgres:postgres /srv/other_hba.conf
ask "ALTER SYSTEM SET hba_file = '/srv/other_hba.conf'"
systemctl restart 'postgresql@*'
for try in $(seq 50); do ask 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
"""


@pytest.fixture
def apply(mailserver: Host, tmp_path: Path) -> Iterator[Apply]:
    """apply(case, …): a run of a deploy that has these operations, on a server that is put back afterwards."""
    snapshots.take(mailserver.name, "before somebody else")
    mailserver.run(["sh", "-euc", BEFORE, "-", UNIT])
    about = {key: value for key, value in inventory_data(mailserver.record).items() if key.startswith("ssh_")}
    (tmp_path / "inventory.py").write_text(f"mail = [('theirs', {about!r})]\n")
    password_file = mailserver.run("cat /etc/dovecot/dovecot-sql.conf").stdout

    def run(*cases: Case, more: tuple[str, ...] = ()) -> Run:
        text = deploy(*cases).replace("SQL_CONF", repr(f"{password_file}# else\n"))
        (tmp_path / "deploy.py").write_text(text)
        words = [sys.executable, "-m", "pyinfra", "inventory.py", "deploy.py", "-y", *more]
        return ran(words, tmp_path, PYTHONPATH=str(ROOT))

    try:
        yield run
    finally:
        snapshots.rewind(mailserver.name, "before somebody else")


def wrong(host: Host, *cases: Case) -> list[str]:
    """What the host itself says otherwise, line by line: an answer that holds the right one may be a wrong one."""
    found = ((case, host.run(case.ask, check=False).stdout) for case in cases)
    return [f"{case.operation}: {said!r}" for case, said in found if case.says.splitlines() != said.splitlines()]


def test_every_operation_is_used() -> None:
    assert {case.operation for case in CASES} | NOT_HERE == set(OPERATIONS)


def test_all_in_one_run(mailserver: Host, apply: Apply) -> None:
    assert [case for case in CASES if case.says and not wrong(mailserver, case)] == [], "it says so in any case"
    first = apply(*CASES)
    assert first.code == 0, first.output[-4000:]
    assert "postgresql.role elserole" in first.output and "secret-" not in first.output
    assert wrong(mailserver, *CASES) == []
    second = apply(*CASES, more=("-v", "--debug"))
    assert (second.code, second.changes) == (0, 0), second.output[-4000:]
    assert (
        second.output.count("noop: ") == len(CASES) and second.commands == 3
    )  # one reading for each change of the database


@ON_ONE_WITH_WORLD
def test_each_in_a_run_of_its_own(mailserver: Host, apply: Apply) -> None:
    """One of each module, as nothing but its own declaration says what is read."""
    first = {case.operation.partition(".")[0]: case for case in reversed(CASES) if case.says}.values()
    for case in reversed(first):
        assert wrong(mailserver, case), "it says so in any case"
        run = apply(case)
        assert (run.code, run.operations, run.changes) == (0, 1, 1), run.output[-4000:]
        assert wrong(mailserver, case) == []
        assert apply(case).changes == 0


def test_the_file_that_postgresql_names(mailserver: Host, apply: Apply) -> None:
    """pg_hba.conf may stand anywhere; all that is in it stays, behind our lines."""
    (case,) = (case for case in CASES if case.operation == "postgresql.hba")
    mailserver.run(["sh", "-euc", ELSEWHERE])
    old = mailserver.run("cat /srv/other_hba.conf").stdout
    assert apply(case).changes == 1
    new = mailserver.run("cat /srv/other_hba.conf").stdout
    assert "# theirs" in new and new.endswith(old.rpartition("# <<< mailroom\n")[2]), new
    assert wrong(mailserver, case) == []
    assert apply(case).changes == 0
