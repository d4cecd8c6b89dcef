"""Postfix's maps, asked by hand as the article's reader would: postmap -q."""

from shlex import quote

from checks.clients import host
from checks.engine import Failed, Target, claim, negative


@claim(
    "Each map answers when it is asked by hand",
    needs="ssh postgresql",
    remedy="postmap -q with the map, and read what it says.",
)
def answer(target: Target) -> str:
    keys = {
        "domains": target.domain,
        "mailboxes": target.foo,
        "virtual": f"postmaster@{target.domain}",
        "transport": target.foo,
    }
    seen = [f"{kind}: {mapped(target, kind, key)}" for kind, key in keys.items()]
    if empty := [line for line in seen if line.endswith(": ")]:
        raise Failed(f"no answer: {', '.join(line.split(':')[0] for line in empty)}")
    return "; ".join(seen)


@negative(
    "They know nobody who is not there, and no foreign domain",
    needs="ssh postgresql",
    remedy="The query matches too much.",
)
def unknown(target: Target) -> str:
    elsewhere = target.elsewhere.partition("@")[2]
    for kind, key in (
        ("domains", elsewhere),
        ("mailboxes", f"no-such-user@{target.domain}"),
        ("mailboxes", "' OR '1'='1"),
        ("virtual", f"no-such-user@{target.domain}"),
        ("virtual", f"postmaster@{elsewhere}"),
        ("mailboxes", "%"),
    ):
        if answer := mapped(target, kind, key):
            raise Failed(f"{kind}.cf answers {key} with {answer}")
    return "no answer, and no error either"


@negative(
    "The map files, which hold a password, are not for everybody",
    needs="ssh",
    remedy="chown root:postfix and chmod 640 each of them.",
)
def private(target: Target) -> str:
    listed = host.files(target, "ls /etc/postfix/pgsql/*.cf")
    host.closed_to_others(listed)
    return f"{len(listed)} files, {', '.join(sorted({str(one) for one in listed}))}"


def mapped(target: Target, kind: str, key: str) -> str:
    """What `postmap -q` finds; nothing found is exit code 1 and silence."""
    answer = target.shell(f"postmap -q {quote(key)} pgsql:/etc/postfix/pgsql/{kind}.cf", may_fail=True)
    if "fatal:" in answer or "warning:" in answer:
        raise Failed(answer)
    return answer
