"""Postfix: values in main.cf and entries in master.cf, changed with postconf on a copy that Postfix has checked."""

import re
from collections.abc import Iterable
from pathlib import Path

from facts.mail_host import MailHost
from operations import preview
from operations.base import Commands, changing, mail_host, shell, warn
from operations.files import differs, put_command

MAIN_CF, MASTER_CF = "/etc/postfix/main.cf", "/etc/postfix/master.cf"

EDIT = Path(__file__).with_name("edit_postfix.sh").read_text()

# What an older Postfix does not know: each of its programs would warn of it, each time.
SINCE = {"smtpd_client_ipv6_prefix_length": [3, 8]}

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


def understood(settings: dict[str, str], version: str | None) -> dict[str, str]:
    """Those settings that this Postfix knows, with values that it understands."""
    known = numbers(version)[:2]
    return {name: spoken(value, version) for name, value in settings.items() if SINCE.get(name, known) <= known}


def numbers(version: str | None) -> list[int]:
    """3, 7, 11, … of a package's version; 9, 9 of None."""
    return [int(number) for number in re.findall(r"\d+", (version or "9.9").rpartition(":")[2])]


def at_once(text: str, version: str | None) -> str:
    """A map that asks a lost PostgreSQL again after a second. Before 3.9 Postfix cannot be told, and waits a minute
    (https://www.postfix.org/pgsql_table.5.html)."""
    return text if numbers(version)[:2] < [3, 9] else f"{text.rstrip()}\nretry_interval = 1\n"


@changing(writes="{dest}", packages="postfix")
def table(dest: str, text: str) -> Commands:
    """A lookup table with a password in it, for root and Postfix.

    + dest: its path
    + text: its lines (https://www.postfix.org/pgsql_table.5.html)

    **Example:** ``postfix.table(dest="/etc/postfix/aliases.cf", text="hosts = localhost")``
    """
    text = at_once(text, mail_host().packages.get("postfix"))
    if differs(dest, text, "640", "root:postfix"):
        yield put_command(dest, text, "640", "root:postfix")


@changing(writes=MAIN_CF, packages="postfix")
def main_cf(settings: dict[str, str]) -> Commands:
    """These parameters are in main.cf with these values; everything else there stays as it is. Postfix has read the file before
    it goes live.

    + settings: values by name

    **Example:** ``postfix.main_cf(settings={"inet_interfaces": "all"})``
    """
    there = mail_host().main_cf
    settings = understood(settings, mail_host().packages.get("postfix"))
    wrong = [f"{key} = {squeezed(value)}" for key, value in settings.items() if there.get(key) != squeezed(value)]
    if wrong:
        before = [f"{key} = {there[key]}" for key in settings if key in there]
        preview.change(MAIN_CF, _lines(before), _lines(f"{k} = {squeezed(v)}" for k, v in settings.items()))
        yield shell(EDIT, "-e", *wrong)


@changing(writes=MASTER_CF, services="{service.parent}")
def master_cf(service: str, entry: str, port: int | None = None) -> Commands:
    """A service of master.cf has the seven columns and the command of `entry`. Its -o options are not compared: see `overrides`.

    + service: name and type ("submission/inet")
    + entry: the line, without options
    + port: where /etc/services is older than the service's name, the name gets this port there: Postfix's master would not
      start without

    **Example:** ``postfix.master_cf(service="submission/inet", entry="submission inet n - y - - smtpd", port=587)``
    """
    name = service.partition("/")[0]
    if port and name not in mail_host().system.get("services", "").split():
        yield shell('printf "%-15s %s/tcp\\n" "$1" "$2" >>/etc/services', name, str(port))
    there = mail_host().master_cf.get(service, "")
    if there.split()[:8] != entry.split()[:8]:
        preview.change(MASTER_CF, there, squeezed(entry))
        yield shell(EDIT, "-M", f"{service}={squeezed(entry)}")


@changing(writes=MASTER_CF)
def columns(service: str, process_limit: str, flags: str) -> Commands:
    """A client of master.cf runs at most so many times at once, and prepends these headers.

    + service: as in `master_cf`
    + process_limit: a number, or "-" for the default
    + flags: letters of pipe(8) and lmtp(8), "flags="

    **Example:** ``postfix.columns(service="lmtp/unix", process_limit="10", flags="O")``
    """
    words = mail_host().master_cf.get(service, "").split()
    command = [*words[7:8], f"flags={flags}", *(word for word in words[8:] if not word.startswith("flags="))]
    if words[6:7] != [process_limit] or sorted(words[7:]) != sorted(command):  # postconf puts options first
        preview.change(MASTER_CF, " ".join(words), " ".join([*words[:6], process_limit, *command]))
        yield shell(EDIT, "-F", f"{service}/process_limit={process_limit}", f"{service}/command={' '.join(command)}")


@changing(writes=MASTER_CF)
def wakeup(service: str, seconds: int) -> Commands:
    """Postfix's master wakes a service of master.cf every so many seconds, and starts it where it is not there.

    + service: as in `master_cf`
    + seconds: https://www.postfix.org/master.5.html, "Wake up time"

    **Example:** ``postfix.wakeup(service="qmgr/unix", seconds=5)``
    """
    words = mail_host().master_cf.get(service, "").split()
    if words[5:6] != [str(seconds)]:
        preview.change(MASTER_CF, " ".join(words), " ".join([*words[:5], str(seconds), *words[6:]]))
        yield shell(EDIT, "-F", f"{service}/wakeup={seconds}")


@changing(writes=MASTER_CF)
def overrides(service: str, settings: dict[str, str], present: bool = True) -> Commands:
    """Options (-o) of a service of master.cf have these values; others stay as they are.

    + service: as in `master_cf`
    + settings: values by name
    + present: False takes options of these names away, whatever their value

    **Example:** ``postfix.overrides(service="smtp/inet", settings={"smtpd_tls_security_level": "may"})``
    """
    there = {key: mail_host().overrides.get(f"{service}/{key}") for key in settings}
    if not present:
        if left := [f"{service}/{key}" for key in settings if there[key] is not None]:
            yield shell(EDIT, "-PX", *left)
        return
    wrong = [f"{service}/{key}={squeezed(value)}" for key, value in settings.items() if there[key] != squeezed(value)]
    if wrong:
        before = [f"  -o {key}={value}" for key, value in there.items() if value is not None]
        after = _lines(f"  -o {key}={squeezed(value)}" for key, value in settings.items())
        preview.change(f"{MASTER_CF} ({service})", _lines(before), after)
        yield shell(EDIT, "-P", *wrong)


@changing(writes=MASTER_CF)
def no_overrides(service: str, settings: dict[str, str]) -> Commands:
    """Options (-o) of a service of master.cf that have these very values are gone. With another value one is the operator's, and stays.

    + service: as in `master_cf`
    + settings: values by name

    **Example:** ``postfix.no_overrides(service="smtp/unix", settings={"smtp_tls_security_level": "dane"})``
    """
    there = mail_host().overrides
    if ours := [f"{service}/{key}" for key, value in settings.items() if there.get(f"{service}/{key}") == value]:
        preview.change(
            f"{MASTER_CF} ({service})", _lines(f"  -o {name.rpartition('/')[2]}={there[name]}" for name in ours), ""
        )
        yield shell(EDIT, "-PX", *ours)


OUR_TARGET = re.compile(r"root|postmaster@\S+")  # what our lines lead to, also under an earlier mail_domains


@changing(edits="/etc/aliases", reads=("/etc/aliases.db", "/etc/aliases.lmdb", "/etc/aliases.cdb"))
def aliases(aliases: dict[str, str]) -> Commands:
    """These names are in /etc/aliases (https://www.postfix.org/aliases.5.html), and its index is up to date. A name that the
    operator leads elsewhere stays as it is, and is named.

    + aliases: targets by name

    **Example:** ``postfix.aliases(aliases={"postmaster": "root", "root": "postmaster@example.org"})``
    """
    text = mail_host().text("/etc/aliases") or ""
    entries = _entries(text)
    there = {name: target for name, target, _ in entries if name}
    others = [name for name in aliases if there.get(name) and not OUR_TARGET.fullmatch(there[name])]
    for name in others:
        warn(
            f"kept: /etc/aliases leads {name} elsewhere than to {aliases[name]}; "
            "take that line out if the postmaster of the data shall get this mail"
        )
    ours = {name: target for name, target in aliases.items() if name not in others}
    if all(there.get(name) == target for name, target in ours.items()):
        if _index_is_old(mail_host()):
            yield shell("newaliases")
        return f"kept: the operator leads {', '.join(others)} elsewhere" if others else None
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
