"""The keys that letters are signed with: made on the host, and never anywhere else.

A directory a domain: SELECTOR.pem are its keys, and the file `signing` says which of them signs. That file is the host's own state:
its first line is the key that signs ("SELECTOR since"), each below it one that has signed before ("SELECTOR since until").
`python -m postmaster dkim` changes it, a run never does.
"""

import re

from pyinfra.api.exceptions import OperationError

from operations.base import Commands, changing, mail_host, shell, warn

SIGNING = "signing"
SELECTOR = re.compile(r"[a-z0-9-]+")
# A key is made under another name, and given its own by ln(1), which replaces nothing: whoever has read the DNS record of a key
# relies on it. A killed run's candidate is removed by the next one, by its name (operations/hold.py). A host that an earlier version
# has built says in Amavis's part which of its keys signs.
FIRST = """umask 077
cd "$1"
keys=$(find . -maxdepth 1 -name '*.pem' -printf '%f\\n' | sed 's/\\.pem$//' | sort)
signs=$(sed -n '1s/ .*//p' signing 2>/dev/null || :)
if [ -z "$signs" ]; then
    signs=$(sed -n "s/^dkim_key('${1##*/}', '\\([a-z0-9-]*\\)'.*/\\1/p" "${5:-/dev/null}" 2>/dev/null || :)
    case $(printf '%s\\n' "$keys" | wc -w) in
    0) signs=$2 ;;
    1) signs=$keys ;;
    *) [ -f "$signs.pem" ] || {
        echo "$1 has several keys ($(echo $keys)), and its file signing, which says which of them signs, is gone." \\
            "Nothing was changed. On the host, with the name of the right one: echo \\"SELECTOR $(date -u +%FT%TZ)\\" >$1/signing" >&2
        exit 1
    } ;;
    esac
fi
new=
trap 'rm -f "$new"' EXIT
if [ ! -f "$signs.pem" ]; then
    new=$(mktemp "$1/new.mailroom.XXXXXX")
    openssl genrsa -out "$new" "$3" 2>/dev/null
    chown "root:$4" "$new"
    chmod 640 "$new"
    ln "$new" "$signs.pem"
    rm -f "$new"
fi
new=$(mktemp "$1/new.mailroom.XXXXXX")
{
    if [ -s signing ]; then cat signing; else
        echo "$signs $(date -u -r "$signs.pem" +%FT%TZ)"
        for key in $keys; do
            [ "$key" = "$signs" ] || echo "$key $(date -u -r "$key.pem" +%FT%TZ) $(date -u +%FT%TZ)"
        done
    fi
} >"$new"
chown "root:$4" "$new"
chmod 640 "$new"
mv -f "$new" signing
"""
RIGHTS = """group=$1
shift
chown "root:$group" "$@"
chmod 640 "$@"
"""


def selectors(text: str | None) -> tuple[str, ...]:
    """The keys that a file `signing` names, the one that signs first; () where it names none that could be one."""
    words = [line.split(" ")[0] for line in (text or "").splitlines()]
    return tuple(words) if words and SELECTOR.fullmatch(words[0]) else ()


@changing(edits=f"{{folder}}/{SIGNING}", reads="{folder}/*.pem")
def key(folder: str, selector: str, group: str, part: str = "", bits: int = 2048) -> Commands:
    """A domain's private key (RSA) for DKIM, of root's and readable for a group, and the file that says that it signs. Made where there
    is none, and never replaced (https://www.rfc-editor.org/rfc/rfc8301#section-3.2). Where a key signs, it goes on doing so.

    + folder: the domain's directory, which is there and has the domain's name
    + selector: the name of the first key
    + group: who signs
    + part: Amavis's configuration as an earlier version has written it, with `dkim_key('example.org', 'm1', …)`
    + bits: the length of a new key; 2048 is what every receiver can verify

    **Example:** ``dkim.key(folder="/etc/ssl/dkim/example.org", selector="m1", group="amavis")``
    """
    there = mail_host()
    path = f"{folder}/{SIGNING}"
    if there.files.get(path) and there.text(path) and not selectors(there.text(path)):
        raise OperationError(
            f"the first line of {path} is no selector and a time, so nobody knows which key signs; nothing was changed. On the host, "
            f'with the name of the right one: echo "SELECTOR $(date -u +%FT%TZ)" >{path}'
        )
    known = selectors(there.text(path))
    if not known or f"{folder}/{known[0]}.pem" not in there.files:
        yield shell(FIRST, folder, selector, str(bits), group, part)
        return
    keys = [one for one in there.files if one == path or (one.startswith(f"{folder}/") and one.endswith(".pem"))]
    files = {one: there.files[one] for one in keys}
    if wrong := [name for name, one in files.items() if (one.mode, one.user, one.group) != ("640", "root", group)]:
        yield shell(RIGHTS, group, *wrong)
    elif selector not in known and f"{folder}/{selector}.pem" not in there.files:
        domain = folder.rpartition("/")[2]
        told = (
            f"{domain}: {known[0]} signs. dkim_selector = {selector} names the first key only, so nothing was changed; "
            "for a new key: python -m postmaster dkim rotate"
        )
        warn(told)
        return told
