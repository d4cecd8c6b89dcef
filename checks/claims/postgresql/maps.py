"""Postfix's maps, asked by hand as the article's reader would: postmap -q."""

from shlex import quote

from checks.clients import host
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Failed


@check(
    "Each map answers when it is asked by hand",
    needs="ssh postgresql",
    remedy="postmap -q with the map, and read what it says.",
)
def answer(target: Target) -> str:
    foo = target.account(0)[0]
    seen = [
        f"{kind}: {mapped(target, kind, key)}"
        for kind, key in (
            ("domains", target.domain),
            ("mailboxes", foo),
            ("virtual", f"postmaster@{target.domain}"),
            ("transport", foo),
        )
    ]
    if empty := [line for line in seen if line.endswith(": ")]:
        raise Failed(f"no answer: {', '.join(line.split(':')[0] for line in empty)}")
    return "; ".join(seen)


@check(
    "They know nobody who is not there, and no foreign domain",
    negative=True,
    needs="ssh postgresql",
    remedy="The query matches too much.",
)
def unknown(target: Target) -> str:
    for kind, key in (
        ("domains", "example.org"),
        ("mailboxes", f"no-such-user@{target.domain}"),
        ("mailboxes", "' OR '1'='1"),
        ("virtual", f"no-such-user@{target.domain}"),
        ("virtual", "postmaster@example.org"),
        ("mailboxes", "%"),
    ):
        if answer := mapped(target, kind, key):
            raise Failed(f"{kind}.cf answers {key} with {answer}")
    return "no answer, and no error either"


@check(
    "The map files, which hold a password, are not for everybody",
    negative=True,
    needs="ssh",
    remedy="chown root:postfix and chmod 640 each of them.",
)
def private(target: Target) -> str:
    listed = host.files(target, "ls /etc/postfix/pgsql/*.cf")
    if open_ones := [f"{one} {one.path}" for one in listed if one.open_to_others]:
        raise Failed("; ".join(open_ones))
    return f"{len(listed)} files, {', '.join(sorted({str(one) for one in listed}))}"


def mapped(target: Target, kind: str, key: str) -> str:
    """What `postmap -q` finds; nothing found is exit code 1 and silence."""
    answer = target.shell(f"postmap -q {quote(key)} pgsql:/etc/postfix/pgsql/{kind}.cf", may_fail=True)
    if "fatal:" in answer or "warning:" in answer:
        raise Failed(answer)
    return answer
