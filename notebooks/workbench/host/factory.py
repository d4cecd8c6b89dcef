"""The factory as built so far: stations on a belt, drawn from what the host says of itself."""

from dataclasses import dataclass

from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html
from postmaster.picture import said

# What a station needs to be there, and where it listens. Ports as in `ss`.
PROBE = """
exec 2>/dev/null
for name in postfix psql dovecot amavisd; do command -v $name >/dev/null && echo "$name"; done
ss -Hlnt | awk '{n = split($4, part, ":"); print part[n]}' | sort -u
[ -S /var/spool/postfix/private/auth ] && echo "auth"
postconf -h virtual_mailbox_domains | grep -q pgsql && echo "lookups"
postconf -P submission/inet/smtpd_sasl_path | grep -q private/auth && echo "sasl"
grep -qs '^# >>> mailroom: passdb' /etc/dovecot/dovecot.conf && echo "passdb"
[ -n "$(ls -A "$HOME_OF_MAIL")" ] && echo "mail"
grep -qs '^# >>> mailroom: sieve' /etc/dovecot/dovecot.conf && echo "sieve"
postconf -h content_filter | grep -q amavis && echo "filter"
postmap -q "who@$DOMAIN_OF_MAIL" pgsql:/etc/postfix/pgsql/transport.cf | grep -q lmtp && echo "lmtp"
true
"""
BELTS = ("delivers", "hands over", "there", "and back")  # what letters travel on
LOOKS = {"runs": ("●", "var(--good)"), "stopped": ("◐", "var(--warn)"), "missing": ("○", "var(--line)")}
LEGEND = (
    "<tspan fill='var(--good)'>●</tspan> runs  <tspan fill='var(--warn)'>●</tspan> there, not running  ○ not built yet"
)


@dataclass
class Station:
    title: str
    role: str
    at: tuple[int, int]
    state: str  # a key of LOOKS
    detail: str


@dataclass
class Way:
    """What goes from one station to another, once both are there."""

    ends: str
    label: str
    path: str  # SVG
    at: tuple[int, int]  # of the label
    there: bool


class Factory(html.Shown):
    def __init__(self, host: str, stations: list[Station], ways: list[Way]) -> None:
        self.host, self.stations, self.ways = host, stations, ways

    def __str__(self) -> str:
        rows = [f"The factory on {self.host}"]
        rows += [f"  {LOOKS[one.state][0]} {one.title}, {one.role}: {one.detail}" for one in self.stations]
        rows += [f"  {way.ends}: {way.label or 'letters'}" for way in self.ways if way.there]
        return "\n".join(rows)

    def body(self) -> str:
        drawn = "".join([*map(line, self.ways), *map(box, self.stations)])
        title = said(606, 22, f"the factory: {self.host}", "12px", opacity=".7", end=True)
        return (
            # on a phone its letters would be as small as dust: there the words are shown, by style.css
            f"<pre class=words>{html.escape(self)}</pre>"
            f'<svg class=drawn viewBox="0 0 790 336" width="790" role="img" aria-label="{html.escape(str(self))}">'
            f'<rect x="160" y="4" width="456" height="296" rx="10" fill="none" stroke="var(--line)" stroke-dasharray="5 4"/>'
            f'{title}{drawn}<text x="172" y="330" opacity=".8" style="font-size:11px">{LEGEND}</text></svg>'
        )


def box(one: Station) -> str:
    (x, y), (_, colour), missing = one.at, LOOKS[one.state], one.state == "missing"
    dash = ' stroke-dasharray="4 3" opacity=".65"' if missing else ""
    words = [
        said(x + 10, y + 19, one.title, "600 12px"),
        said(x + 10, y + 35, one.role, "11px", opacity=".8"),
        said(x + 10, y + 50, one.detail, "10px", opacity=".7"),
    ]
    return (
        f'<g{dash}><rect x="{x}" y="{y}" width="140" height="58" rx="8" fill="var(--soft)" stroke="{colour}" '
        f'stroke-width="1.5"{dash}/><circle cx="{x + 126}" cy="{y + 13}" r="5" fill="{"none" if missing else colour}" '
        f'stroke="{colour}"/>{"".join(words)}</g>'
    )


def line(way: Way) -> str:
    style = 'stroke="var(--good)" stroke-width="2"' if way.there else 'stroke="var(--line)" stroke-dasharray="4 3"'
    belt = 'stroke="var(--good)" stroke-width="7" stroke-linecap="round" stroke-dasharray="0 13"'
    drawn = [style, belt] if way.there and way.label in BELTS else [style]
    paths = "".join(f'<path d="{way.path}" {one} fill="none"/>' for one in drawn)
    return paths + said(*way.at, way.label, "10.5px", opacity=".85" if way.there else ".5")


@stoppable()
def factory() -> Factory:
    """The stations that are on the host, the ports they listen on, and what goes from one to another; nothing is changed."""
    here = where.place()
    home, script = (
        here.data["mail_home"],
        f"HOME_OF_MAIL={here.data['mail_home']} DOMAIN_OF_MAIL={here.domain}\n{PROBE}",
    )
    there = set(remote.execute(script).out.split())

    def station(title: str, role: str, x: int, y: int, chapter: int, program: str, *ports: int) -> Station:
        is_open = [str(port) for port in ports if str(port) in there]
        if program not in there:
            return Station(title, role, (x, y), "missing", f"chapter {chapter}")
        detail = f"port {', '.join(is_open)}" if is_open else "not listening"
        return Station(title, role, (x, y), "runs" if is_open else "stopped", detail)

    built = [
        station("Postfix", "the conveyor belt", 178, 120, 1, "postfix", 25, 587, 465),
        station("PostgreSQL", "the bookkeeper", 346, 30, 2, "psql", 5432),
        station("Dovecot", f"the front desk{', sorts' * ('sieve' in there)}", 346, 216, 4, "dovecot", 143, 993, 4190),
        station("the workers", "look into every letter", 178, 30, 3, "amavisd", 10024, 10026),
    ]
    belt, books, desk, work = (one.state == "runs" for one in built)
    mail = ("runs", "Maildir") if "mail" in there else ("missing", "no letter yet")
    built.insert(2, Station("the mailboxes", home, (468, 120), *mail))
    world = Station("the world", "strangers' servers", (4, 120), "runs", "hands in on port 25")
    people = Station("people", "with a mail client", (640, 216), "runs", "read on 143 or 993")
    looked_up, passdb, sasl = "lookups" in there, desk and "passdb" in there, {"auth", "sasl"} <= there
    lmtp, checked = belt and desk and looked_up and "lmtp" in there, belt and work and "filter" in there
    delivery = Way("Postfix → mailboxes", "delivers", "M318,152 H468", (366, 144), belt and looked_up)
    if lmtp:
        delivery = Way("Postfix → Dovecot", "hands over", "M300,178 V230 H346", (306, 206), True)
    ways = [
        Way("world → Postfix", "", "M144,149 H178", (0, 0), belt),
        Way("Postfix → workers", "there", "M226,120 V88", (194, 108), checked),
        Way("workers → Postfix", "and back", "M268,88 V120", (274, 108), checked),
        Way("Postfix → PostgreSQL", "who lives here?", "M318,134 H362 V88", (366, 108), belt and books and looked_up),
        delivery,
        Way("Dovecot → PostgreSQL", "who is that?", "M454,216 V88", (458, 112), passdb and books),
        Way("Postfix → Dovecot", "may he send?", "M240,178 V252 H346", (246, 266), sasl and belt and desk),
        Way("Dovecot → mailboxes", "delivers, reads" if lmtp else "reads", "M486,240 H536 V178", (540, 210), passdb),
        Way("Dovecot → people", "IMAP: they read", "M486,260 H640", (530, 275), passdb),
        Way("people → Postfix", "587, 465: they hand in", "M710,274 V293 H212 V178", (320, 288), belt and sasl),
    ]
    return Factory(here.fqdn, [world, *built[:4], people, built[4]], ways)
