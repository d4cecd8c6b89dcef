"""python -m notebooks.rewind mx1 "chapter 4, TLS": a lab host as it was. A state that was not kept is built again, step by step."""

import subprocess
import sys

from lab import snapshots as kept
from lab import state
from lab.engine import find
from lab.errors import LabError
from lab.names import slug
from notebooks.workbench.host import where
from notebooks.workbench.host.stopping import Stopped
from notebooks.workbench.show.errors import Trouble
from notebooks.workbench.step import rewinding


def main(host: str, name: str) -> int:
    """A snapshot of any title, of any lab host; or the state right after a step, of a mail host."""
    try:
        suite = state.record(host)["suite"]
        titles = {slug(one.title) for one in kept.listed(find()) if (one.host, one.suite) == (host, suite)}
        if slug(name) in {kept.BARE, *titles}:
            return subprocess.call([sys.executable, "-m", "lab", "rewind", host, name], cwd=where.ROOT)
        where.use(host)
        print(rewinding.rewind(name))
        return 0
    except (KeyboardInterrupt, Stopped):  # the latter speaks of cells
        print(f"Stopped; {host} may be on the way. The same command again finishes it.", file=sys.stderr)
        return 130
    except (LabError, Trouble) as trouble:
        print(trouble, file=sys.stderr)
        return 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {__doc__}")
    sys.exit(main(*sys.argv[1:]))
