"""The one renderer: a text of a chapter with this host's data in the place of {{ names }}, by Jinja2.

A `str` is a text, written beside the step that sets it, as far to the right as its code. A `Path` is a file of `deploys/templates`,
where whole files, programs and long blocks are: by their name on the host, with a suffix for editors and linters where they have none
there. Where the languages of Dovecot differ, `dovecot` is "2.3" or "2.4", and "2013" for the article's lines.

Everything goes this way: the deploy, the plan, `show` and the book. A name that nobody knows is an error. `{{ name }}` and
`{% if … %}` need no escape: Dovecot writes `%{user}`, Perl `@{$x}` and `%$x`, the shell `${x#y}`, Sieve `"${1}"`. Jinja's own mark
of a comment would be the shell's length of a variable, so it is another one here. What still looks like Jinja, as `inline:{{` would,
does not parse, and no run begins. https://jinja.palletsprojects.com/en/stable/templates/
"""

import re
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from deploys.context import data, platform
from deploys.data import MailData
from deploys.platforms import Platform
from facts.mail_host import JUDGE_PAIR, MailHost
from operations.base import mail_host

LANGUAGES = ("2.3", "2.4")  # Dovecot's
_JINJA = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
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
        "on_the_web": known.on_the_web,
        "port_80": known.port_80,
        "https": bool(known.https_names),
        # nginx does not start where it is to listen on what is not there
        "ipv6": ":" in there.system.get("addresses", ""),
    }


@cache
def _template(text: str) -> Template:
    return _JINJA.from_string(dedent(text).strip("\n"))


def render(source: str | Path, names: dict[str, Any]) -> str:
    """A text or a template with these values. Raises jinja2.UndefinedError for a name that is not among them."""
    found = _JINJA.get_template(str(source)) if isinstance(source, Path) else _template(source)
    return found.render(names)


def filled(source: str | Path, **more: Any) -> str:
    """A text or a template with this host's data, and these names."""
    return render(source, values(data(), platform(), mail_host()) | more)


def dialects(source: str | Path) -> dict[str, str]:
    """The same in Dovecot's two languages: the text asks `{% if dovecot == "2.3" %}` where they differ."""
    return {language: filled(source, dovecot=language) for language in LANGUAGES}


def settings(source: str | Path) -> dict[str, str]:
    """{"name": "value"} of lines like "name = value", with this host's data."""
    pairs = (line.partition("=") for line in filled(source).splitlines() if line)
    return {key.strip(): value.strip() for key, _, value in pairs}
