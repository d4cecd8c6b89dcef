"""Ask the servers that are responsible for a name, each of them; the resolver at hand only says which those are.

A resolver keeps answers for as long as their time to live, so it may say for a day what was true before.
https://dnspython.readthedocs.io/en/stable/query.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
from dns.rdtypes.txtbase import TXTBase

from checks.engine.vantage import Direct, Vantage
from checks.engine.verdicts import CannotStart, words

PATIENCE = 4.0  # seconds for one answer
TROUBLE = (OSError, EOFError, dns.exception.DNSException)
Send = Callable[[dns.message.Message, str], dns.message.Message]  # a question, and the address of whom it is put to


@dataclass(frozen=True)
class Answer:
    """What the responsible servers say. With a `problem` they said nothing that counts, and nobody knows."""

    values: tuple[str, ...] = ()  # as in a zone file, names in lower case and whole; of a text its pieces, joined
    alias: str = ""  # the name is another one's alias: of whom
    problem: str = ""
    servers: tuple[str, ...] = ()


class Unanswered(Exception):
    """Nobody answered, or not what was asked; the text says who."""


@dataclass
class Authorities:
    """The responsible servers of any name, asked once for each question."""

    send: Send
    resolver: str  # its address
    _answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    _zones: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    _dead: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, kind: str) -> Answer:
        key = name.lower().rstrip("."), kind
        if key not in self._answers:
            try:
                self._answers[key] = self._together(*key)
            except Unanswered as error:
                self._answers[key] = Answer(problem=str(error))
        return self._answers[key]

    def zone(self, name: str) -> str:
        """The zone that a name is in, which begins where its responsible servers do; "" where nobody can say."""
        try:
            return self._zone(name.lower().rstrip("."))[0]
        except Unanswered:
            return ""

    def signed(self, name: str) -> bool:
        """Whether the name's zone is signed, and the one above it says so: only then does DNSSEC hold. Raises Unanswered."""
        apex, _ = self._zone(name.lower().rstrip("."))
        if not self._resolved(apex, "DS"):
            return False
        keys = self.ask(apex, "DNSKEY")
        if keys.problem:
            raise Unanswered(keys.problem)
        return bool(keys.values)

    def _together(self, name: str, kind: str) -> Answer:
        """What they all say. One that does not answer is passed over; if two say different things, none is believed."""
        apex, servers = self._zone(name)
        said: dict[str, tuple[tuple[str, ...], str]] = {}
        silent = []
        for server, address in servers.items():
            try:
                said[server] = read(self._put(name, kind, address), name, kind)
            except Unanswered as error:
                silent.append(f"{server}: {error}")
        if not said:
            raise Unanswered(f"no server of {apex or 'the zone'} answers ({'; '.join(silent) or 'it names none'})")
        if len({*said.values()}) > 1:
            told = "; ".join(f"{server} says {', '.join(values) or 'nothing'}" for server, (values, _) in said.items())
            raise Unanswered(f"its servers do not agree yet: {told}")
        values, alias = next(iter(said.values()))
        return Answer(values, alias, servers=tuple(said))

    def _zone(self, name: str) -> tuple[str, dict[str, str]]:
        """The zone's name, and its servers with an address each."""
        if name not in self._zones:
            reply = self._put(name, "SOA", self.resolver, recurse=True)
            rows = [row for row in (*reply.answer, *reply.authority) if row.rdtype == dns.rdatatype.SOA]
            owners = [text(row.name) for row in rows if dns.name.from_text(name).is_subdomain(row.name)]
            if not owners:
                raise Unanswered(f"the resolver {self.resolver} leads nowhere")
            apex = max(owners, key=len)
            servers: dict[str, str] = {}
            for server in self._resolved(apex, "NS"):
                found = [*self._resolved(server, "A"), *self._resolved(server, "AAAA")]
                servers |= {server: found[0]} if found else {}
            self._zones[name] = apex, servers
        return self._zones[name]

    def _resolved(self, name: str, kind: str) -> tuple[str, ...]:
        return read(self._put(name, kind, self.resolver, recurse=True), name, kind)[0]

    def _put(self, name: str, kind: str, address: str, recurse: bool = False) -> dns.message.Message:
        if address in self._dead:
            raise Unanswered(self._dead[address])
        try:
            question = dns.message.make_query(name or ".", kind)
            if not recurse:
                question.flags &= ~dns.flags.RD
            reply = self._sent(question, address)
        except TROUBLE as error:
            raise Unanswered(self._dead.get(address) or f"{address}: {words(error)}") from error
        if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise Unanswered(f"{address} answers {dns.rcode.to_text(reply.rcode())}")
        if not recurse and not reply.flags & dns.flags.AA and not reply.answer:
            raise Unanswered(f"{address} is not responsible for {name}, although the zone names it")
        return reply

    def _sent(self, question: dns.message.Message, address: str) -> dns.message.Message:
        """Its answer. Whom a connection cannot reach twice, or who is silent once, is not asked again."""
        try:
            try:
                return self.send(question, address)
            except (OSError, EOFError):  # the connection was cut, as a server does that is being restarted
                return self.send(question, address)
        except dns.exception.Timeout:
            self._dead[address] = f"no answer from {address} in {PATIENCE:.0f} s"
            raise
        except (OSError, EOFError) as error:
            self._dead[address] = f"{address}: {words(error)}"
            raise


def over(vantage: Vantage) -> Send:
    """Put questions from there: by UDP from here, and by TCP where SSH carries them."""

    def send(question: dns.message.Message, address: str) -> dns.message.Message:
        if isinstance(vantage, Direct):
            return dns.query.udp_with_fallback(question, address, timeout=PATIENCE)[0]
        host, port = vantage.endpoint(address, 53)
        return dns.query.tcp(question, host, timeout=PATIENCE, port=port)

    return send


def here() -> str:
    """The resolver that this machine uses. Raises CannotStart where it names none."""
    try:
        return str(dns.resolver.get_default_resolver().nameservers[0])
    except (dns.exception.DNSException, IndexError) as error:
        raise CannotStart(f"This machine has no resolver ({words(error)}); name one: --resolver ADDRESS.") from error


def read(reply: dns.message.Message, name: str, kind: str) -> tuple[tuple[str, ...], str]:
    """The values for a name in an answer, sorted, and whose alias it is."""
    owner, alias = dns.name.from_text(name), ""
    for _ in range(8):  # a longer chain of aliases is a circle
        found = [row for row in reply.answer if row.name == owner]
        aliases = [row for row in found if row.rdtype == dns.rdatatype.CNAME]
        if not aliases or kind == "CNAME":
            break
        owner = aliases[0][0].target
        alias = text(owner)
    wanted = dns.rdatatype.from_text(kind)
    values: Sequence[str] = [value(item) for row in found if row.rdtype == wanted for item in row]
    return tuple(sorted(values)), alias


def value(item: dns.rdata.Rdata) -> str:
    if isinstance(item, TXTBase):
        return b"".join(item.strings).decode(errors="replace")
    return " ".join(word.rstrip(".") or "." for word in item.to_text().lower().split(" "))


def text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
