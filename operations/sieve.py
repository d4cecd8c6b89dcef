"""Global Sieve scripts: compiled by root where Dovecot's processes, which run as the owner of the mail, may not write."""

from collections.abc import Collection

from operations import preview
from operations.base import Commands, changing, mail_host, shell
from operations.files import PUT, differs

# A script that does not compile never replaces one that did; sievec names the line
# (https://doc.dovecot.org/latest/core/man/sievec.1.html). Without -c it would ask the running Dovecot, which has not read
# this step's settings yet. Dovecot would compile one that is not newer than its script again, and may not write it: a host that was
# copied or restored has times without fractions of a second.
COMPILE = (
    PUT.format(check='sievec -c /etc/dovecot/dovecot.conf "$new" "$new.svbin" >&2\nrm -f "$new.svbin"')
    + """sievec -c /etc/dovecot/dovecot.conf "$path" >&2
chmod 644 "${path%.sieve}.svbin"
touch -r "$path" -d "+1 second" "${path%.sieve}.svbin"
"""
)


def signed(text: str, version: tuple[int, ...] | None) -> str:
    """A script with a first line that names the Dovecot it was compiled for: after an upgrade it is compiled anew."""
    number = ".".join(map(str, version or ()))
    return f"# Made by mailroom, chapter 5. Compiled for Dovecot {number}.\n{text.strip()}\n"


# By the mail's owner: root would follow a link that a process of his has put there.
# On standard input: an argument ends at 128 KiB. -d: an address may have a ' in it, which xargs would take for a quote.
HOMES = 'cd /; runuser -u "$1" -- sh -c \'umask 077; cd "$0" && xargs -r -d "\\n" mkdir -p --\' "$2"'


@changing(mail_home="{path}")
def homes(users: Collection[str], path: str, user: str) -> Commands:
    """A home for each mailbox below the directory's .home, its owner's alone: Pigeonhole keeps there what has arrived, and makes
    none itself.

    + users: addresses of mailboxes
    + path: the directory of the mail
    + user: its owner

    **Example:** ``sieve.homes(users=("foo@example.org",), path="/home/mail", user="vmail")``
    """
    wanted = [".home/{1}/{0}".format(*address.rpartition("@")[::2]) for address in users]
    there = {f".home/{home}" for home in mail_host().system.get("homes", "").split()}
    if missing := [home for home in wanted if home not in there]:
        yield shell(HOMES, user, path, stdin="\n".join(missing) + "\n")


@changing(writes=("{dest}", "{dest.parent}/{dest.stem}.svbin"))
def script(dest: str, text: str) -> Commands:
    """A global script and, beside it, what sievec makes of it. One that does not compile never replaces one that did.

    + dest: its path, which ends with .sieve
    + text: Sieve

    **Example:** ``sieve.script(dest="/etc/dovecot/sieve/all.sieve", text="keep;")``
    """
    there = mail_host()
    text = signed(text, there.dovecot)
    source, binary = there.files.get(dest), there.files.get(dest.removesuffix(".sieve") + ".svbin")
    if differs(dest, text) or source is None or binary is None or binary.mtime < source.mtime:
        preview.change(dest, there.text(dest) or "", text)
        yield shell(COMPILE, dest, "644", "root:root", stdin=text)
