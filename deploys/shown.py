"""What a step sets, as its reader sees it: the texts that the step's function gives to the operations.

`show` and the book print this beside the article's lines, so no step tells its texts twice.
"""

from collections.abc import Callable
from typing import Any

from deploys.data import MailData
from deploys.platforms import PLATFORMS
from deploys.texts import render, values
from deploys.told import CHAPTERS, Told, by_step, steps
from facts.mail_host import MailHost
from operations import clamav, clock, dovecot, postfix, services

LANGUAGES = ("2.3", "2.4")
FAMILIES = {"Debian": PLATFORMS["debian", "13"], "Red Hat": PLATFORMS["almalinux", "9"]}
LONGEST = 100  # lines; of a longer program the beginning tells what it is for

Given = dict[str, Any]


def _lines(settings: dict[str, str], sign: str = "=") -> str:
    return "\n".join(f"{name}{sign}{value}" for name, value in settings.items())


def _master(given: Given) -> str:
    return f"{postfix.MASTER_CF}, {given['service']}"


# What an operation sets: (where it stands, its text); a text in Dovecot's two languages by language. Others set no text.
PARTS: dict[str, Callable[[Given], tuple[str, str | dict[str, str]]]] = {
    "packages.installed": lambda given: ("", f"{given['managers'][0]} install {' '.join(given['names'])}"),
    "hostname.is_set": lambda given: ("", f"hostnamectl set-hostname {given['fqdn']}"),
    "postfix.main_cf": lambda given: (postfix.MAIN_CF, _lines(given["settings"], " = ")),
    "postfix.master_cf": lambda given: (_master(given), given["entry"]),
    "postfix.override": lambda given: (_master(given), _lines(given["settings"])),
    "postfix.columns": lambda given: (_master(given), f"maxproc: {given['process_limit']}\nflags={given['flags']}"),
    "postfix.lookups": lambda given: (given["path"], given["text"]),
    "postfix.system_aliases": lambda given: ("/etc/aliases", _lines(given["wanted"], ": ")),
    "files.put": lambda given: (given["path"], given["text"]),
    "amavis.part": lambda given: (given["path"], given["text"]),
    "amavis.rules": lambda given: ("/etc/spamassassin/mailroom.cf", given["text"]),
    "clamav.clamd_conf": lambda given: (clamav.CLAMD_CONF, _lines(given["settings"], " ")),
    "clock.sources": lambda given: (clock.SOURCES, "\n".join(f"server {name} iburst" for name in given["names"])),
    "certificate.self_signed": lambda given: (
        "",
        f"openssl req -new -x509 … -addext subjectAltName={','.join(f'DNS:{name}' for name in given['names'])} "
        f"-keyout {given['key']} -out {given['certificate']}",
    ),
    "postgresql.initialised": lambda given: ("", "postgresql-setup --initdb" if given["data"] else ""),
    "postgresql.host_access": lambda given: ("pg_hba.conf", "\n".join(given["lines"])),
    "postgresql.tables": lambda given: (
        "",
        "\n".join(f"CREATE TABLE {name} ({columns});" for name, columns in given["wanted"].items())
        + f"\nGRANT SELECT ON {', '.join(given['wanted'])} TO {given['reader']};",
    ),
    "mail_owner.exists": lambda given: (
        "",
        f"groupadd -g {given['gid']} {given['user']}\n"
        f"useradd -g {given['user']} -u {given['uid']} -d {given['home']} -s /usr/sbin/nologin {given['user']}",
    ),
    "services.drop_in": lambda given: (
        services.drop_in_path(given["unit"], given.get("file", "mailroom")),
        given["text"],
    ),
    "dovecot.block": lambda given: (dovecot.CONF, given["dialects"]),
    "dovecot.includes_off": lambda given: (dovecot.CONF, "#!include conf.d/*.conf\n#!include_try local.conf"),
    "dovecot.sql_conf": lambda given: (dovecot.SQL_CONF, given["dialects"]),
    "sieve.script": lambda given: (given["path"], given["text"]),
}


def today(known: MailData) -> dict[str, dict[str, str]]:
    """{"dovecot.tls": {"2.3": …, "2.4": …}}: of each step what stands there today, with this data, read without its secrets.

    {"Debian": …, "Red Hat": …} where packages are installed, {"": …} where all systems have the same.
    """
    told = {family: by_step(known, system, MailHost()) for family, system in FAMILIES.items()}
    names = values(known, FAMILIES["Debian"], MailHost())
    return {
        f"{chapter}.{step.__name__}": _texts(
            {
                family: kept[f"{chapter}.{step.__name__}"]
                for family, kept in told.items()
                if CHAPTERS[chapter] in FAMILIES[family].packages
            },
            render(step.today, names),
        )
        for chapter in CHAPTERS
        for step in steps(chapter)
    }


def _texts(told: dict[str, Told], more: str) -> dict[str, str]:
    kept = told["Debian"]
    if any("dialects" in given for _, given in kept):
        return {language: _text(kept, language, more) for language in LANGUAGES}
    if any(operation == "packages.installed" for operation, _ in kept):
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
    return "\n".join([*lines[:20], f"# … {len(lines) - 20} more lines"]) if len(lines) > LONGEST else text
