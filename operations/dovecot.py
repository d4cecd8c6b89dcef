"""Dovecot: one marked block of dovecot.conf for each step, in the language of the Dovecot on the host."""

import re
from collections.abc import Collection

from operations.base import Commands, changing, mail_host, shell
from operations.files import edited, written

CONF = "/etc/dovecot/dovecot.conf"
SQL_CONF = "/etc/dovecot/dovecot-sql.conf"
# doveconf reads the candidate as Dovecot would (https://doc.dovecot.org/latest/core/man/doveconf.1.html) and names the
# line. It says yes to an unreadable value here and there, so the checks still try the service itself.
CHECK = 'doveconf -c "$new" -n >/dev/null'
RUNS = "doveconf -n >/dev/null"  # before a start
INCLUDES = re.compile(r"^#?(!include conf\.d/\*\.conf|!include_try local\.conf)", re.MULTILINE)


def dialect(version: tuple[int, ...] | None) -> str:
    """Which of the two languages a Dovecot speaks: "2.4", or "2.3" for all before. None (not installed) is taken as 2.4.

    Raises ValueError for a Dovecot that nobody has tried: 2.5 and later, 2.2 and before.
    """
    if version is None or version[:2] == (2, 4):
        return "2.4"
    if version[:2] == (2, 3):
        return "2.3"
    raise ValueError(f"Dovecot {'.'.join(map(str, version))} is neither 2.3 nor 2.4, the two that mailroom speaks")


def language_of(text: str) -> str:
    """The language that dovecot.conf is written in: 2.4's begins with its version. "" where it sets nothing."""
    first = next((line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")), "")
    return "" if not first else "2.4" if re.match(r"dovecot_config_version\b", first) else "2.3"


def translated(text: str, blocks: dict[str, dict[str, str]], language: str) -> str:
    """The blocks of ours that a text has, in its order, as they are in another language."""
    found = ""
    for one in BLOCK.finditer(text):
        if said := blocks.get(one[1]):
            found = with_block(found, one[1], said[language])
    return found


def with_block(text: str, name: str, body: str) -> str:
    """dovecot.conf with the block `name` replaced where it stands, or added at the end; a second copy of it goes."""
    first, last = f"# >>> mailroom: {name}", f"# <<< mailroom: {name}"
    block = f"{first}\n{body.strip()}\n{last}\n"
    pattern = re.compile(rf"^{re.escape(first)}\n.*?^{re.escape(last)}\n", re.MULTILINE | re.DOTALL)
    if found := pattern.search(text):
        return text[: found.start()] + block + pattern.sub("", text[found.end() :])
    return f"{text.rstrip()}\n\n{block}"


BLOCK = re.compile(r"^# >>> mailroom: (.+)\n(?:.*\n)*?# <<< mailroom: \1$", re.MULTILINE)
# What packages leave in dovecot.conf: versions, includes of parts of their own, empty sections (Debian's `dict { }`).
PACKAGED = re.compile(
    r"dovecot_(config|storage)_version\b|!include_try /usr/share/dovecot/protocols\.d/|!include conf\.d/\*\.conf$"
    r"|!include_try local\.conf$|dict \{$|\}$"
)


def foreign_settings(text: str, ours: Collection[str] | None = None) -> list[str]:
    """Settings of dovecot.conf that stand in no block of ours and that no package brings: "line 107: ssl". `ours` are the names
    of our blocks; None takes any."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n") if ours is None or found[1] in ours else found[0]

    found, depth = [], 0
    for number, line in enumerate(map(str.strip, BLOCK.sub(blank, text).splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        if depth == 0 and not PACKAGED.match(line):
            found.append(f"line {number}: {line.split('=')[0].strip()}")
        depth = max(0, depth + line.endswith("{") - line.startswith("}"))
    return found


@changing(edits=CONF)
def block(block: str, dialects: dict[str, str]) -> Commands:
    """Settings are in a marked block of their own in dovecot.conf, and doveconf has read the file before it goes live.

    + block: a name
    + dialects: the settings in each of Dovecot's languages, "2.3" and "2.4"

    **Example:** ``dovecot.block(block="tls", dialects={"2.3": "ssl = required", "2.4": "ssl = required"})``
    """
    there = mail_host()
    after = with_block(there.text(CONF) or "", block, dialects[dialect(there.dovecot)])
    yield from edited(CONF, after, check=CHECK)


@changing(edits=CONF)
def includes(enabled: bool = True) -> Commands:
    """dovecot.conf reads the distribution's own settings (conf.d, local.conf), or does not, as in the article.

    + enabled: False comments the lines out

    **Example:** ``dovecot.includes(enabled=False)``
    """
    after = INCLUDES.sub(r"\1" if enabled else r"#\1", mail_host().text(CONF) or "")
    yield from edited(CONF, after, check=CHECK, empty=True)


@changing(writes=SQL_CONF)
def sql_conf(dialects: dict[str, str]) -> Commands:
    """dovecot-sql.conf, with the database's password in it, for root only: Dovecot reads it before it drops privileges.

    + dialects: the text in each of Dovecot's languages

    **Example:** ``dovecot.sql_conf(dialects={"2.3": "driver = pgsql", "2.4": "sql_driver = pgsql"})``
    """
    text = dialects[dialect(mail_host().dovecot)]
    yield from written(SQL_CONF, text, "600", seen=re.sub(r"password ?=.*", "password = (secret)", text))


@changing()
def scheme(scheme: str) -> Commands:
    """Fails where this Dovecot cannot verify the scheme: every login would be refused, and nothing would say why.

    + scheme: as `doveadm pw -l` calls it

    **Example:** ``dovecot.scheme(scheme="ARGON2ID")``
    """
    if scheme not in mail_host().schemes:
        yield shell(
            'doveadm pw -l | tr " " "\\n" | grep -qx "$1" || {'
            " echo \"this Dovecot does not know $1; set password_scheme = 'SHA512-CRYPT'\" >&2; exit 1; }",
            scheme,
        )
