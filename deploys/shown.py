"""What a step sets, as its reader sees it: the texts that the step's function gives to the operations, and what is there of them.

`show` and the book print this beside the article's lines, so no step tells its texts twice.
"""

import re
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from deploys.data import MailData
from deploys.platforms import PLATFORMS
from deploys.texts import LANGUAGES, render, values
from deploys.told import CHAPTERS, Told, by_step, each, steps
from facts.mail_host import MailHost
from operations import (
    accounts,
    acme,
    amavis,
    certificate,
    clamav,
    clock,
    dkim,
    dovecot,
    files,
    hostname,
    packages,
    postfix,
    postgresql,
    services,
    sieve,
    users,
)

FAMILIES = {"Debian": PLATFORMS["debian", "13"], "Red Hat": PLATFORMS["almalinux", "9"]}
LONGEST, BEGINNING = 100, 20  # lines; of a longer program the beginning tells what it is for
WORDS = f"LONGEST={LONGEST} BEGINNING={BEGINNING}\n{(Path(__file__).parent / 'shown.sh').read_text()}"

Given = dict[str, Any]


def _lines(settings: dict[str, str], sign: str = "=") -> str:
    return "\n".join(f"{name}{sign}{value}" for name, value in settings.items())


def _master(given: Given) -> str:
    return f"{postfix.MASTER_CF}, {given['service']}"


# What an operation sets: (where it stands, its text); a text in Dovecot's two languages by language. Others set no text.
PARTS: dict[Any, Callable[[Given], tuple[str, str | dict[str, str]]]] = {
    packages.packages: lambda given: ("", f"{given['managers'][0]} install {' '.join(given['packages'])}"),
    hostname.hostname: lambda given: ("", f"hostnamectl set-hostname {given['hostname']}"),
    postfix.main_cf: lambda given: (postfix.MAIN_CF, _lines(given["settings"], " = ")),
    postfix.master_cf: lambda given: (_master(given), given["entry"]),
    postfix.overrides: lambda given: (
        _master(given),
        _lines(given["settings"]) if given.get("present", True) else "",
    ),
    postfix.wakeup: lambda given: (_master(given), f"wakeup: {given['seconds']}"),
    postfix.columns: lambda given: (_master(given), f"maxproc: {given['process_limit']}\nflags={given['flags']}"),
    postfix.table: lambda given: (given["dest"], given["text"]),
    postfix.aliases: lambda given: ("/etc/aliases", _lines(given["aliases"], ": ")),
    files.put: lambda given: (given["dest"], given["text"]),
    amavis.part: lambda given: (given["dest"], given["text"]),
    amavis.rules: lambda given: ("/etc/spamassassin/mailroom.cf", given["text"]),
    clamav.clamd_conf: lambda given: (clamav.CLAMD_CONF, _lines(given["settings"], " ")),
    clock.sources: lambda given: (clock.SOURCES, "\n".join(f"server {name} iburst" for name in given["servers"])),
    certificate.pair: lambda given: (
        "",
        f"openssl req -new -x509 … -addext subjectAltName={','.join(f'DNS:{name}' for name in given['names'])} "
        f"-keyout {given['key']} -out {given['certificate']}",
    ),
    acme.signed: lambda given: (
        "",
        f"certbot certonly --{given.get('way', acme.HTTP)} --reuse-key --server {given['server']}"
        + "".join(f" -d {name}" for name in given["names"]),
    ),
    dkim.key: lambda given: (
        "",
        f"openssl genrsa -out {given['folder']}/{given['selector']}.pem {given.get('bits', 2048)}",
    ),
    postgresql.cluster: lambda given: ("", "postgresql-setup --initdb" if given["data"] else ""),
    postgresql.hba: lambda given: ("pg_hba.conf", "\n".join(given["lines"])),
    postgresql.tables: lambda given: (
        "",
        "\n".join(f"CREATE TABLE {name} ({columns});" for name, columns in given["tables"].items())
        + f"\nGRANT SELECT ON {', '.join(given['tables'])} TO {given['reader']};",
    ),
    users.user: lambda given: (
        "",
        f"groupadd -g {given['gid']} {given['user']}\n"
        f"useradd -g {given['user']} -u {given['uid']} -d {given['home']} -s /usr/sbin/nologin {given['user']}",
    ),
    services.drop_in: lambda given: (
        services.drop_in_path(given["service"], given.get("file", "mailroom")),
        given["text"],
    ),
    dovecot.block: lambda given: (dovecot.CONF, given["dialects"]),
    dovecot.includes: lambda given: (dovecot.CONF, "#!include conf.d/*.conf\n#!include_try local.conf"),
    dovecot.sql_conf: lambda given: (dovecot.SQL_CONF, given["dialects"]),
    sieve.script: lambda given: (given["dest"], given["text"]),
}


# What is there of it now, where that is not simply the text of a file: in the words of shown.sh, with what the operation was given.
NOW = {
    packages.packages: "packages {packages} {others}",
    hostname.hostname: "hostname -f",
    postfix.main_cf: "postconf {settings}",
    postfix.master_cf: "entry {service}",
    postfix.overrides: "overrides {service} {settings}",
    postfix.wakeup: "wakeup {service}",
    postfix.columns: "columns {service}",
    postfix.table: "table {dest}",
    postfix.aliases: "lines /etc/aliases {aliases}",
    files.directory: "rights {path}",
    files.file: "rights {path}",
    dkim.key: "rights {folder}/*",
    clamav.clamd_conf: f"lines {clamav.CLAMD_CONF} {{settings}}",
    clock.sources: f"text {clock.SOURCES}; lines {clock.CONF} makestep pool server",
    postgresql.hba: "hba",
    postgresql.role: "role {role}",
    postgresql.database: "database {database}",
    postgresql.tables: "tables",
    users.user: "getent passwd {user}",
    accounts.transports: "transports",
    accounts.mailboxes: "mailboxes",
    accounts.user_passwords: "mailboxes",
    accounts.aliases: "aliases",
    dovecot.block: "block {block} {outermost}",
    dovecot.includes: "includes",
    dovecot.scheme: "doveadm pw -l",
    services.service: "unit {service} {port}",
}


class Shown(NamedTuple):
    today: dict[str, str]  # by Dovecot's language, by the system's family where packages are installed, or {"": …}
    now: str  # shell that prints what is there now, in the same parts
    compared: bool  # whether that compares with today's text line by line, which what a program says of itself does not


def shown(known: MailData) -> dict[str, Shown]:
    """{"dovecot.tls": …}: of each step what stands there today, with this data, read without its secrets; and what is there now."""
    told = {family: by_step(known, system, MailHost()) for family, system in FAMILIES.items()}
    names = values(known, FAMILIES["Debian"], MailHost())
    found = {}
    for chapter in CHAPTERS:
        for step in steps(chapter):
            name = f"{chapter}.{step.__name__}"
            kept = {family: one[name] for family, one in told.items() if name in one}
            others = [
                package for one in each(kept.get("Red Hat", []), packages.packages) for package in one["packages"]
            ]
            script = _script(kept["Debian"], others, render(step.now, names))
            found[name] = Shown(_texts(kept, render(step.today, names)), *script)
    return found


def _script(kept: Told, others: list[str], special: str) -> tuple[str, bool]:
    """`others` are packages by the names that another family has for them."""
    parts: dict[str, list[str]] = {}
    for operation, given in kept:
        where = PARTS[operation](given)[0] if operation in PARTS else ""
        if command := NOW.get(operation, "text {where}" if where else ""):
            more = {"port": "", "where": where, "others": others, "outermost": _outermost(given.get("dialects", {}))}
            words = {key: _words(value) for key, value in {**more, **given}.items()}
            parts.setdefault(where, []).append(command.format_map(words))
    own = [*parts.pop("", []), *filter(None, [special])]
    lines = [_part(f"# {where}" if len(parts) > 1 or own else "", commands) for where, commands in parts.items()]
    # beside files, what is said of programs is a remark
    lines += [_part("", ["{", *own, "ports", "} | sed 's/^/# /'" if parts else "}"])] if own else []
    return "\n".join([WORDS, *lines]), bool(parts)


def _part(heading: str, commands: list[str]) -> str:
    return 'part {} "$({})"'.format(quote(heading), "\n".join(dict.fromkeys(commands)))


def _words(value: Any) -> str:
    return " ".join(quote(str(one)) for one in (value if isinstance(value, dict | list | tuple) else [value]))


def _outermost(dialects: dict[str, str]) -> list[str]:
    """Of each language the settings ("ssl") and sections ("passdb{") that are in no section."""
    found = [re.findall(r"^(service [\w-]+|\w+).*?({?)$", text, re.MULTILINE) for text in dialects.values()]
    return [" ".join(dict.fromkeys(name.replace(" ", "/") + sign for name, sign in names)) for names in found]


def _texts(told: dict[str, Told], more: str) -> dict[str, str]:
    kept = told["Debian"]
    if any("dialects" in given for _, given in kept):
        return {language: _text(kept, language, more) for language in LANGUAGES}
    if any(operation is packages.packages for operation, _ in kept):
        return {family: _text(one, "", more) for family, one in told.items()}
    return {"": _text(kept, "", more)}


def _text(kept: Told, language: str, more: str) -> str:
    """The parts, each below the name of its file where there are several."""
    parts: dict[str, list[str]] = {}
    for operation, given in kept:
        where, text = PARTS[operation](given) if operation in PARTS else ("", "")
        text = text[language] if isinstance(text, dict) else text
        if text:
            parts.setdefault(where, []).append(_short(text.strip("\n")))
    if more:
        parts.setdefault("", []).append(more)
    if len(parts) == 1:
        return "\n".join(*parts.values())
    return "\n\n".join("\n".join([*([f"# {where}"] if where else []), *texts]) for where, texts in parts.items())


def _short(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:BEGINNING], f"# … {len(lines) - BEGINNING} more lines"]) if len(lines) > LONGEST else text
