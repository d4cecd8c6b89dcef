"""Postfix: values in main.cf and entries in master.cf, changed with postconf on a copy that Postfix has checked."""

import re
from collections.abc import Iterable

from pyinfra import host, logger, state

from facts.mail_host import MailHost
from operations import preview
from operations.base import Commands, changing, edits, mail_host, reads, shell, writes
from operations.files import differs, put_command

MAIN_CF, MASTER_CF = "/etc/postfix/main.cf", "/etc/postfix/master.cf"

# `postconf -c` works on a copy of the directory. A parameter that Postfix does not know is only a warning to postconf
# and silence to the daemon (https://www.postfix.org/postconf.1.html), so a warning that names the copy is refused.
# A map of ours that is damaged stops postconf itself, before the step that would put it back: it goes first.
EDIT = """live=/etc/postfix
while broken=$(postconf -n 2>&1 >/dev/null | sed -n 's|.*fatal: \\(/etc/postfix/pgsql/[a-z-]*\\.cf\\), line .*|\\1|p' | grep -m1 .); do
    echo "Postfix cannot read $broken; it is removed, and the step postgresql.maps makes it anew" >&2
    rm "$broken"
done
new=$(mktemp -d "$live/.mailroom.XXXXXX")
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"
cp -a "$live"/main.cf "$live"/master.cf "$new"
for extra in dynamicmaps.cf dynamicmaps.cf.d postfix-files postfix-files.d; do
    [ ! -e "$live/$extra" ] || cp -a "$live/$extra" "$new"
done
postconf -c "$new" -n >/dev/null 2>"$new/before" || true
option=$1
shift
postconf -c "$new" "$option" "$@"
postconf -c "$new" -n >/dev/null 2>"$new/after" || true
postconf -c "$new" -P >/dev/null 2>>"$new/after"
if grep -vxFf "$new/before" "$new/after" >&2; then
    echo "Postfix does not understand this; nothing was changed" >&2
    exit 1
fi
postfix -c "$new" check >&2
for file in main.cf master.cf; do
    cmp -s "$new/$file" "$live/$file" || mv -f "$new/$file" "$live/$file"
done
"""

# local(8) and virtual(8) die of this at their first letter; `postfix check` does not look.
LIMITS_AGREE = """{ limit=$(postconf -h message_size_limit) smaller=
for name in mailbox_size_limit virtual_mailbox_limit; do
    of_file=$(postconf -h $name)
    [ "$of_file" = 0 ] || { [ "$limit" != 0 ] && [ "$of_file" -ge "$limit" ]; } || {
        echo "main.cf: $name = $of_file is smaller than message_size_limit = $limit" >&2
        smaller=yes
    }
done
[ -z "$smaller" ]; }"""


def squeezed(text: str) -> str:
    """A value as `postconf` prints it: one line, single blanks."""
    return " ".join(text.split())


def spoken(value: str, version: str | None) -> str:
    """A value as this Postfix understands it: before 3.6 there is no "at least", only a list of what is excluded
    (https://www.postfix.org/postconf.5.html#smtpd_tls_protocols). None (not installed) is taken for a newer one."""
    old = numbers(version)[:2] < [3, 6]
    return "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1" if value == ">=TLSv1.2" and old else value


def numbers(version: str | None) -> list[int]:
    """3, 7, 11, … of a package's version; 9, 9 of None."""
    return [int(number) for number in re.findall(r"\d+", (version or "9.9").rpartition(":")[2])]


def at_once(text: str, version: str | None) -> str:
    """A map that asks a lost PostgreSQL again after a second. Before 3.9 Postfix cannot be told, and waits a minute
    (https://www.postfix.org/pgsql_table.5.html)."""
    return text if numbers(version)[:2] < [3, 9] else f"{text.rstrip()}\nretry_interval = 1\n"


@writes("{path}")
@changing
def lookups(path: str, text: str) -> Commands:
    """A map of Postfix's with a password in it, for root and Postfix."""
    text = at_once(text, mail_host().packages.get("postfix"))
    if differs(path, text, "640", "root:postfix"):
        yield put_command(path, text, "640", "root:postfix")


@writes(MAIN_CF)
@changing
def main_cf(settings: dict[str, str]) -> Commands:
    """These parameters stand in main.cf with these values; everything else there stays as it is."""
    there = mail_host().main_cf
    version = mail_host().packages.get("postfix")
    settings = {key: spoken(value, version) for key, value in settings.items()}
    wrong = [f"{key} = {squeezed(value)}" for key, value in settings.items() if there.get(key) != squeezed(value)]
    if wrong:
        before = [f"{key} = {there[key]}" for key in settings if key in there]
        preview.change(MAIN_CF, _lines(before), _lines(f"{k} = {squeezed(v)}" for k, v in settings.items()))
        yield shell(EDIT, "-e", *wrong)


@writes(MASTER_CF)
@changing
def master_cf(service: str, entry: str, port: int | None = None) -> Commands:
    """A service ("submission/inet") exists in master.cf with the seven columns and command of `entry`.

    Its -o overrides are not compared here: they are `override`s, and a later chapter may add some. Where /etc/services
    is older than the service's name, the name gets its `port` there: Postfix's master would not start without.
    """
    name = service.partition("/")[0]
    if port and name not in mail_host().system.get("services", "").split():
        yield shell('printf "%-15s %s/tcp\\n" "$1" "$2" >>/etc/services', name, str(port))
    there = mail_host().master_cf.get(service, "")
    if there.split()[:8] != entry.split()[:8]:
        preview.change(MASTER_CF, there, squeezed(entry))
        yield shell(EDIT, "-M", f"{service}={squeezed(entry)}")


@writes(MASTER_CF)
@changing
def columns(service: str, process_limit: str, flags: str) -> Commands:
    """A client of master.cf runs at most so many times at once, and prepends these headers (lmtp(8), "flags=")."""
    words = mail_host().master_cf.get(service, "").split()
    command = [*words[7:8], f"flags={flags}", *(word for word in words[8:] if not word.startswith("flags="))]
    if words[6:] != [process_limit, *command]:
        preview.change(MASTER_CF, " ".join(words), " ".join([*words[:6], process_limit, *command]))
        yield shell(EDIT, "-F", f"{service}/process_limit={process_limit}", f"{service}/command={' '.join(command)}")


@writes(MASTER_CF)
@changing
def override(service: str, settings: dict[str, str]) -> Commands:
    """These -o overrides stand under a service of master.cf with these values; others stay as they are."""
    there = mail_host().overrides
    wrong = [
        f"{service}/{key}={squeezed(value)}"
        for key, value in settings.items()
        if there.get(f"{service}/{key}") != squeezed(value)
    ]
    if wrong:
        before = [f"  -o {key}={there[f'{service}/{key}']}" for key in settings if f"{service}/{key}" in there]
        after = _lines(f"  -o {key}={squeezed(value)}" for key, value in settings.items())
        preview.change(f"{MASTER_CF} ({service})", _lines(before), after)
        yield shell(EDIT, "-P", *wrong)


@writes(MASTER_CF)
@changing
def no_override(service: str, names: tuple[str, ...]) -> Commands:
    """These -o overrides do not stand under a service of master.cf."""
    left = [f"{service}/{name}" for name in names if f"{service}/{name}" in mail_host().overrides]
    if left:
        yield shell(EDIT, "-PX", *left)


OUR_TARGET = re.compile(r"root|postmaster@\S+")  # what our lines lead to, also under an earlier mail_domains


@edits("/etc/aliases")
@reads("/etc/aliases.db", "/etc/aliases.lmdb", "/etc/aliases.cdb")
@changing
def system_aliases(wanted: dict[str, str]) -> Commands:
    """These names stand in /etc/aliases (https://www.postfix.org/aliases.5.html), and its index is up to date. A name that the
    operator leads elsewhere stays as it is, and is named."""
    text = mail_host().text("/etc/aliases") or ""
    entries = _entries(text)
    there = {name: target for name, target, _ in entries if name}
    others = {
        name: there[name] for name in wanted if name in there and not OUR_TARGET.fullmatch(there[name]) and there[name]
    }
    if others and state.is_executing:
        for name in others:
            host.log_styled(
                f"kept: /etc/aliases leads {name} elsewhere than to {wanted[name]}; "
                "take that line out if the postmaster of the data shall get this mail",
                fg="yellow",
                log_func=logger.warning,
            )
    ours = {name: target for name, target in wanted.items() if name not in others}
    if all(there.get(name) == target for name, target in ours.items()):
        if _index_is_old(mail_host()):
            yield shell("newaliases")
        return
    kept = [line for name, _, line in entries if name not in ours]
    lines = [*kept, *(f"{name}: {target}" for name, target in ours.items())]
    preview.change("/etc/aliases", text, _lines(lines))
    yield put_command("/etc/aliases", "\n".join(lines))
    yield shell("newaliases")


def _entries(text: str) -> list[tuple[str, str, str]]:
    """Name, target and lines of each entry; a line that begins with a blank goes on with the entry before it, also behind a
    comment. Names are compared without case and quotes. A comment has no name."""
    entries: list[tuple[str, str, str]] = []
    for line in text.splitlines():
        last = next((i for i in range(len(entries) - 1, -1, -1) if entries[i][0]), None)
        if line[:1] in (" ", "\t") and line.strip() and not line.strip().startswith("#") and last is not None:
            name, target, lines = entries[last]
            entries[last] = (name, f"{target} {line.strip()}".strip(), f"{lines}\n{line}")
        elif line.startswith("#") or ":" not in line:
            entries.append(("", "", line))
        else:
            name, _, target = line.partition(":")
            entries.append((name.strip().strip('"').lower(), target.strip(), line))
    return entries


def _index_is_old(there: MailHost) -> bool:
    """A run may have died between the file and its index."""
    kind = there.main_cf.get("alias_database", "").partition(":")[0]
    kept = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb"}.get(kind)
    source = there.files.get("/etc/aliases")
    index = there.files.get(f"/etc/aliases{kept}")
    return bool(kept and source) and (index is None or (source is not None and index.mtime < source.mtime))


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
