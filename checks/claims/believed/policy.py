"""What is promised to who writes to us (MTA-STS) is read where others read it, and it is kept."""

from checks.clients import tls, web
from checks.engine import Failed, Target, claim, negative

NEEDS = "ssh policy"
PATH = "/.well-known/mta-sts.txt"
LONGEST = 31557600  # seconds: RFC 8461, 3.2
AGAIN = "Run deploys/mailserver.py again: the step believed.policy puts it back."


def names(target: Target) -> list[str]:
    return [f"mta-sts.{domain}" for domain in target.domains or (target.domain,)]


def policy(target: Target, name: str) -> dict[str, list[str]]:
    """The policy's lines by key, as a sender reads them. Raises Failed where it would take it for none."""
    status, text, headers = web.answered(target, PATH, name=name, port=443)
    if status != 200:
        raise Failed(f"https://{name}{PATH} is answered with {status}")
    if (kind := headers.get("Content-Type", "").partition(";")[0].strip()) != "text/plain":
        raise Failed(f"https://{name}{PATH} is {kind or 'of no type'}, and has to be text/plain")
    found = web.policy(text)
    if found.get("version") != ["STSv1"] or found.get("mode", [""])[0] not in ("testing", "enforce"):
        raise Failed(f"https://{name}{PATH} is no policy: {text[:80]!r}")
    age = found.get("max_age", [""])[0]
    if not age.isdigit() or not 0 < int(age) <= LONGEST:
        raise Failed(f"https://{name}{PATH} has a max_age of {age or 'nothing'}")
    return found


@claim(
    "What we promise is read as others read it, with a certificate that they trust",
    needs="https",
    remedy="On the host: systemctl status mailroom-web; has the certificate these names? The step believed.certificate asks for them.",
)
def served(target: Target) -> str:
    found = {name: policy(target, name) for name in names(target)}
    one = next(iter(found.values()))
    return f"{', '.join(found)}: {one['mode'][0]}, for {int(one['max_age'][0]) // 86400} days"


@claim(
    "The promise is kept: port 25 shows a certificate that holds, for a name that is promised",
    remedy="The MX record, the certificate and the policy have to have one name: mail_hostname.",
)
def kept(target: Target) -> str:
    for name in names(target):
        promised = policy(target, name).get("mx", [])
        if target.hostname.lower() not in promised:
            raise Failed(
                f"{name} promises {', '.join(promised) or 'no server'}, and not {target.hostname}: mail would wait"
            )
    return f"{target.hostname}: {tls.verified(target, 25)}"


@negative("By http, by other names and by other paths nobody reads a promise", needs="https http", remedy=AGAIN)
def nowhere_else(target: Target) -> str:
    (name, *_) = names(target)
    for port, path, host in (
        (80, PATH, name),
        (443, PATH, target.hostname),
        (443, "/", name),
        (443, f"{PATH}.bak", name),
    ):
        if (status := web.asked(target, path, name=host, port=port)[0]) != 404:
            raise Failed(f"port {port}, {host}{path} is answered with {status}")
    return "404 by http, by the server's own name, and for other paths"
