"""Which setting decided at each station, and which step made it: inferred from the log."""

import re
from dataclasses import dataclass

from postmaster.read.settings import Settings


@dataclass(frozen=True)
class Decided:
    """A setting, as it is quoted, and the chapter and step that make it."""

    setting: str = ""
    chapter: int = 0
    step: str = ""


# Refusals in the SMTP session by Postfix's wording; the first match counts.
REFUSALS = (
    ("Relay access denied", "smtpd_relay_restrictions", 1, "restrictions"),
    ("User unknown in virtual mailbox table", "virtual_mailbox_maps", 2, "delivery"),
    ("User unknown in local recipient table", "local_recipient_maps", 1, "aliases"),
    ("not owned by user", "smtpd_sender_login_maps", 4, "sasl"),
    ("not logged in", "smtpd_sender_login_maps", 4, "sasl"),
    ("log in to send as", "smtpd_sender_restrictions", 2, "delivery"),
    ("Message size exceeds", "message_size_limit", 1, "identity"),
    ("message size exceeds", "message_size_limit", 1, "identity"),
    ("STARTTLS", "smtpd_tls_security_level", 1, "tls"),
    ("pipelining", "smtpd_data_restrictions", 1, "restrictions"),
    ("Client host rejected: Access denied", "smtpd_relay_restrictions", 1, "submission"),
)
# Amavis's verdict, and the setting for mail of that verdict.
DESTINIES = {
    "INFECTED": ("final_virus_destiny", "amavis"),
    "BANNED": ("final_banned_destiny", "amavis"),
    "SPAM": ("final_spam_destiny", "amavis"),
    "SPAMMY": ("sa_tag2_level_deflt", "amavis"),
    "BAD-HEADER": ("final_bad_header_destiny", "amavis"),
    "UNCHECKED": ("final_unchecked_destiny", "unpacking"),
    "UNCHECKED-ENCRYPTED": ("final_destiny_maps_by_ccat", "unpacking"),
}
# (chapter, step) by the agent that delivered
AGENTS = {"virtual": (2, "delivery"), "lmtp": (5, "lmtp"), "local": (1, "aliases"), "smtp": (1, "tls")}


def refusal(text: str, settings: Settings, service: str = "") -> Decided:
    for words, name, chapter, step in REFUSALS:
        if words in text:
            return Decided(settings.of_service(service, name), chapter, step)
    return Decided("smtpd_recipient_restrictions and its kin", 1, "restrictions")


def reception(service: str, login: str, settings: Settings) -> Decided:
    if login:
        return Decided("smtpd_sasl_type = dovecot: logged in", 4, "sasl")
    if service:
        return Decided(settings.of_service(service, "smtpd_relay_restrictions"), 1, service.partition("/")[0])
    return Decided(settings.main("smtpd_relay_restrictions"), 1, "restrictions")


def routing(relays: list[str], agents: list[str], domains: list[str], service: str, settings: Settings) -> Decided:
    """Why the queue manager chose this destination: the filter first, then the transports, then DNS."""
    if any(filtering(relay) for relay in relays):
        return Decided(settings.of_service(service, "content_filter"), 3, "filter")
    if "local" in agents:
        return Decided(settings.main("mydestination"), 1, "identity")
    rows = [f"{domain} → {settings.transports[domain]}" for domain in domains if domain in settings.transports]
    if rows:
        lmtp = any("lmtp" in row for row in rows)
        return Decided(f"transports: {', '.join(rows)}", 5 if lmtp else 2, "delivery" if lmtp else "accounts")
    if "smtp" in agents:
        return Decided(f"MX of {', '.join(domains[:3])}, by DNS (no row of transports)", 1, "identity")
    return Decided(settings.main("transport_maps"), 2, "delivery")


def filtering(relay: str) -> bool:
    """Whether this relay is Amavis, which is a port of the host itself."""
    return relay.startswith(("127.0.0.1[127.0.0.1]:", "localhost[127.0.0.1]:", "localhost[::1]:", "[::1]"))


def judging(verdict: str, hits: str, bank: str, settings: Settings) -> Decided:
    """Why Amavis gave this verdict, and acted so."""
    kind = verdict.partition(" ")[2]
    if kind == "CLEAN" and hits == "-":
        return Decided("@bypass_spam_checks_maps: no score asked for", 3, "spamassassin")
    if kind in ("CLEAN", "SPAMMY") or verdict == "Passed SPAM":
        return Decided(settings.spam_from(bank), 3, "amavis")
    if kind == "SPAM" and (score := settings.perl("spam_kill_level_maps", bank)).startswith(f"{bank}:"):
        return Decided(f"{score}, {settings.perl('final_spam_destiny', bank).partition(': ')[2]}", 3, "filter")
    name, step = DESTINIES.get(kind, ("final_destiny_maps_by_ccat", "amavis"))
    setting = settings.perl(name, bank)
    return Decided(setting, 3, "filter" if setting.startswith("REFUSING:") else step)


def at_the_door(said: str) -> Decided:
    """What DMARC says of a letter that was filed for it."""
    return Decided("; ".join(re.findall(r"dmarc=fail \([^)]*\) header\.from=\S+", said)), 6, "door")


def filing(folder: str, said: str, spam: bool, settings: Settings) -> Decided:
    """Which script filed it. Dovecot's log names no script, so this is inferred from the effect."""
    explicit = "fileinto" in said
    if explicit and folder == "Junk" and spam:
        return Decided(f"sieve_before: {settings.sieve_before or 'spam.sieve'}, by its effect", 5, "sieve")
    if "discard" in said and not explicit:
        return Decided("once.sieve, where it is here already, or the recipient's own script, by its effect", 5, "sieve")
    if explicit or "redirect" in said or "reject" in said:
        return Decided("the recipient's own script, by its effect", 5, "managesieve")
    if "vacation" in said:
        return Decided("the recipient's own script: vacation", 5, "vacation")
    return Decided("implicit keep: no script took it elsewhere", 5, "sieve")
