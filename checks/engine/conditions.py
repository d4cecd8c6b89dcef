"""Where a check means something: words of its `needs` that are no services, and why it is skipped without."""

from checks.engine.target import Target
from checks.engine.verdicts import Skipped

PIGEONHOLE = "ls /usr/lib/dovecot/managesieve /usr/libexec/dovecot/managesieve 2>/dev/null"
# Parts that not every host has: a command that prints something where the part is there, and what is said where it is not.
PARTS = {
    "amavis": ("ls -d /etc/amavis /etc/amavisd 2>/dev/null", "chapter 3 was not applied here: Amavis is not installed"),
    # Chapter 3 says so in its own words: clamd may be left from before. Where there is no Amavis, there is nothing to say it.
    "antivirus": (
        "grep -qs 'antivirus = False' /etc/amavis/conf.d/62-mailroom-clamav || echo scanned",
        "this server was built without a virus scanner (antivirus = False)",
    ),
    # Not sievec: Debian 13 brings that along with IMAP.
    "pigeonhole": (PIGEONHOLE, "chapter 5 was not applied here: Pigeonhole is not installed"),
    "chrony": (f"command -v chronyd || {PIGEONHOLE}", "chapter 5 was not applied here: chrony is not installed"),
    "signing": (
        "ls /etc/amavis/conf.d/66-mailroom-dkim 2>/dev/null",
        "chapter 6 was not applied here: this host signs no letters",
    ),
    "door": (
        "ls /etc/amavis/conf.d/68-mailroom-door 2>/dev/null",
        "chapter 6 was not applied here: this host does not judge who wrote a letter",
    ),
    "acme": (
        "ls /usr/local/lib/mailroom/acme 2>/dev/null",
        "no authority is asked for this certificate (acme = False), or chapter 6 was not applied here",
    ),
    "http": (
        "grep -s 'listen 80 ' /etc/nginx/mailroom.conf",
        "no authority asks on port 80 here (acme = False, or acme_dns), or chapter 6 was not applied here",
    ),
    "https": (
        "grep -s 'listen 443 ' /etc/nginx/mailroom.conf",
        "nothing is told over https here (mta_sts = None, autoconfig = False), or chapter 6 was not applied here",
    ),
    "policy": (
        "ls /var/lib/mailroom-web/mta-sts.txt 2>/dev/null",
        "nothing is promised to who writes to us (mta_sts = None), or chapter 6 was not applied here",
    ),
    "sts": (
        "ls /etc/mailroom-mta-sts.yml 2>/dev/null",
        "this host does not ask what others promise (obey_mta_sts = False), or chapter 6 was not applied here",
    ),
    "autoconfig": (
        "ls /etc/nginx/mailroom.d/clients.conf 2>/dev/null",
        "clients are told nothing on the web here (autoconfig = False), or chapter 6 was not applied here",
    ),
    "relay": (
        "postconf -h default_transport 2>/dev/null | grep -x mailroom-relay",
        "this host sends by itself: it has no relay (relayhost = None)",
    ),
    "dane": (
        "ls /etc/unbound/mailroom.conf 2>/dev/null",
        "no receiver's server is verified by DANE (dane = False), or chapter 6 was not applied here",
    ),
    "sasl": ("ls /var/spool/postfix/private/auth 2>/dev/null", "nobody can log in here yet: that is chapter 4"),
    "milter": (
        "grep -s '^ID=.*debian' /etc/os-release",
        "the milter that compares From with the login is built for Debian only",
    ),
}
PART_OF = {"antivirus": "amavis"}  # a part that is there only where another one is
WORDS = {"elsewhere", *PARTS}


def has(target: Target, part: str) -> bool:
    """Whether the host has that part, of PARTS."""
    whole = PART_OF.get(part)
    return (whole is None or has(target, whole)) and bool(target.once(PARTS[part][0]))


def demand(target: Target, word: str) -> None:
    """Raises Skipped, with the reason, where a check that needs this word means nothing."""
    if word == "elsewhere":
        # A server trusts its own address: asked from there, a refusal is not to be expected.
        if target.ssh_host and target.via == target.ssh_host:
            raise Skipped("asked from the server's own address, which it trusts", "Ask from another host: --via HOST.")
        return
    if whole := PART_OF.get(word):
        demand(target, whole)
    if not has(target, word):
        raise Skipped(PARTS[word][1])
