"""Files that go live only when they are right."""

import hashlib

from pyinfra.api import StringCommand

from facts.mail_host import File
from operations import preview
from operations.base import Commands, changing, mail_host, shell

# The new file is made beside the old one, with nobody else's permission, checked by its own program, then renamed:
# rename(2) is atomic, so a reader sees the old file or the new one. A refused file changes nothing. -Z gives the file the
# SELinux label of its new name; where there is no SELinux, it does nothing. By its name the next run knows and removes what a
# killed one left behind (operations/hold.py).
PUT = """umask 077
path=$1 mode=$2 owner=$3
new=$(mktemp "$path.mailroom.XXXXXX")
trap 'rm -f "$new"' EXIT
cat >"$new"
chown "$owner" "$new"
chmod "$mode" "$new"
{check}
mv -fZ "$new" "$path"
"""


def put_command(path: str, text: str, mode: str = "644", owner: str = "root:root", check: str = "") -> StringCommand:
    """The command that puts `text` at `path`; `check` is a shell line that fails when the file "$new" is wrong."""
    return shell(PUT.format(check=check), path, mode, owner, stdin=text if text.endswith("\n") else text + "\n")


def edited(path: str, after: str, check: str = "", empty: bool = False) -> Commands:
    """The commands of an operation that keeps a part of the file: none where the text is `after` already."""
    before = mail_host().text(path) or ""
    if after != before or (empty and not before):
        preview.change(path, before, after)
        yield put_command(path, after, check=check)


def written(
    path: str, text: str, mode: str = "644", owner: str = "root:root", check: str = "", seen: str = ""
) -> Commands:
    """The commands of an operation to whom the whole file belongs. `seen` is the text for the preview where this one is secret."""
    if differs(path, text, mode, owner):
        preview.change(path, mail_host().text(path) or "", seen or text)
        yield put_command(path, text, mode, owner, check)


def differs(path: str, text: str, mode: str = "644", owner: str = "root:root") -> bool:
    """Whether the host's file has other content, mode or owner. Content is compared by checksum, secret or not."""
    there = mail_host().files.get(path)
    digest = hashlib.sha256((text if text.endswith("\n") else text + "\n").encode()).hexdigest()
    return there is None or there.sha256 != digest or _others(there, mode, owner)


def _others(file: File, mode: str, owner: str) -> bool:
    return (file.mode, f"{file.user}:{file.group}") != (mode, owner)


@changing(writes="{dest}")
def put(dest: str, text: str, user: str = "root", group: str = "root", mode: str = "644", check: str = "") -> Commands:
    """A file with this text. It travels on standard input, so a secret in it is in no process list and not in pyinfra's output.

    + dest: the file's path
    + text: what it says; one line end is added where there is none
    + user, group, mode: its owner, and its permissions as text ("640")
    + check: a line of shell that fails where the file "$new" is wrong: it then stays as it was

    **Example:** ``files.put(dest="/etc/motd", text="Be kind.", mode="644")``
    """
    owner = f"{user}:{group}"
    if differs(dest, text, mode, owner):
        yield put_command(dest, text, mode, owner, check)


@changing(writes="{path}")
def file(path: str, present: bool = True, user: str = "root", group: str = "root", mode: str = "644") -> Commands:
    """A file that another program writes has this owner and mode, or is not there.

    + path: the file
    + present: False removes it
    + user, group, mode: as in `put`

    **Example:** ``files.file(path="/etc/ssl/private/mail.key", mode="600")``
    """
    there = mail_host().files.get(path)
    if not present and there:
        yield shell('rm -f "$1"', path)
    elif present and (there is None or _others(there, mode, f"{user}:{group}")):
        yield shell('chown "$3" "$1" && chmod "$2" "$1"', path, mode, f"{user}:{group}")


@changing(reads="{path}")
def directory(path: str, user: str = "root", group: str = "root", mode: str = "755", ours: bool = True) -> Commands:
    """A directory with this owner and mode; what is inside stays as it is.

    + path: the directory; those above it are made, too
    + user, group, mode: as in `put`
    + ours: False makes it where it is missing, and never changes it

    **Example:** ``files.directory(path="/srv/mail", user="vmail", group="vmail", mode="750")``
    """
    there = mail_host().files.get(path)
    if there is None or (ours and _others(there, mode, f"{user}:{group}")):
        yield shell('mkdir -p "$1" && chown "$3" "$1" && chmod "$2" "$1"', path, mode, f"{user}:{group}")
    elif _others(there, mode, f"{user}:{group}"):
        return "kept: the directory is the operator's"
