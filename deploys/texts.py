"""The one renderer: a text of a chapter with this host's data in the place of {{ names }}, by Jinja2.

Everything goes this way: the deploy, the plan, `show` and the book. A name that nobody knows is an error. `{{ name }}` and
`{% if … %}` need no escape: Dovecot writes `%{user}`, Perl `@{$x}` and `%$x`, the shell `${x#y}`, Sieve `"${1}"`. Jinja's own mark
of a comment would be the shell's length of a variable, so it is another one here. What still looks like Jinja, as `inline:{{` would,
does not parse, and no run begins. https://jinja.palletsprojects.com/en/stable/templates/
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, overload

from jinja2 import Environment, StrictUndefined, Template

from deploys.context import data, platform
from deploys.data import MailData
from deploys.platforms import Platform
from facts.mail_host import JUDGE_PAIR, MailHost
from operations.base import mail_host

_JINJA = Environment(
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    comment_start_string="{#!",
    comment_end_string="!#}",
)


def own_names(known: MailData, there: MailHost) -> list[str]:
    """What else than a mail domain may stand behind the @ and means this host: its name, and its IPv4 addresses as literals."""
    addresses = f"{there.system.get('resolves', '')} {there.system.get('addresses', '')}".split()
    literals = sorted({f"[{address}]" for address in addresses if "." in address})
    return [known.hostname, "localhost", f"localhost.{known.domains[0]}", *literals]


def values(known: MailData, system: Platform, there: MailHost) -> dict[str, Any]:
    """Every name that a text may use: the knobs, and what follows from them and from the system."""
    return {
        **known.values,
        "password_scheme": known.scheme or system.password_scheme,
        "mail_hostname": known.hostname,
        "mail_domain": known.domains[0],
        "mail_domain_list": " ".join(known.domains),
        "no_network_tests": int(not known.spam_network_tests),
        "chroot": system.chroot,
        "mail_domain_pattern": "|".join(re.escape(domain) for domain in known.domains),
        "mail_domain_quoted": ", ".join(f"'{domain}'" for domain in known.domains),
        "list_vouched": "(DKIM_VALID || SPF_PASS)" if known.spam_network_tests else "1",  # nobody asks about either
        "forged_score": known.spam_score + 3,  # enough, whatever else speaks for the letter
        "own_domains": " ".join(own_names(known, there)),
        "own_names": ", ".join(f"'{name}'" for name in own_names(known, there)),
        # the door keeps room for what is inside already: for one letter's second copy behind Amavis, and for notices
        "queue_minfree": 3 * known.message_size_limit,
        "scan_limit": 4 * known.message_size_limit,  # what unpacks to more is not looked at to its end
        "mailreader_password": known.secrets.services["mailreader"],
        "judge_pair": JUDGE_PAIR,
    }


@cache
def _template(text: str) -> Template:
    return _JINJA.from_string(text)


def render(text: str, names: dict[str, Any]) -> str:
    """The text with these values. Raises jinja2.UndefinedError for a name that is not among them."""
    return _template(text).render(names) if "{{" in text or "{%" in text else text


@overload
def filled(source: str | Path) -> str: ...
@overload
def filled(source: dict[str, str]) -> dict[str, str]: ...
def filled(source: str | Path | dict[str, str]) -> str | dict[str, str]:
    """A text, a file beside the chapter, or the texts of a step in Dovecot's two languages, with this host's data."""
    names = values(data(), platform(), mail_host())
    if isinstance(source, dict):
        return {language: render(text, names) for language, text in source.items()}
    return render(_read(source) if isinstance(source, Path) else source, names)


@cache
def _read(path: Path) -> str:
    return path.read_text()


def settings(text: str) -> dict[str, str]:
    """{"name": "value"} of lines like "name = value", with this host's data."""
    pairs = (line.partition("=") for line in filled(text).splitlines() if line)
    return {key.strip(): value.strip() for key, _, value in pairs}
