"""Our letters are signed, on each road that leads out; others' are not."""

import re
from datetime import UTC, datetime, timedelta
from shlex import quote

from checks.clients import host, incoming, mail, signature
from checks.engine import Failed, Target, Warned, claim, negative, once_a_run

KEYS = "/etc/amavis/mailroom-dkim"
SIGNS = re.compile(r"^([^/\n]+)/signing:[a-z0-9-]+ (\d{4}-\d\d-\d\dT[\d:]+Z)", re.MULTILINE)
YEAR = timedelta(days=366)
ELSEWHERE = "from ash.example.net (ash.example.net [192.0.2.7]) by mail.example.net with ESMTP id 1"


@claim(
    "What {foo} sends is signed, and the signature holds in the mailbox",
    needs="smtp postgresql sasl",
    remedy=signature.OURS,
)
def own_letter(target: Target) -> str:
    return valid(target, submitted(target))


@claim(
    "What the host's own programs send is signed too",
    needs="smtp postgresql",
    remedy="content_filter=smtp-amavis:[127.0.0.1]:10027 for pickup in master.cf; see chapter 6, signing.",
)
def host_letter(target: Target) -> str:
    return valid(target, from_host(target))


@negative(
    "With one word changed it holds no longer",
    needs="smtp postgresql sasl",
    remedy="Nothing of the host's is at fault: the judge is. Look at checks/clients/signature.py.",
)
def altered(target: Target) -> str:
    text = submitted(target)
    other = text.replace(mail.TEXT, mail.TEXT.replace("removes", "keeps"))
    if other == text:
        raise Failed("the letter did not arrive as it was written")
    holds, why = signature.judged(target, other, target.domain)
    if holds:
        raise Failed("it holds all the same")
    return why


@negative(
    "A stranger's letter in our name is not signed by us", needs="elsewhere smtp postgresql", remedy=signature.OURS
)
def not_strangers(target: Target) -> str:
    mark, message = mail.compose(target, target.stranger, target.bar)
    found = incoming.deliver(target, target.bar, mark, mail.with_from(message, target.stranger, target.foo))
    return "refused" if found.refused else unsigned(target, found.text, found.path)


@negative(
    "Nor is one that came from elsewhere and is only sent on from here",
    needs="smtp postgresql",
    remedy="Amavis::Custom::new in /etc/amavis/conf.d/66-mailroom-dkim counts the Received lines; see chapter 6, signing.",
)
def not_sent_on(target: Target) -> str:
    text = from_host(target, ("Received", ELSEWHERE))
    return unsigned(target, text, text)


@negative("Only root and Amavis can read the keys", remedy=f"chown root:amavis and chmod 640 each file in {KEYS}.")
def private(target: Target) -> str:
    found = host.files(target, f"find {KEYS}")
    host.closed_to_others(found)
    if wrong := [f"{one} {one.path}" for one in found if (one.user, one.group) != ("root", "amavis")]:
        raise Failed("; ".join(wrong))
    keys = [one for one in found if one.kind != "directory"]
    if not keys or any(int(one.mode, 8) & 0o037 for one in keys):
        raise Failed("; ".join(f"{one} {one.path}" for one in keys) or f"no key in {KEYS}")
    return "; ".join(f"{one} {one.path.removeprefix(KEYS)[1:]}" for one in keys)


@claim(
    "Each domain has a key that signs, for no longer than a year",
    remedy="python -m postmaster dkim rotate, publish what it prints, then: python -m postmaster dkim switch",
)
def young(target: Target) -> str:
    """A hint only: who has read an old key can use it for as long as its record is there."""
    found = dict(SIGNS.findall(target.shell(f"cd {KEYS} && grep -m1 -H '' */signing")))
    if unknown := [name for name in target.domains or (target.domain,) if name not in found]:
        raise Failed(
            f"no key signs for {', '.join(unknown)}", "Run deploys/mailserver.py: it makes the key that is missing."
        )
    limit = datetime.now(UTC) - YEAR
    if old := [f"{name}: since {since[:10]}" for name, since in found.items() if datetime.fromisoformat(since) < limit]:
        raise Warned("; ".join(old))
    return "; ".join(f"{name}: since {since[:10]}" for name, since in found.items())


@once_a_run
def submitted(target: Target) -> str:
    """foo's letter to bar, as it is in bar's mailbox."""
    mark, message = mail.compose(target, target.foo, target.bar)
    mail.submit(target, message, target.bar)
    return collected(target, mark)


def from_host(target: Target, *fields: tuple[str, str]) -> str:
    """A letter of root's to bar, by `sendmail` as cron and Sieve use it, with these fields above its own."""
    mark, message = mail.compose(target, f"root@{target.domain}", target.bar)
    text = "".join(f"{name}: {value}\n" for name, value in fields) + message.decode().replace("\r\n", "\n")
    target.shell(f"printf %s {quote(text)} | /usr/sbin/sendmail -i {quote(target.bar)}")
    return collected(target, mark)


def collected(target: Target, mark: str) -> str:
    path, text = incoming.collect(target, mark, target.bar)
    if not path:
        raise Failed(f"it did not reach {target.bar} within {mail.DELIVERY:.0f} s", mail.TRACE)
    return text


def valid(target: Target, text: str) -> str:
    holds, which = signature.judged(target, text, target.domain)
    if not holds:
        raise Failed(
            f"it does not hold: {which}",
            "What changes letters behind Amavis? systemctl restart amavis, if its key is new.",
        )
    return which


def unsigned(target: Target, text: str, path: str) -> str:
    if not path:
        raise Failed(f"it did not arrive within {mail.DELIVERY:.0f} s", mail.TRACE)
    if target.domain in (signed := signature.signers(text)):
        raise Failed(f"signed for {', '.join(signed)}")
    return f"signed for {', '.join(signed)}" if signed else "no signature"
