"""A certificate that an authority has signed: trusted, shown on all ports, and renewed in time."""

import re
from datetime import UTC, datetime

from checks.clients import host, tls
from checks.engine import Failed, Target, claim, negative

NEEDS = "ssh acme"
PORTS = (25, 465, 587, 143, 993, 4190)
PROGRAM = "/usr/local/lib/mailroom/acme"
ORDER = f"On the host: {PROGRAM} now. It asks the authority, and says what to do where that fails."
SHOW = "On the host: /usr/local/lib/mailroom/certificate; has a daemon died of it? journalctl -u mailroom-certificate"
RENEW = "On the host: certbot renew --cert-name mailroom; journalctl -u certbot; systemctl enable --now certbot.timer"
NOTES = "/etc/letsencrypt/renewal/mailroom.conf"
KEY_FOR_THE_DNS = "/etc/mailroom-acme-dns.ini"  # with acme_dns
UNTRIED = (
    f"[ ! -e {KEY_FOR_THE_DNS} ] || "
    f'[ "$(sha256sum <{KEY_FOR_THE_DNS} | cut -c1-64)" = "$(cat /var/lib/mailroom-acme/proved)" ] || echo untried'
)
QUARTER = 4  # certbot renews in the last third of a certificate's life


@claim("An authority vouches for the certificate, on all six ports", needs="submission submissions imap", remedy=ORDER)
def trusted(target: Target) -> str:
    shown = tls.on_disk(target)
    if shown.issuer == shown.subject:
        raise Failed(f"{target.certificate} is self-signed: no authority has answered yet.{refusal(target)}")
    return f"{shown.issuer.rfc4514_string()}; {tls.verified(target, *PORTS)}"


@claim("All six ports show the one that is on the disk", needs="submission submissions imap", remedy=SHOW)
def shown(target: Target) -> str:
    for port in PORTS:
        tls.loaded(target, port)
    return f"serial {tls.on_disk(target).serial_number:x} on {', '.join(map(str, PORTS))}"


@claim("The host renews it by itself, and in time", remedy=RENEW)
def renewal(target: Target) -> str:
    timer = target.shell("systemctl is-active certbot.timer; systemctl is-enabled certbot.timer", may_fail=True).split()
    if timer != ["active", "enabled"]:
        raise Failed(f"certbot.timer is {' and '.join(timer) or 'not there'}")
    notes = target.shell(f"cat {NOTES}", may_fail=True)
    way = target.shell(f"sed -n 's/^way=\\([a-z0-9-]*\\).*/\\1/p' {PROGRAM}")
    for wanted in (f"renew_hook = {PROGRAM} install", "reuse_key = True", f"authenticator = {way}"):
        if wanted not in notes:
            raise Failed(f"{NOTES} does not say {wanted}", ORDER)
    if off := re.search(r"^autorenew = False", notes, re.MULTILINE):
        raise Failed(f"{NOTES} says {off[0]}")
    if target.shell(UNTRIED, may_fail=True):
        raise Failed(f"the key in {KEY_FOR_THE_DNS} has not brought a certificate yet.{refusal(target)}", ORDER)
    left, life = days(target)
    if left * QUARTER < life:
        raise Failed(f"{left} days left of {life}, and it should have been renewed by now.{refusal(target)}")
    return f"{left} days left of {life}; certbot.timer renews it with {life // 3} left"


@negative(
    "Only root reads what certbot keeps, and its key for a nameserver",
    remedy=f"chmod 700 /etc/letsencrypt/archive; chmod 600 the keys in it, and {KEY_FOR_THE_DNS}.",
)
def private(target: Target) -> str:
    keys = host.files(target, "ls -d /etc/letsencrypt/archive/mailroom/privkey*.pem")
    if not keys:
        raise Failed("there is no key of certbot's", ORDER)
    keys += host.files(target, f"ls -d {KEY_FOR_THE_DNS} 2>/dev/null")
    if wrong := [f"{one} {one.path}" for one in keys if one.user != "root" or one.open_to_group]:
        raise Failed("; ".join(wrong))
    return f"{len(keys)} keys, {keys[0]}"


@negative(
    "Postfix does not show it where it is a client itself",
    remedy="postconf -X smtp_tls_cert_file smtp_tls_chain_files smtp_tls_key_file: it is signed for servers alone.",
)
def servers_only(target: Target) -> str:
    said = target.shell("postconf -h smtp_tls_cert_file smtp_tls_chain_files").split()
    if said:
        raise Failed(f"smtp_tls_cert_file or smtp_tls_chain_files is {' '.join(said)}")
    return "smtp_tls_cert_file is empty"


def days(target: Target) -> tuple[int, int]:
    """How many are left, and how many there were."""
    certificate = tls.on_disk(target)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return (end - datetime.now(UTC)).days, round((end - begin).total_seconds() / 86400)


def refusal(target: Target) -> str:
    """What the authority said the last time that it gave none."""
    said = target.shell("sed 1d /var/lib/mailroom-acme/failed 2>/dev/null", may_fail=True)
    return f" It was refused:\n{said}" if said else ""
