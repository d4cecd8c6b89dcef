"""What a rehearsal takes from a real server. It is read only, and nothing there is changed.

Taken are the inventory's values, accounts with their hashes, aliases, the configuration that every account there may read, and a
sample of mail. Nothing else: no key, no password, and none of the rest of the mail.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from checks.engine import inventory
from checks.engine.target import Target
from deploys.knobs import Knobs
from operations.release import FULL

LARGEST = "1025k"  # of a letter in the sample: find rounds up, and less than 1M would be nothing
TEXTS = "/etc/postfix/main.cf /etc/postfix/master.cf /etc/dovecot /etc/amavis/conf.d /etc/spamassassin /etc/clamav/clamd.conf"
# Files that only some may read hold passwords: the database's, a relay's, a key.
LISTED = (
    f"find {TEXTS} -type f -perm -o+r -size -256k -not -name '*mailroom*' "
    "'(' -name '*.cf' -o -name '*.conf' -o -name '*.ext' -o -name '[0-9]*' ')' 2>/dev/null"
)
ACCOUNTS = """
WITH people AS (SELECT email, password, coalesce(realname, '') AS name FROM users ORDER BY email)
SELECT json_build_object(
    'users', (SELECT coalesce(json_agg(people), '[]') FROM people),
    'aliases', (SELECT coalesce(json_object_agg(alias, email), '{}') FROM aliases))
"""
# Of each folder the newest letters, by names that carry their flags, and what numbers them and names their keywords.
SAMPLE = """
cd {home} || exit
find . -type f '(' -name dovecot-uidlist -o -name dovecot-keywords -o -name 'dovecot-uidvalidity*' -o -name subscriptions \
    -o -name maildirfolder -o -name '*.sieve' -o -name .dovecot.sieve ')'
find . -type l -name '.dovecot.sieve'
find . -type d '(' -name cur -o -name new ')' | while IFS= read -r folder; do
    find "$folder" -maxdepth 1 -type f -size -{largest} -printf '%T@ %p\\n' | sort -rn | head -n {letters} | cut -d' ' -f2-
done
"""


class Refused(Exception):
    """What stands against a rehearsal, and what to do, in sentences."""


@dataclass(frozen=True)
class Taken:
    """A server as far as a rehearsal needs it. `users` are rows with email, password (a hash) and name."""

    name: str
    target: Target
    codename: str
    knobs: dict[str, Any]
    users: list[dict[str, str]]
    aliases: dict[str, list[str]]
    texts: list[str]
    packages: dict[str, str]
    manual: list[str]
    mail_mb: int
    free_mb: int

    @property
    def deploy(self) -> str:
        """The deploy that this server was built by: the whole series has Amavis."""
        return f"deploys/{'mailserver' if 'amavisd-new' in self.packages else 'dovecot'}.py"

    def sample(self, letters: int) -> str:
        """The shell's command that writes the sample of mail to standard output, as a tar."""
        home = shlex.quote(self.target.mail_home)
        listed = SAMPLE.format(home=home, largest=LARGEST, letters=letters)
        return f"( {listed} ) | tar -C {home} -c --no-recursion --files-from=- --ignore-failed-read 2>/dev/null"

    def configuration(self) -> str:
        """The same for the configuration."""
        return f"printf '%s\\n' {shlex.join(self.texts)} | tar -C / -c --files-from=- 2>/dev/null"


def taken(name: str = "") -> Taken:
    """Read the server of that name in the inventory, or its first. Raises Refused, or CannotStart where it is not reached."""
    server = inventory.server(name)
    target = server.target(via="direct", secrets=False)
    codename = target.shell(". /etc/os-release && echo ${VERSION_CODENAME:-$PRETTY_NAME}").strip()
    if codename not in FULL:
        raise Refused(
            f"{server.name} is {codename}; what can be rehearsed is the upgrade of Debian 12 ({', '.join(FULL)})."
        )
    packages = dict(
        line.split("\t", 1) for line in target.shell("dpkg-query -W -f '${Package}\\t${Version}\\n'").splitlines()
    )
    if "dovecot-imapd" not in packages or "postgresql" not in packages:
        raise Refused(f"{server.name} has no mail server of this series; build one first (README.md).")
    rows = json.loads(
        target.shell(
            f"cd / && su postgres -c {shlex.quote('psql -XqAtd mail -c ' + shlex.quote(ACCOUNTS))}", timeout=60
        )
    )
    aliases = {alias: [one for one in re.split("[ ,]+", to) if one] for alias, to in rows["aliases"].items()}
    return Taken(
        name=server.name,
        target=target,
        codename=codename,
        knobs=knobs(server.name),
        users=rows["users"],
        aliases=aliases,
        texts=sorted(one.removeprefix("/") for one in target.shell(LISTED, may_fail=True).split()),
        packages=packages,
        manual=target.shell("apt-mark showmanual").split(),
        free_mb=int(target.shell("df --output=avail -BM /var | tail -n 1 | tr -dc 0-9")),
        mail_mb=int(target.shell(f"du -sm {shlex.quote(target.mail_home)}", timeout=300).split()[0]),
    )


def knobs(name: str) -> dict[str, Any]:
    """What the inventory says of this host: its values for the knobs, the defaults among them."""
    words = [sys.executable, "-m", "inventories.hosts", *Knobs.model_fields]
    told = subprocess.run(words, cwd=inventory.ROOT, capture_output=True, text=True, check=True).stdout
    return {key: value for key, value in json.loads(told)[name].items() if key in Knobs.model_fields}
