"""What the host itself says: where its mail comes from, by which name it greets, and what it offers."""

import ipaddress
import shlex
from dataclasses import dataclass
from typing import Any

from checks.clients import signature
from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster.keys import state
from postmaster.read.log import sections
from postmaster.zone import certificate

LABS = tuple(map(ipaddress.ip_network, ("198.18.0.0/15", "2001:db8::/32")))  # RFC 2544, RFC 3849
# The documentation's addresses go by the default route, as a stranger's do: RFC 5737 and 3849. Nothing is sent.
SCRIPT = """for to in 192.0.2.1 2001:db8::1; do
  echo "--- to $to"; ip -o route get $to 2>/dev/null | grep -o 'src [^ ]*'
done
echo '--- addresses'; ip -o addr show scope global up 2>/dev/null
echo '--- postfix'; postconf myhostname smtp_helo_name inet_protocols smtp_bind_address smtp_bind_address6 relayhost
echo '--- signs'; ls /etc/amavis/conf.d/66-mailroom-dkim 2>/dev/null
echo '--- policy'; cat /var/lib/mailroom-web/mta-sts.txt 2>/dev/null
echo '--- authority'; sed -n 's/^directory=//p' /usr/local/lib/mailroom/acme 2>/dev/null
echo '--- challenge'; grep -E '^(way|keyname|names)=' /usr/local/lib/mailroom/acme 2>/dev/null
echo '--- clients'; ls /etc/nginx/mailroom.d/clients.conf 2>/dev/null
echo '--- listens'; ss -Hltn 2>/dev/null | grep -oE '[^ ]+:[0-9]+ ' | grep -oE '[0-9]+ $'; true"""
MANAGESIEVE = 4190
DYNAMIC = {"myhostname", "smtp_helo_name"}


@dataclass(frozen=True)
class Facts:
    """`addresses` are those that its mail comes from; empty where only its name is known."""

    name: str
    domains: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    greets: str = ""  # as what Postfix introduces itself to others
    relay: str = ""  # the relayhost: then receivers see the provider's address, and not ours
    sieve: bool = False
    tlsa: str = ""  # SHA-256 of the certificate's key, as a TLSA record has it (3 1 1)
    keys: tuple[tuple[str, str], ...] = ()  # that it signs with: the record's name and text of each
    others: tuple[
        tuple[str, str, str], ...
    ] = ()  # keys that sign next, or have signed: name, text, and why it is needed
    policy: str = ""  # what it promises to who writes to it (MTA-STS)
    authority: str = ""  # the directory's URL of who signs its certificate (ACME)
    key: str = ""  # with which it answers that authority in the DNS (TSIG, DNS-01); "" where it does on port 80
    challenges: tuple[str, ...] = ()  # the names of these answers
    private: tuple[str, ...] = ()  # addresses that nobody out there can reach
    autoconfig: bool = False  # it tells clients their settings over https, by names of their own
    matching: tuple[str, ...] = ()  # all TLSA records that would be true of the certificate
    shown: str = ""  # tlsa of the certificate that port 25 shows; "" where it was not asked

    @property
    def known(self) -> bool:
        """Whether the host itself was asked."""
        return bool(self.addresses or self.private)


def facts(target: Target, addresses: tuple[str, ...] = ()) -> Facts:
    """Ask the host, over SSH. `addresses`, given by a person, count for more: behind NAT the host does not know its own."""
    found = sections(target.shell(SCRIPT))
    settings = read(found.get("postfix", []))
    if "myhostname" not in settings:
        raise Failed(f"{target.hostname} has no Postfix that answers: {' '.join(found.get('postfix', []))}")
    ours = addresses or outward(found, settings)
    if not ours:
        raise Failed(
            f"{target.hostname} does not say from which address its mail leaves; tell it: --address 203.0.113.25"
        )
    greets = settings["smtp_helo_name"].replace("$myhostname", settings["myhostname"])
    public = tuple(one for one in ours if addresses or reachable(one))
    return Facts(
        name=target.hostname,
        domains=target.domains or (target.domain,),
        addresses=public,
        greets=greets,
        relay=settings["relayhost"],
        sieve=str(MANAGESIEVE) in {row.strip() for row in found.get("listens", [])},
        policy="".join(f"{row}\n" for row in found.get("policy", [])),
        authority="".join(found.get("authority", [])).strip("'"),
        **challenge(found.get("challenge", [])),
        **certificate.about(target),
        keys=keys(target, bool(found.get("signs"))),
        others=others(target) if found.get("signs") else (),
        private=tuple(one for one in ours if one not in public),
        autoconfig=bool(found.get("clients")),
    )


def challenge(rows: list[str]) -> dict[str, Any]:
    """How the host answers its authority, by the words of its program, as the shell has them: `names='mx.example.org …'`."""
    said = {
        name: shlex.split(value, comments=True)[0] for name, _, value in (row.partition("=") for row in rows) if value
    }
    if "keyname" not in said:
        return {}
    return {"key": said["keyname"], "challenges": tuple(f"_acme-challenge.{one}" for one in said["names"].split())}


def read(rows: list[str]) -> dict[str, str]:
    """Postfix's settings, as postconf prints them: "relayhost =" where one is empty."""
    return {name.strip(): value.strip() for name, _, value in (row.partition("=") for row in rows)}


def outward(found: dict[str, list[str]], settings: dict[str, str]) -> tuple[str, ...]:
    """The address of each protocol that Postfix may use, as it would show itself to a stranger."""
    every = [word.partition("/")[0] for row in found.get("addresses", []) for word in row.split()[3:4]]
    ours = []
    for version, to, bound in ((4, "192.0.2.1", "smtp_bind_address"), (6, "2001:db8::1", "smtp_bind_address6")):
        if (
            settings["inet_protocols"] not in ("all", f"ipv{version}")
            and f"ipv{version}" not in settings["inet_protocols"]
        ):
            continue
        same = [one for one in every if ipaddress.ip_address(one).version == version]
        routed = [row.removeprefix("src ") for row in found.get(f"to {to}", [])]
        ours += (
            [settings[bound]]
            if settings.get(bound)
            else routed[:1] or [one for one in same if reachable(one)][:1] or same[:1]
        )
    return tuple(ours)


def reachable(address: str) -> bool:
    """Whether strangers could reach such an address. Those that labs use count: no provider gives them out."""
    one = ipaddress.ip_address(address)
    return one.is_global or any(one in net for net in LABS)


def keys(target: Target, signs: bool) -> tuple[tuple[str, str], ...]:
    """What the DNS shall have of the keys that Amavis signs with; none where chapter 6 is not on the host.

    Raises Failed where it is, and shows no key: nobody would ask for the record then.
    """
    if not signs:
        return ()
    if not (found := signature.records(target)):
        said = target.once("amavisd showkeys").strip()
        raise Failed(
            f"Amavis signs on {target.hostname}, and shows no key: {said[-300:] or 'amavisd showkeys is silent'}"
        )
    return tuple(found.items())


def others(target: Target) -> tuple[tuple[str, str, str], ...]:
    """Of the keys that do not sign: the next one, whose record has to be there first, and those whose letters are on their way."""
    found = state.parse(target.shell(state.SCRIPT, timeout=30.0))
    every = [key for domain in found.domains for key in domain.keys if key.public]
    needed = []
    for key in every:
        if key.role == "next":
            needed.append((key.name, key.record, "the next key, before `postmaster dkim switch` lets it sign"))
        if key.role == "old" and key.keep and found.now < key.keep:
            why = f"the key that signed until {state.day(key.until)}: until {state.day(key.keep)}, for letters on their way"
            needed.append((key.name, key.record, why))
    return tuple(needed)
