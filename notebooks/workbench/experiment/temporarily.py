"""What if: Amavis with a line of its own for the length of a `with` block, on a lab host; then as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import progress
from notebooks.workbench.show.errors import NotReady

TRIAL = "/etc/amavis/conf.d/99-temporarily"  # read last
# Whatever is on the belt goes through the old Amavis first. It is ready once it answers on 10024.
RESTART = """for n in $(seq 100); do postqueue -p | grep -q '^[0-9A-Za-z]*[*]' || break; sleep 0.2; done
systemctl restart amavis
for n in $(seq 100); do ss -Hlnt 'sport = :10024' | grep -q . && exit 0; sleep 0.1; done
journalctl -u amavis -n 5 --no-pager -o cat >&2; exit 1"""


@contextmanager
def temporarily(perl: str = "", *, stopped: str = "") -> Iterator[None]:
    """Amavis with these lines of Perl more in its configuration, and with these units stopped; skipped outside the lab.

    After the block all is as it was. NotReady: Amavis refused the lines, or systemd the units.
    """
    if not where.place().lab:
        yield
        return
    begin = [f"cat >{TRIAL}\n{RESTART}"] * bool(perl) + [f"systemctl stop {stopped}"] * bool(stopped)
    end = [f"systemctl start {stopped}"] * bool(stopped) + [f"rm -f {TRIAL}\n{RESTART}"] * bool(perl)
    try:
        _run(f"for now: {perl or stopped + ' stopped'}", begin, f"use strict;\n{perl}\n1;\n")
        yield
    finally:
        _run("and as it was before", end)


@stoppable(
    "Amavis on {host} may be starting, or have the line of the experiment.",
    "The cell again, to its end: that puts Amavis back as it was.",
    name="temporarily(…)",
)
def _run(what: str, scripts: list[str], stdin: str = "") -> None:
    with progress.Progress(what):
        for script in scripts:
            done = remote.execute(script, stdin=stdin)
            if done.code:
                raise NotReady("Amavis did not take that.", done.both, 'apply("amavis.workers")', "notebook 03")
