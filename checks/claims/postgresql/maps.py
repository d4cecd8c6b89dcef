"""Postfix's maps, asked by hand as the article's reader would: postmap -q."""

from __future__ import annotations

from shlex import quote

from checks.mail import STRANGER, expect
from checks.model import Failed, check
from checks.postfix import BELT, asked
from checks.target import Target


@check(
    "postgresql.maps.answer",
    "Each map answers when it is asked by hand",
    needs=("ssh", "postgresql"),
    remedy="postmap -q with the map, and read what it says.",
)
def maps_answer(target: Target) -> str:
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
    "postgresql.maps.unknown",
    "They know nobody who is not there, and no foreign domain",
    negative=True,
    needs=("ssh", "postgresql"),
    remedy="The query matches too much.",
)
def maps_unknown(target: Target) -> str:
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


def mapped(target: Target, kind: str, key: str) -> str:
    """What `postmap -q` finds; nothing found is exit code 1 and silence."""
    answer = target.shell(f"postmap -q {quote(key)} pgsql:/etc/postfix/pgsql/{kind}.cf", may_fail=True)
    if "fatal:" in answer or "warning:" in answer:
        raise Failed(answer)
    return answer


@check(
    "postgresql.maps.private",
    "The map files, which hold a password, are not for everybody",
    negative=True,
    needs=("ssh",),
    remedy="chown root:postfix and chmod 640 each of them.",
)
def private_maps(target: Target) -> str:
    listed = target.shell("stat -L -c '%a %U:%G %n' /etc/postfix/pgsql/*.cf").splitlines()
    open_ones = [line for line in listed if int(line.split()[0], 8) & 0o007]
    if open_ones:
        raise Failed("; ".join(open_ones))
    return f"{len(listed)} files, {', '.join(sorted({' '.join(x.split()[:2]) for x in listed}))}"


@check(
    "postgresql.delivery.known",
    "A stranger may write to every account and alias",
    needs=BELT,
    elsewhere=True,
    remedy="See virtual_mailbox_maps and virtual_alias_maps in main.cf.",
)
def known(target: Target) -> str:
    there = [
        target.account(0)[0],
        target.account(1)[0],
        *(f"{name}@{target.domain}" for name in ("postmaster", "abuse", "PostMaster")),
    ]
    for recipient in (*there, "postmaster"):
        answer = expect(asked(target, STRANGER, recipient), "250 2.1.5", what=recipient)
    return f"{', '.join(there)}: {answer.partition(': ')[2]}"


@check(
    "postgresql.delivery.unknown",
    "An unknown recipient is refused for good, at once",
    negative=True,
    needs=BELT,
    elsewhere=True,
    remedy="virtual_mailbox_maps is missing, or matches too much.",
)
def unknown(target: Target) -> str:
    return expect(asked(target, STRANGER, f"no-such-user@{target.domain}"), "550 5.1.1")


@check(
    "postgresql.delivery.no_forged_sender",
    "A stranger cannot write as one of us",
    negative=True,
    needs=BELT,
    elsewhere=True,
    remedy="check_sender_access for our domains in smtpd_sender_restrictions.",
)
def no_forged_sender(target: Target) -> str:
    foo, bar = target.account(0)[0], target.account(1)[0]
    for sender in (f"no-such-user@{target.domain}", foo.upper(), foo, f"root@{target.hostname}", "root@localhost"):
        answer = expect(asked(target, sender, bar), "553 5.7.1", what=f"as {sender}")
    return answer
