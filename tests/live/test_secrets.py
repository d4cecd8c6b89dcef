"""No secret in any output, log, process list, difference, or file that others may read."""

import json
import re
import threading
from pathlib import Path

from lab import Host
from lab.state import path
from tests.live.support import ROOT, WHOLE, applied

# All that the host's programs are started with while the deploy runs, for whoever looks at /proc
WATCH = (
    "while [ -e /run/watch ]; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sort -u; "
    "sleep 0.03; done > /root/seen"
)


def secrets() -> dict[str, str]:
    return {**json.loads(path("accounts.json").read_text()), **json.loads(path("secrets.json").read_text())}


def leaks(text: str) -> list[str]:
    return [name for name, secret in secrets().items() if secret in text]


def test_no_secret_is_seen(bare: Host, tmp_path: Path) -> None:
    """A first deploy, with everything that pyinfra can be made to print, and a watcher on the host."""
    bare.run("touch /run/watch")
    watcher = threading.Thread(target=lambda: bare.run(WATCH, timeout=600))
    watcher.start()
    preview = tmp_path / "preview"
    try:
        run = applied(WHOLE, "-vvv", "--diff", "--debug", MAILROOM_PREVIEW=str(preview))
    finally:
        bare.run("rm -f /run/watch")
        watcher.join()
    assert leaks(run.output) == []
    assert leaks(preview.read_text()) == [] and "password = (secret)" in preview.read_text()
    seen = bare.run("cat /root/seen").stdout
    assert "psql" in seen, "the watcher saw nothing"
    assert leaks(seen) == []
    assert (
        leaks(bare.run("journalctl --no-pager -o cat; cat /var/log/postgresql/* /var/log/*.log 2>/dev/null").stdout)
        == []
    )

    where = {name: bare.run(["grep", "-rlsF", secret, "/etc", "/home", "/tmp", "/root", "/run", "/var/lib", "/var/spool"], check=False)
             for name, secret in secrets().items()}  # fmt: skip
    for name in ("foo@example.test", "bar@example.test"):
        assert where[name].stdout == "", f"the password of {name} stands in {where[name].stdout}"
    holders = where["mailreader"].stdout.split()
    assert "/etc/dovecot/dovecot-sql.conf" in holders and any("pgsql" in holder for holder in holders)
    for holder in holders:
        mode = bare.run(["stat", "-c", "%a", holder]).stdout.strip()
        assert mode.endswith("0"), f"{holder} has mode {mode}"


def test_the_files_here(server: Host) -> None:
    """The lab's own secrets are for their owner; no file of the repository or of the lab's logs has one."""
    for name in ("accounts.json", "secrets.json", "id_ed25519"):
        assert path(name).stat().st_mode & 0o077 == 0
    texts = [
        file for file in ROOT.rglob("*") if file.suffix in (".py", ".md", ".log", ".ipynb", ".html") and file.is_file()
    ]
    ours = [file for file in texts if not re.search(r"/\.venv/|/node_modules/", str(file))]
    assert len(ours) > 50
    assert {str(file) for file in ours if leaks(file.read_text(errors="replace"))} == set()
