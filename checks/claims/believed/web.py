"""Port 80 answers a certificate authority, and nobody else. Port 443 has the certificate, and 404 for who asks for anything else."""

import re
import ssl
from shlex import quote
from uuid import uuid4

from checks.clients import tls, web
from checks.engine import Failed, Target, claim, negative

NEEDS = "ssh"
FOLDER = "/var/lib/mailroom-web/.well-known/acme-challenge"
AGAIN = "/etc/nginx/mailroom.conf; run believed.web again."
REMEDY = "On the host: systemctl status mailroom-web; does a firewall, or the provider, let port 80 in?"
ELSE = (
    "/",
    "/index.html",
    "/.well-known/",
    "/.well-known/acme-challenge/",
    "/.well-known/acme-challenge/../../../../etc/passwd",
)


@claim("What certbot puts there is found on port 80, as an authority asks for it", needs="http", remedy=REMEDY)
def challenge(target: Target) -> str:
    mark = uuid4().hex
    path = quote(f"{FOLDER}/{mark}")
    target.shell(f"mkdir -p {FOLDER} && printf %s {mark} >{path} && chmod 644 {path}")
    try:
        status, text, _ = web.asked(target, f"/.well-known/acme-challenge/{mark}")
    finally:
        target.shell(f"rm -f {path}", may_fail=True)
    if (status, text) != (200, mark):
        raise Failed(f"{status}: {text[:60]!r} instead of what was put there")
    return f"200, from {target.vantage.name}"


@negative(
    "Nothing else is found there, and it does not say what answers",
    needs="http",
    remedy=AGAIN,
)
def nothing_else(target: Target) -> str:
    return _nothing(target, 80, "elsewhere.example")


@claim(
    "Port 443 shows the certificate that is on the disk, and its names are trusted there",
    needs="https",
    remedy="On the host: systemctl reload mailroom-web; does a firewall, or the provider, let port 443 in?",
)
def https(target: Target) -> str:
    return f"{tls.loaded(target, 443)}; {tls.verified(target, 443)}"


@negative("TLS 1.1 is refused on port 443", needs="https", remedy=AGAIN)
def old_tls(target: Target) -> str:
    return tls.old_refused(target, 443)


@negative("The server's own name has nothing to say on port 443", needs="https", remedy=AGAIN)
def nothing_on_443(target: Target) -> str:
    return _nothing(target, 443, target.hostname)


@negative("Who asks port 443 for a name that is not in the certificate is shown none", needs="https", remedy=AGAIN)
def other_names(target: Target) -> str:
    for name in (f"other.{target.hostname}", "elsewhere.example"):
        try:
            tls.tls_socket(target, 443, tls.NamedContext(name, verify=False)).close()
        except ssl.SSLError as error:
            if error.reason != "TLSV1_UNRECOGNIZED_NAME":
                raise Failed(f"{name} is refused, but not for its name: {error.reason}") from error
        else:
            raise Failed(f"{name} is shown a certificate")
    return "unrecognized name"


def _nothing(target: Target, port: int, other: str) -> str:
    for path, method, name in [*((path, "GET", "") for path in ELSE), ("/", "POST", ""), ("/", "GET", other)]:
        status, _, server = web.asked(target, path, method, name, port)
        if status not in (400, 403, 404, 405):
            raise Failed(f"{method} {path} is answered with {status}")
        if re.search(r"\d", server):
            raise Failed(f"it says that it is {server}")
    return f"404 for {', '.join(ELSE[:3])} …"
