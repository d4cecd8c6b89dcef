"""No secret in any output, log, process list, difference, or file that others may read."""

import json
import re

from deploys.secrets import KEY_FILE
from lab import Host
from lab.state import path
from tests.live.support import ROOT
from tests.live.watching import Watched


def secrets() -> dict[str, str]:
    """All of the lab's, also the key of the fingerprints, which the first run makes."""
    key = {KEY_FILE: path(KEY_FILE).read_text().strip()} if path(KEY_FILE).exists() else {}
    return {**json.loads(path("accounts.json").read_text()), **json.loads(path("secrets.json").read_text()), **key}


def leaks(text: str, **words: str) -> list[str]:
    return [name for name, secret in {**secrets(), **words}.items() if secret in text]


def test_no_secret_is_seen(first: Watched, server: Host) -> None:
    """A first deploy, with everything that pyinfra can be made to print, and a watcher on the host."""
    assert leaks(first.run.output) == []
    assert leaks(first.preview) == [] and "password = (secret)" in first.preview
    assert "psql" in first.seen
    assert leaks(first.seen, **first.canaries) == ["argv", "environ"]
    server.run("logger", stdin=first.canaries["argv"])
    logs = "journalctl --no-pager -o cat; cat /var/log/postgresql/* /var/log/*.log 2>/dev/null"
    assert leaks(server.run(logs).stdout, canary=first.canaries["argv"]) == ["canary"]

    where = {name: server.run(["grep", "-rlsF", secret, "/etc", "/home", "/tmp", "/root", "/run", "/var/lib", "/var/spool"], check=False)
             for name, secret in secrets().items()}  # fmt: skip
    # the relay's and the nameserver's, too: without relayhost and acme_dns no host gets to know them (test_relayhost.py and
    # test_certificate_dns.py have them used)
    for name in ("foo@example.test", "bar@example.test", "relayhost", "acme_dns", KEY_FILE):
        assert where[name].stdout == "", f"the secret of {name} stands in {where[name].stdout}"
    holders = where["mailreader"].stdout.split()
    assert "/etc/dovecot/dovecot-sql.conf" in holders and any("pgsql" in holder for holder in holders)
    for holder in holders:
        mode = server.run(["stat", "-c", "%a", holder]).stdout.strip()
        assert mode.endswith("0"), f"{holder} has mode {mode}"


def test_the_files_here(server: Host) -> None:
    """The lab's own secrets are for their owner; no file of the repository or of the lab's logs has one."""
    for name in ("accounts.json", "secrets.json", "id_ed25519", KEY_FILE):
        assert path(name).stat().st_mode & 0o077 == 0
    texts = [
        file for file in ROOT.rglob("*") if file.suffix in (".py", ".md", ".log", ".ipynb", ".html") and file.is_file()
    ]
    ours = [file for file in texts if not re.search(r"/\.venv/|/node_modules/", str(file))]
    assert len(ours) > 50
    assert {str(file) for file in ours if leaks(file.read_text(errors="replace"))} == set()
