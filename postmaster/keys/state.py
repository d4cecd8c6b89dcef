"""Which keys a host has, which of them signs, and since when. Of a private key only the public half leaves the host."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster.read.log import sections

KEYS = "/etc/amavis/mailroom-dkim"
PART = "/etc/amavis/conf.d/66-mailroom-dkim"
# `ls -d` and not a bare pattern: where nothing fits, a pattern stays what it is
SCRIPT = f"""echo '--- host'; date +now=%s; echo "queue=$(postconf -h maximal_queue_lifetime 2>/dev/null)"
started=$(systemctl show -p ActiveEnterTimestamp --value amavis 2>/dev/null)
echo "started=$([ -z "$started" ] || date -d "$started" +%s 2>/dev/null)"
sed -n 's/^for my $domain (qw(\\(.*\\))) {{$/served=\\1/p' {PART} 2>/dev/null
for folder in $(ls -d {KEYS}/*/ 2>/dev/null); do
    echo "--- domain $(basename "$folder")"; cd "$folder" || continue
    [ ! -f signing ] || stat -c 'written=%Y' signing; sed 's/^/line=/' signing 2>/dev/null
    for key in $(ls -- *.pem 2>/dev/null); do
        public=$(openssl pkey -in "$key" -passin pass: -pubout -outform DER 2>/dev/null </dev/null | base64 -w0)
        echo "key=${{key%.pem}} $(stat -c %Y "$key") $public"
    done
done; true"""
# Letters that were signed before a switch may wait in a queue for days, ours or a forwarder's, before somebody verifies them: Postfix
# gives up after five (https://www.postfix.org/postconf.5.html#maximal_queue_lifetime). The day is for what resolvers keep.
QUEUE = timedelta(days=5)
KEPT = timedelta(days=1)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
LINE = re.compile(r"([a-z0-9-]+) (\S+)(?: (\S+))?\s*")
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Key:
    """`role`: it signs; it is the next one; it has signed, and its letters are still on their way ("old"); or it is "gone"."""

    domain: str
    selector: str
    role: str
    since: datetime | None = None  # signs since, or was made
    until: datetime | None = None  # when another took over
    keep: datetime | None = None  # until when its record is needed
    public: str = ""  # base64 of its public half

    @property
    def name(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """As `amavisd showkeys` prints it: what is not said is the default (RFC 6376, 3.6.1)."""
        return f"v=DKIM1; p={self.public}"


@dataclass(frozen=True)
class Domain:
    name: str
    keys: tuple[Key, ...] = ()
    trouble: str = ""  # why nothing can be done with its keys
    stale: bool = False  # Amavis was started before the last switch: one that was cut off

    def those(self, role: str) -> tuple[Key, ...]:
        return tuple(one for one in self.keys if one.role == role)

    @property
    def signs(self) -> Key | None:
        return next(iter(self.those("signs")), None)

    @property
    def next(self) -> Key | None:
        return next(iter(self.those("next")), None)


@dataclass(frozen=True)
class State:
    now: datetime  # by the host's clock
    domains: tuple[Domain, ...]
    waits: timedelta = QUEUE + KEPT


def read(target: Target) -> State:
    """What the host has. Raises Failed where it does not sign."""
    found = parse(target.shell(SCRIPT, timeout=30.0))
    if not found.domains:
        raise Failed(
            f"{target.hostname} signs for no domain: {PART} is not there, or names none. Chapter 6 makes it: "
            "pyinfra inventory.py deploys/mailserver.py"
        )
    return found


def parse(printed: str) -> State:
    found = sections(printed)
    host = dict(row.split("=", 1) for row in found.get("host", []) if "=" in row)
    waits = max(QUEUE, seconds(host.get("queue", ""))) + KEPT
    served = host.get("served", "").split()
    started = int(host.get("started") or 0)
    domains = []
    for name in served:
        rows = [row.partition("=")[::2] for row in found.get(f"domain {name}", []) if "=" in row]
        domains.append(domain(name, rows, started, waits))
    return State(moment(float(host.get("now", 0))), tuple(domains), waits)


def domain(name: str, rows: list[tuple[str, str]], started: int, waits: timedelta) -> Domain:
    pems = {}
    for selector, made, public in (value.split(" ") for kind, value in rows if kind == "key"):
        pems[selector] = (moment(float(made)), public)
    lines = [LINE.fullmatch(value) for kind, value in rows if kind == "line"]
    written = next((int(value) for kind, value in rows if kind == "written"), 0)
    if not lines:
        trouble = (
            "the host was built by an earlier version; run deploys/mailserver.py once, and it says which key signs"
        )
        return Domain(name, trouble=trouble if pems else "there is no key yet; run deploys/mailserver.py")
    if not all(lines):
        return Domain(
            name, trouble=f"{KEYS}/{name}/signing cannot be read: each line is a selector and one or two times"
        )
    try:
        keys = tuple(_keys(name, [one.groups() for one in lines if one], pems, waits))
    except ValueError as error:
        return Domain(name, trouble=f"{KEYS}/{name}/signing has a time in it that is none: {error}")
    trouble = ""
    if not keys[0].public:
        trouble = (
            f"{keys[0].selector}.pem, which signs, is gone or cannot be read; run deploys/mailserver.py, or restore it"
        )
    several = [one.selector for one in keys if one.role == "next"]
    if len(several) > 1:
        trouble = (
            f"several keys wait to be the next one: {', '.join(several)}; move all but one away from {KEYS}/{name}"
        )
    return Domain(name, keys, trouble, stale=0 < started < written)


def _keys(
    name: str, lines: list[tuple[str, ...]], pems: dict[str, tuple[datetime, str]], waits: timedelta
) -> Iterator[Key]:
    """The one that signs first. A key that no line names has not signed yet."""
    for number, (selector, since, until) in enumerate(lines):
        _, public = pems.get(selector, (None, ""))
        if number == 0:
            yield Key(name, selector, "signs", time(since), public=public)
        else:
            ended = time(until or since)
            role = "old" if selector in pems else "gone"
            yield Key(name, selector, role, time(since), ended, ended + waits, public)
    named = {selector for selector, *_ in lines}
    for selector, (made, public) in pems.items():
        if selector not in named:
            yield Key(name, selector, "next", made, public=public)


def time(word: str) -> datetime:
    found = datetime.fromisoformat(word)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moment(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


def seconds(word: str) -> timedelta:
    """A time of Postfix's: "5d"; without a unit, days."""
    if not (found := re.fullmatch(r"(\d{1,6})([smhdw]?)", word.strip())):
        return timedelta(0)
    return timedelta(seconds=int(found[1]) * UNITS[found[2] or "d"])


def day(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d}" if when else "?"


def minute(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "?"
