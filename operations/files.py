"""Files that go live only when they are right."""

import hashlib

from pyinfra.api import StringCommand

from operations.base import Commands, changing, mail_host, reads, shell, writes

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


def differs(path: str, text: str, mode: str = "644", owner: str = "root:root") -> bool:
    """Whether the host's file has other content, mode or owner. Content is compared by checksum, secret or not."""
    there = mail_host().files.get(path)
    digest = hashlib.sha256((text if text.endswith("\n") else text + "\n").encode()).hexdigest()
    return there is None or (there.sha256, there.mode, f"{there.user}:{there.group}") != (digest, mode, owner)


@writes("{path}")
@changing
def put(path: str, text: str, mode: str = "644", owner: str = "root:root", check: str = "") -> Commands:
    """A file with this text, mode ("640") and owner ("root:dovecot").

    The text travels on standard input, so that a secret in it never stands in a process list or in pyinfra's output.
    """
    if differs(path, text, mode, owner):
        yield put_command(path, text, mode, owner, check)


@writes("{path}")
@changing
def absent(path: str) -> Commands:
    """There is no such file."""
    if path in mail_host().files:
        yield shell('rm -f "$1"', path)


@reads("{path}")
@changing
def directory(path: str, mode: str = "755", owner: str = "root:root", ours: bool = True) -> Commands:
    """A directory with this mode and owner; what is inside stays as it is. One that is not `ours` is made where it is missing,
    and never changed."""
    there = mail_host().files.get(path)
    if there is None or (ours and (there.mode, f"{there.user}:{there.group}") != (mode, owner)):
        yield shell('mkdir -p "$1" && chown "$3" "$1" && chmod "$2" "$1"', path, mode, owner)
