"""A deploy on a bare host, with everything that pyinfra can be made to print, and with a watcher at the host's /proc."""

import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

from lab import Host
from tests.live.support import WHOLE, Run, applied

# All that the host's programs are started with, for whoever looks at /proc
WATCH = (
    "while [ -e /run/watch ]; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sort -u; "
    "sleep 0.03; done > /root/seen"
)
# Programs that live for half a second, from standard input: the shell's own command line has no canary in it.
CANARIES = {"argv": "bash -c 'exec -a {} sleep 0.5'\n", "environ": "CANARY={} sleep 0.5\n"}


@dataclass(frozen=True)
class Watched:
    run: Run
    preview: str  # what pyinfra showed as the differences
    seen: str  # what stood in /proc meanwhile
    canaries: dict[str, str]  # words that stood there on purpose, one before the deploy and one after it


def watched(host: Host, preview: Path) -> Watched:
    canaries = {where: f"canary-{secrets.token_hex(8)}" for where in CANARIES}
    scripts = [script.format(word) for script, word in zip(CANARIES.values(), canaries.values(), strict=True)]
    host.run("touch /run/watch")
    watcher = threading.Thread(target=lambda: host.run(WATCH, timeout=600))
    watcher.start()
    try:
        host.run("sh -s", stdin=scripts[0])
        run = applied(WHOLE, "-vvv", "--diff", "--debug", MAILROOM_PREVIEW=str(preview))
        host.run("sh -s", stdin=scripts[1])
    finally:
        host.run("rm -f /run/watch")
        watcher.join()
    return Watched(run, preview.read_text(), host.run("cat /root/seen; rm /root/seen").stdout, canaries)
