"""The settings that decide, as they are on the host now, and the steps that make them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# The remote command; `read` below parses its output. Map files hold passwords: postmap asks them, and their text is never read.
SCRIPT = """echo '--- postconf'; postconf 2>/dev/null -x content_filter smtpd_proxy_filter virtual_alias_maps transport_maps \
virtual_mailbox_maps virtual_mailbox_base alias_maps relayhost smtpd_relay_restrictions smtpd_sender_restrictions \
smtpd_sender_login_maps smtpd_recipient_restrictions message_size_limit smtpd_tls_security_level smtp_tls_security_level \
smtpd_data_restrictions receive_override_options maximal_queue_lifetime
echo '--- services'; postconf -P 2>/dev/null | \
grep -E '/(syslog_name|content_filter|receive_override_options|smtpd_(proxy_filter|tls_security_level|relay_restrictions)) ='
echo '--- amavis'; cat /etc/amavis/conf.d/* /etc/amavisd/amavisd.conf 2>/dev/null | \
grep -E '^ *([$@](sa_|final_|virus_scanners|bypass|QUAR|max_s|policy_bank|interface_p)|final_|spam_)'
echo '--- sieve'; doveconf -n 2>/dev/null | grep -A4 -E '^ *(sieve|sieve_before|sieve_script [^{]*\\{)' | grep -E 'sieve|type|path'
"""
PORTS = {"smtp/inet": "25", "submission/inet": "587", "submissions/inet": "465", "smtps/inet": "465"}


@dataclass
class Settings:
    """A host's settings as text, for quoting; a name that the host did not tell is quoted without a value."""

    postfix: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # master.cf's overrides
    amavis: Mapping[str, str] = field(default_factory=dict)
    banks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # what its policy banks change
    sieve_before: str = ""
    transports: Mapping[str, str] = field(default_factory=dict)  # by domain, asked with postmap

    def main(self, name: str) -> str:
        """ "name = value"; the name alone where the value is not known."""
        value = self.postfix.get(name)
        return f"{name} = {value or '(empty)'}" if value is not None else name

    def service(self, syslog: str) -> str:
        """The service of master.cf that logs under this name: "submission/inet" for "submission"."""
        for name, own in self.services.items():
            if own.get("syslog_name") == f"postfix/{syslog}":
                return name
        return {"": "smtp/inet", "pickup": "pickup/unix"}.get(syslog, f"{syslog}/inet")

    def port(self, syslog: str) -> str:
        service = self.service(syslog)
        return PORTS.get(service, service.partition("/")[0].rpartition(":")[2])

    def of_service(self, syslog: str, name: str) -> str:
        """A setting as this service has it, with the service where it is an override."""
        service = self.service(syslog)
        own = self.services.get(service, {}).get(name)
        return f"{name} = {own or '(empty)'} ({service.partition('/')[0]})" if own is not None else self.main(name)

    def perl(self, name: str, bank: str = "") -> str:
        """One of Amavis's: from the policy bank if that has it."""
        own = self.banks.get(bank, {})
        if name in own:
            return f"{bank}: {name} => {own[name]}"
        return f"${name} = {self.amavis[name]}" if name in self.amavis else f"${name}"

    def spam_from(self, bank: str = "") -> str:
        """The score from which Amavis calls a message spam."""
        if bank and (own := self.perl("spam_tag2_level_maps", bank)).startswith(bank):
            return own
        return self.perl("sa_tag2_level_deflt")


def read(sections: Mapping[str, list[str]]) -> Settings:
    found = Settings(postfix=pairs(sections.get("postconf", [])))
    services: dict[str, dict[str, str]] = {}
    for key, value in pairs(sections.get("services", [])).items():
        name, _, setting = key.rpartition("/")
        services.setdefault(name, {})[setting] = value
    found.services = services
    found.amavis, found.banks = amavis(sections.get("amavis", []))
    found.sieve_before = before("\n".join(sections.get("sieve", [])))
    found.transports = dict(line.split(" ", 1) for line in sections.get("transports", []) if " " in line)
    return found


def pairs(rows: list[str]) -> dict[str, str]:
    split = (row.partition("=") for row in rows if "=" in row)
    return {key.strip(): " ".join(value.split()) for key, _, value in split}


def amavis(rows: list[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The last value of each name, and the policy banks' changes."""
    found: dict[str, str] = {}
    banks: dict[str, dict[str, str]] = {}
    bank = ""
    for row in rows:
        if begun := re.match(r"\s*\$policy_bank\{'([\w.-]+)'\}", row):
            bank = begun[1]
            banks[bank] = dict(re.findall(r"(final_\w+|spam_\w+) => (\[[^\]]*\]|\w+)", row))
        elif inside := re.match(r"\s*(final_\w+|spam_\w+) => (\[[^\]]*\]|[^,;]+)", row):
            banks.setdefault(bank, {})[inside[1]] = inside[2].strip()
        elif whole := re.match(r"\s*[$@](\w+)\s*=\s*([^;]*);", row):
            found[whole[1]] = whole[2].strip()
    return found, banks


def before(text: str) -> str:
    """The path of the script that files spam, the last global one, in either of Dovecot's languages."""
    found: list[str] = re.findall(r"^\s*sieve_before\d* = (\S+)", text, re.MULTILINE)
    for block in re.split(r"^sieve_script ", text, flags=re.MULTILINE)[1:]:  # those of IMAPSieve are indented
        if re.search(r"type = before", block) and (path := re.search(r"\bpath = (\S+)", block)):
            found.append(path[1])
    return found[-1] if found else ""
