"""Every door leads to Amavis, and only what it says of a message counts."""

import re

from checks.clients import amavis, incoming, mail, samples
from checks.engine import Failed, Target, claim, negative

FILTER = "content_filter in main.cf, and for submission and submissions in master.cf; see chapter 3, filter."
BY_AMAVIS = re.compile(r"\(amavis(?:d-new)?, port (\d+)\)")
MARKS = (
    "@bypass_spam_checks_maps, @local_domains_maps and $sa_tag2_level_deflt; see chapter 3, spamassassin and amavis."
)


@claim("A stranger's letter comes through Amavis", needs="elsewhere smtp postgresql", remedy=FILTER)
def scanned(target: Target) -> str:
    message = incoming.ordinary(target).message
    through = ports([str(line) for line in message.get_all("Received", [])], target.helo)
    if not through:
        raise Failed("no Received line of Amavis above that of port 25")
    return f"through port {through[0]}; X-Spam-Score: {message['X-Spam-Score']}"


@claim("Every way into Postfix leads to Amavis", remedy=FILTER)
def every_door(target: Target) -> str:
    general = target.shell("postconf -h content_filter")
    overrides = dict(
        line.replace(" ", "").split("=", 1)
        for line in target.shell(
            "postconf -P '*/*/content_filter' '*/*/smtpd_proxy_filter'", may_fail=True
        ).splitlines()
        if "=" in line
    )
    doors = {"pickup/unix": overrides.get("pickup/unix/content_filter", general)}
    for line in target.shell("postconf -M '*/inet'").splitlines():
        service, kind, *_, program = line.split()[:8]
        if program == "smtpd" and not service.startswith("127.0.0.1:1002"):
            own = overrides.get(f"{service}/{kind}/content_filter", general)
            doors[f"{service}/{kind}"] = own or overrides.get(f"{service}/{kind}/smtpd_proxy_filter", "")
    if bare := [door for door, way in doors.items() if not way]:
        raise Failed(f"no filter for {', '.join(bare)}")
    return "; ".join(f"{door.split('/')[0]}: {way}" for door, way in doors.items())


@claim(
    "What our own people send goes through Amavis too",
    needs="smtp postgresql sasl",
    remedy="content_filter=smtp-amavis:[127.0.0.1]:10026 for submission and submissions in master.cf.",
)
def own_letter(target: Target) -> str:
    mark, message = mail.compose(target, target.foo, target.bar)
    mail.submit(target, message, target.bar)
    path, text = incoming.collect(target, mark, target.bar)
    found = incoming.Delivered(mark, "250", path, text).message
    through = ports([str(line) for line in found.get_all("Received", [])], "ESMTPSA")
    if through != ["10026"]:
        raise Failed(f"through port {', '.join(through) or 'none'} of Amavis")
    required = re.search(r"required=[\d.]+", str(found["X-Spam-Status"]))
    return f"through port 10026; {required[0] if required else 'no score'}"


@claim("Spam is marked, or refused at the door", needs="elsewhere smtp postgresql", remedy=MARKS)
def spam(target: Target) -> str:
    found = incoming.spam(target)
    if found.refused:
        return found.reply
    flags = [str(value) for value in found.message.get_all("X-Spam-Flag", [])]
    if flags != ["YES"]:
        raise Failed(f"X-Spam-Flag: {', '.join(flags) or 'none'}; the stranger wrote NO")
    return f"X-Spam-Flag: YES, X-Spam-Score: {found.message['X-Spam-Score']}"


@claim(
    "It is held where the postmaster can look at it",
    needs="elsewhere smtp postgresql antivirus",
    remedy="$virus_quarantine_method = 'local:virus-%m'; see chapter 3, quarantine.",
)
def held(target: Target) -> str:
    found = incoming.infected(target)
    if not found.held and not found.reply.startswith("250"):
        return f"refused at the door: {found.reply}"
    if not found.held:
        raise Failed("neither in quarantine nor in a mailbox")
    return found.held


@claim(
    "What our own people send is scanned too, and they are told",
    needs="smtp postgresql antivirus sasl",
    remedy="content_filter=smtp-amavis:[127.0.0.1]:10026 for submission and submissions in master.cf.",
)
def own_virus(target: Target) -> str:
    mark, message = mail.compose(target, target.foo, target.bar, mail.PERSON, attached=samples.EICAR)
    mail.submit(target, message, target.bar)
    path, text = incoming.collect(target, mark, target.foo)
    target.shell(f"grep -rlF -- '{mark}' {amavis.settings(target)['quarantine']} | xargs -r rm -f", may_fail=True)
    if reached := incoming.collect(target, mark, target.bar, 0)[0]:
        raise Failed(f"delivered as {reached}")
    if not path:
        raise Failed(f"{target.foo} heard nothing within {mail.DELIVERY:.0f} s")
    words = " ".join(text.split())
    return f"not delivered; {target.foo} reads: {'INFECTED' if 'INFECTED' in words.upper() else words[:60]}"


@negative(
    "What a stranger writes in the workers' name does not survive",
    needs="elsewhere smtp postgresql",
    remedy="Amavis removes X-Spam-* and our Authentication-Results where it knows the recipient's domain as ours.",
)
def forged(target: Target) -> str:
    message = incoming.ordinary(target).message
    names = [name for name, _ in incoming.forged_fields(target)]
    left = [
        f"{name}: {value}" for name in names for value in message.get_all(name, []) if incoming.FORGED in str(value)
    ]
    if str(message["X-Spam-Flag"] or "") == "YES":
        left.append("X-Spam-Flag: YES")
    if left:
        raise Failed("; ".join(left))
    return f"{', '.join(names)}: none of them as they came"


@negative(
    "An ordinary letter is not called spam",
    needs="elsewhere smtp postgresql",
    remedy="Read its X-Spam-Status: names that do not resolve both ways are a frequent cause.",
)
def not_spam(target: Target) -> str:
    message = incoming.ordinary(target).message
    if str(message["X-Spam-Flag"] or "NO").upper() == "YES":
        raise Failed(" ".join(str(message["X-Spam-Status"]).split()))
    return " ".join(str(message["X-Spam-Status"]).split())


@negative(
    "A letter from outside that says it is from one of us is marked, or refused",
    needs="elsewhere smtp postgresql",
    remedy="MAILROOM_FORGED_FROM in /etc/spamassassin/mailroom.cf; see chapter 3, spamassassin.",
)
def forged_from(target: Target) -> str:
    marks = []
    for sender in (target.foo, f'"{target.foo}" <{target.stranger}>'):
        mark, message = mail.compose(target, target.stranger, target.bar)
        found = incoming.deliver(target, target.bar, mark, mail.with_from(message, target.stranger, sender))
        if not found.refused and found.message["X-Spam-Flag"] != "YES":
            raise Failed(f"From: {sender}: X-Spam-Flag: {found.message['X-Spam-Flag'] or 'none'}")
        marks.append("refused" if found.refused else "X-Spam-Flag: YES")
    return "; ".join(marks)


@negative(
    "A virus reaches no mailbox",
    needs="elsewhere smtp postgresql antivirus",
    remedy="content_filter in main.cf, and chapter 3, clamav.",
)
def virus(target: Target) -> str:
    found = incoming.infected(target)
    if found.reached:
        raise Failed(f"delivered as {found.reached}")
    return f"port 25 says {found.reply}; held as {found.held}" if found.held else found.reply


@negative(
    "Its forged sender hears nothing of it",
    needs="elsewhere smtp postgresql antivirus",
    remedy="$final_virus_destiny = D_DISCARD: after the queue, a refusal becomes a bounce.",
)
def no_answer(target: Target) -> str:
    found = incoming.infected(target)
    if found.answered:
        raise Failed(found.answered)
    return "no message to it in Postfix's log or queue"


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
