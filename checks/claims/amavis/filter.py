"""The way through the workers: every door leads to them, and only what they say of a message counts."""

from __future__ import annotations

import re

from checks import applied, post
from checks.delivery import letter
from checks.mail import smtp
from checks.model import Failed, check
from checks.submission import log_in
from checks.target import Target

BELT = ("ssh", "smtp", "postgresql")
FILTER = "content_filter in main.cf, and for submission and submissions in master.cf; see chapter 3, filter."
BY_AMAVIS = re.compile(r"\(amavis(?:d-new)?, port (\d+)\)")


def ports(received: list[str], before: str) -> list[str]:
    """Amavis's ports among the Received lines that stand above the one which says `before`.

    Those below it the sender may have written himself.
    """
    found: list[str] = []
    for line in received:
        if before in line:
            return found
        found += BY_AMAVIS.findall(line)
    return []


@check(
    "amavis.filter.scanned",
    "A stranger's letter comes through Amavis",
    elsewhere=True,
    needs=BELT,
    remedy=FILTER,
)
def scanned(target: Target) -> str:
    applied.filtering(target)
    message = post.clean(target).message
    through = ports([str(line) for line in message.get_all("Received", [])], target.helo)
    if not through:
        raise Failed("no Received line of Amavis above that of port 25")
    return f"through port {through[0]}; X-Spam-Score: {message['X-Spam-Score']}"


@check("amavis.filter.every_door", "Every way into Postfix leads to Amavis", needs=("ssh",), remedy=FILTER)
def every_door(target: Target) -> str:
    applied.filtering(target)
    general = target.shell("postconf -h content_filter")
    overrides = dict(
        line.replace(" ", "").split("=", 1)
        for line in target.shell(
            "postconf -P '*/*/content_filter' '*/*/smtpd_proxy_filter'", may_fail=True
        ).splitlines()
        if "=" in line
    )
    doors = {"pickup/unix": general}
    for line in target.shell("postconf -M '*/inet'").splitlines():
        service, kind, *_, program = line.split()[:8]
        if program == "smtpd" and not service.startswith("127.0.0.1:1002"):
            own = overrides.get(f"{service}/{kind}/content_filter", general)
            doors[f"{service}/{kind}"] = own or overrides.get(f"{service}/{kind}/smtpd_proxy_filter", "")
    if bare := [door for door, way in doors.items() if not way]:
        raise Failed(f"no filter for {', '.join(bare)}")
    return "; ".join(f"{door.split('/')[0]}: {way}" for door, way in doors.items())


@check(
    "amavis.filter.forged",
    "What a stranger writes in the workers' name does not survive",
    negative=True,
    elsewhere=True,
    needs=BELT,
    remedy="Amavis removes X-Spam-* and our Authentication-Results where it knows the recipient's domain as ours.",
)
def forged(target: Target) -> str:
    applied.filtering(target)
    message = post.clean(target).message
    names = [name for name, _ in post.forged(target)]
    left = [f"{name}: {value}" for name in names for value in message.get_all(name, []) if post.FORGED in str(value)]
    if str(message["X-Spam-Flag"] or "") == "YES":
        left.append("X-Spam-Flag: YES")
    if left:
        raise Failed("; ".join(left))
    return f"{', '.join(names)}: none of them as they came"


@check(
    "amavis.filter.own_letter",
    "What our own people send goes through Amavis too",
    needs=BELT,
    remedy="content_filter=smtp-amavis:[127.0.0.1]:10026 for submission and submissions in master.cf.",
)
def own_letter(target: Target) -> str:
    applied.filtering(target)
    applied.front_desk(target)
    (foo, password), (bar, _) = target.account(0), target.account(1)
    mark, message = letter(target, foo, bar)
    with smtp(target, 587) as session:
        log_in(session, foo, password)
        session.sendmail(foo, [bar], message)
    path, text = post.taken(target, mark, bar)
    found = post.Posted(mark, "250", path, text).message
    through = ports([str(line) for line in found.get_all("Received", [])], "ESMTPSA")
    if through != ["10026"]:
        raise Failed(f"through port {', '.join(through) or 'none'} of Amavis")
    required = re.search(r"required=[\d.]+", str(found["X-Spam-Status"]))
    return f"through port 10026; {required[0] if required else 'no score'}"
