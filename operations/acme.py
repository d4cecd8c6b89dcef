"""The certificate that an authority signs (ACME, RFC 8555). certbot does the work; a program on the host asks it to."""

import re
from datetime import UTC, datetime

from cryptography import x509

from operations.base import Commands, changing, mail_host, shell
from operations.certificate import belongs, dns_names, read
from operations.services import WITHDRAW

RENEWAL = "/etc/letsencrypt/renewal/mailroom.conf"  # certbot's notes on ours: which authority, how asked, whom to tell
INSTALLED = "/var/lib/mailroom-acme/installed"  # public keys, as SHA-256, of what the program has installed
PROVED = "/var/lib/mailroom-acme/proved"  # SHA-256 of the credentials with which the last order came about in the DNS
HTTP, DNS = "webroot", "dns-rfc2136"  # ways to answer an authority, as certbot calls them
# certbot renews in the last third of a certificate's life; in the last quarter something keeps it from that
OVERDUE = 4
ORDER = '"$1" order'
# certbot finds its notes no more, and so renews nothing without its port; the pair stays, as DNS records may name its key.
FORGET = '[ ! -e "$1" ] || mv -f "$1" "$1.off"'


def installed(pem: str | None, keys: str | None) -> bool:
    """Whether the program has installed this certificate, told by the public keys that it has noted."""
    return any(belongs(pem, one) for one in (keys or "").split())


def need(pem: str | None, keys: str | None, renewal: str | None, names: list[str], server: str, way: str = HTTP) -> str:
    """Why the authority has to be asked; "" where it has not."""
    certificate = read(pem)
    if certificate is None or not installed(pem, keys):
        return "no authority has signed it"
    if set(names) != set(dns_names(certificate)):
        return "its names are others"
    if re.findall(r"^server = (.+)$", renewal or "", re.MULTILINE) != [server]:
        return "it is of another authority"
    if re.findall(r"^authenticator = (.+)$", renewal or "", re.MULTILINE) != [way]:
        return "it was asked for in another way, and would be renewed so"
    return "its renewal is overdue" if overdue(certificate) else ""


def overdue(certificate: x509.Certificate) -> bool:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return (end - datetime.now(UTC)) * OVERDUE < end - begin


@changing(texts=("{certificate}", INSTALLED, RENEWAL, PROVED), reads="{program}")
def signed(
    names: list[str], server: str, certificate: str, program: str, way: str = HTTP, credentials: str = ""
) -> Commands:
    """The certificate that the daemons read is signed by an authority, for these names. One is ordered where it is not, where the
    names, the authority, or the way to answer it have changed, and where its renewal is overdue; else renewing is certbot's own
    business. What does not come about changes nothing: the pair that is there goes on serving, and the program says why.

    Another way, and other credentials, are tried by an order, since nothing else proves that the authority finds the answer: a
    mistake would show at the next renewal, in two months.

    + names: of the host; each has to lead to it, unless the way is the DNS
    + server: the authority, by the URL of its directory
    + certificate: the file that the daemons read
    + program: what asks certbot on this host, and installs what came of it
    + way: how the authority is answered, by the name of certbot's plugin
    + credentials: the SHA-256 of the plugin's file with them, where it has one

    **Example:** ``acme.signed(names=["mx.example.org"], server="https://ca.example.org", certificate="/m.pem", program="/bin/ask")``
    """
    there = mail_host()
    tried = not credentials or (there.text(PROVED) or "").strip() == credentials
    if need(there.text(certificate), there.text(INSTALLED), there.text(RENEWAL), names, server, way) or not tried:
        yield shell(ORDER, program)
    else:
        return "signed by an authority"


@changing(reads=("{files}", RENEWAL), units="{units}")
def withdrawn(files: tuple[str, ...], units: tuple[str, ...]) -> Commands:
    """Nobody asks an authority any more. certbot's own files stay, the pair among them.

    + files: programs and units of ours
    + units: those of them that may run

    **Example:** ``acme.withdrawn(files=("/etc/systemd/system/m.timer",), units=("m.timer",))``
    """
    there = mail_host()
    if any(path in there.files for path in files):
        yield shell(FORGET, RENEWAL)
        yield shell(WITHDRAW, " ".join(units), *files)
