"""The factory as built so far: stations on a belt, drawn from what the host says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from notebooks.workbench.host import remote, where
from notebooks.workbench.show import html

# What a station needs to be there, and where it listens. Ports as in `ss`.
PROBE = """
exec 2>/dev/null
for name in postfix psql dovecot amavisd; do command -v $name >/dev/null && echo "there $name"; done
ss -Hlnt | awk '{n = split($4, part, ":"); print "port", part[n]}' | sort -u
[ -S /var/spool/postfix/private/auth ] && echo "there auth"
postconf -h virtual_mailbox_domains | grep -q pgsql && echo "there lookups"
postconf -P submission/inet/smtpd_sasl_path | grep -q private/auth && echo "there sasl"
grep -qs '^# >>> mailroom: passdb' /etc/dovecot/dovecot.conf && echo "there passdb"
[ -n "$(ls -A "$HOME_OF_MAIL")" ] && echo "there mail"
grep -qs '^# >>> mailroom: sieve' /etc/dovecot/dovecot.conf && echo "there sieve"
postconf -h content_filter | grep -q amavis && echo "there filter"
postmap -q "who@$DOMAIN_OF_MAIL" pgsql:/etc/postfix/pgsql/transport.cf | grep -q lmtp && echo "there lmtp"
postconf -h smtpd_tls_cert_file | grep -q . && [ -s "$(postconf -h smtpd_tls_cert_file)" ] && echo "there tls"
true
"""


BELTS = ("delivers", "hands over", "there", "and back")  # what letters travel on


@dataclass
class Station:
    key: str
    title: str
    role: str
    x: int
    y: int
    chapter: int
    state: str = "missing"  # missing, stopped or runs
    detail: str = ""


@dataclass
class Way:
    """What goes from one station to another, once both are there."""

    start: str
    end: str
    label: str
    path: str  # SVG
    at: tuple[int, int]  # of the label
    there: bool = False


class Factory(html.Shown):
    def __init__(self, host: str, stations: list[Station], ways: list[Way]) -> None:
        self.host, self.stations, self.ways = host, stations, ways

    def __str__(self) -> str:
        rows = [f"The factory on {self.host}"]
        signs = {"runs": "●", "stopped": "◐", "missing": "○"}
        rows += [f"  {signs[one.state]} {one.title}, {one.role}: {one.detail or one.state}" for one in self.stations]
        rows += [f"  {way.start} → {way.end}: {way.label or 'letters'}" for way in self.ways if way.there]
        return "\n".join(rows)

    def body(self) -> str:
        ways = "".join(line(way) for way in self.ways)
        built = "".join(drawn(one) for one in self.stations)
        legend = "<tspan fill='var(--good)'>●</tspan> runs  <tspan fill='var(--warn)'>●</tspan> there, not running  ○ not built yet"
        return (
            f'<svg viewBox="0 0 790 336" width="790" role="img" aria-label="{html.escape(str(self))}">'
            f'<rect x="160" y="4" width="456" height="296" rx="10" fill="none" stroke="var(--line)" stroke-dasharray="5 4"/>'
            f'<text x="606" y="22" opacity=".7" text-anchor="end">the factory: {html.escape(self.host)}</text>{ways}{built}'
            f'<text x="172" y="330" opacity=".8" style="font-size:11px">{legend}</text></svg>'
        )


def drawn(one: Station) -> str:
    colour = {"runs": "var(--good)", "stopped": "var(--warn)", "missing": "var(--line)"}[one.state]
    dash = ' stroke-dasharray="4 3" opacity=".65"' if one.state == "missing" else ""
    dot = f'<circle cx="{one.x + 126}" cy="{one.y + 13}" r="5" fill="{"none" if one.state == "missing" else colour}" stroke="{colour}"/>'
    return (
        f'<g{dash if one.state == "missing" else ""}><rect x="{one.x}" y="{one.y}" width="140" height="58" rx="8" fill="var(--soft)" '
        f'stroke="{colour}" stroke-width="1.5"{dash}/>{dot}'
        f'<text x="{one.x + 10}" y="{one.y + 19}" style="font-weight:600">{html.escape(one.title)}</text>'
        f'<text x="{one.x + 10}" y="{one.y + 35}" opacity=".8" style="font-size:11px">{html.escape(one.role)}</text>'
        f'<text x="{one.x + 10}" y="{one.y + 50}" opacity=".7" style="font-size:10px">{html.escape(one.detail)}</text></g>'
    )


def line(way: Way) -> str:
    style = 'stroke="var(--good)" stroke-width="2"' if way.there else 'stroke="var(--line)" stroke-dasharray="4 3"'
    belt = ""
    if way.label in BELTS and way.there:
        belt = f'<path d="{way.path}" stroke="var(--good)" stroke-width="7" stroke-linecap="round" stroke-dasharray="0 13" fill="none"/>'
    x, y = way.at
    words = f'<text x="{x}" y="{y}" opacity="{0.85 if way.there else 0.5}" style="font-size:10.5px">{html.escape(way.label)}</text>'
    return f'<path d="{way.path}" {style} fill="none"/>{belt}{words}'


def factory() -> Factory:
    """Look at the host and draw it."""
    here = where.place()
    told = remote.execute(
        f"HOME_OF_MAIL={here.data['mail_home']} DOMAIN_OF_MAIL={here.domain}\n{PROBE}"
    ).out.splitlines()
    there = {line.split()[1] for line in told if line.startswith("there ")}
    ports = {int(line.split()[1]) for line in told if line.startswith("port ")}

    def station(
        key: str, title: str, role: str, x: int, y: int, chapter: int, program: str, wanted: tuple[int, ...]
    ) -> Station:
        open_ports = [port for port in wanted if port in ports]
        state = "missing" if program not in there else "runs" if open_ports or not wanted else "stopped"
        detail = (
            "port " + ", ".join(map(str, open_ports))
            if open_ports
            else f"chapter {chapter}"
            if state == "missing"
            else "not listening"
        )
        return Station(key, title, role, x, y, chapter, state, detail)

    desk_role = "the front desk, sorts" if "sieve" in there else "the front desk"
    stations = [
        Station("world", "the world", "strangers' servers", 4, 120, 0, "runs", "hands in on port 25"),
        station("Postfix", "Postfix", "the conveyor belt", 178, 120, 1, "postfix", (25, 587, 465)),
        station("PostgreSQL", "PostgreSQL", "the bookkeeper", 346, 30, 2, "psql", (5432,)),
        station("mailboxes", "the mailboxes", here.data["mail_home"], 468, 120, 2, "mail", ()),
        station("Dovecot", "Dovecot", desk_role, 346, 216, 4, "dovecot", (143, 993, 4190)),
        Station("people", "people", "with a mail client", 640, 216, 0, "runs", "read on 143 or 993"),
        station("workers", "the workers", "look into every letter", 178, 30, 3, "amavisd", (10024, 10026)),
    ]
    stations[3].detail = "Maildir" if "mail" in there else "no letter yet"
    belt, books, _, desk, _, work = (one.state == "runs" for one in stations[1:])
    looked_up, passdb, sasl = "lookups" in there, desk and "passdb" in there, "auth" in there and "sasl" in there
    lmtp = belt and desk and looked_up and "lmtp" in there
    ways = [
        Way("world", "Postfix", "", "M144,149 H178", (0, 0), belt),
        Way("Postfix", "workers", "there", "M226,120 V88", (194, 108), belt and work and "filter" in there),
        Way("workers", "Postfix", "and back", "M268,88 V120", (274, 108), belt and work and "filter" in there),
        Way("Postfix", "PostgreSQL", "who lives here?", "M318,134 H362 V88", (366, 108), belt and books and looked_up),
        Way("Dovecot", "PostgreSQL", "who is that?", "M454,216 V88", (458, 112), passdb and books),
        Way("Postfix", "Dovecot", "may he send?", "M240,178 V252 H346", (246, 266), sasl and belt and desk),
        Way("Dovecot", "mailboxes", "delivers, reads" if lmtp else "reads", "M486,240 H536 V178", (540, 210), passdb),
        Way("Dovecot", "people", "IMAP: they read", "M486,260 H640", (530, 275), passdb),
        Way("people", "Postfix", "587, 465: they hand in", "M710,274 V293 H212 V178", (320, 288), belt and sasl),
    ]
    if lmtp:
        ways.insert(4, Way("Postfix", "Dovecot", "hands over", "M300,178 V230 H346", (306, 206), True))
    else:
        ways.insert(4, Way("Postfix", "mailboxes", "delivers", "M318,152 H468", (366, 144), belt and looked_up))
    return Factory(here.fqdn, stations, ways)
