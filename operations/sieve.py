"""Global Sieve scripts: compiled by root where Dovecot's processes, which run as the owner of the mail, may not write."""

from collections.abc import Collection

from operations import preview
from operations.base import Commands, changing, mail_host, shell, writes
from operations.files import PUT, differs

# A script that does not compile never replaces one that did; sievec names the line
# (https://doc.dovecot.org/latest/core/man/sievec.1.html). Without -c it would ask the running Dovecot, which has not read
# this step's settings yet.
COMPILE = (
    PUT.format(check='sievec -c /etc/dovecot/dovecot.conf "$new" "$new.svbin" >&2\nrm -f "$new.svbin"')
    + """sievec -c /etc/dovecot/dovecot.conf "$path" >&2
chmod 644 "${path%.sieve}.svbin"
"""
)


def signed(text: str, version: tuple[int, ...] | None) -> str:
    """A script with a first line that names the Dovecot it was compiled for: after an upgrade it is compiled anew."""
    number = ".".join(map(str, version or ()))
    return f"# Made by mailroom, chapter 5. Compiled for Dovecot {number}.\n{text.strip()}\n"


# By the mail's owner: root would follow a link that a process of his has put there.
# On standard input: an argument ends at 128 KiB. -d: an address may have a ' in it, which xargs would take for a quote.
HOMES = 'cd /; runuser -u "$1" -- sh -c \'umask 077; cd "$0" && xargs -r -d "\\n" mkdir -p --\' "$2"'


@changing
def homes(users: Collection[str], base: str, owner: str) -> Commands:
    """A home for each mailbox below `base`/.home, its owner's alone: Pigeonhole keeps there what has arrived, and makes none itself."""
    wanted = [".home/{1}/{0}".format(*user.rpartition("@")[::2]) for user in users]
    there = {f".home/{path}" for path in mail_host().system.get("homes", "").split()}
    if missing := [path for path in wanted if path not in there]:
        yield shell(HOMES, owner, base, stdin="\n".join(missing) + "\n")


@writes("{path}", "{path.parent}/{path.stem}.svbin")
@changing
def script(path: str, text: str) -> Commands:
    """A global script ("/etc/dovecot/sieve/spam.sieve") and, beside it, what sievec makes of it."""
    there = mail_host()
    text = signed(text, there.dovecot)
    source, binary = there.files.get(path), there.files.get(path.removesuffix(".sieve") + ".svbin")
    if differs(path, text) or source is None or binary is None or binary.mtime < source.mtime:
        preview.change(path, there.text(path) or "", text)
        yield shell(COMPILE, path, "644", "root:root", stdin=text)
