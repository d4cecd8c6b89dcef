"""The factory as built so far: stations on a belt, drawn from what the host says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from notebooks.workbench import html, remote, where

# What a station needs to be there, and where it listens. Ports as in `ss`.
PROBE = """
exec 2>/dev/null
for name in postfix psql dovecot; do command -v $name >/dev/null && echo "there $name"; done
ss -Hlnt | awk '{n = split($4, part, ":"); print "port", part[n]}' | sort -u
[ -S /var/spool/postfix/private/auth ] && echo "there auth"
postconf -h virtual_mailbox_domains | grep -q pgsql && echo "there lookups"
postconf -P submission/inet/smtpd_sasl_path | grep -q private/auth && echo "there sasl"
grep -qs '^# >>> mailroom: passdb' /etc/dovecot/dovecot.conf && echo "there passdb"
[ -n "$(ls -A "$HOME_OF_MAIL")" ] && echo "there mail"
postconf -h smtpd_tls_cert_file | grep -q . && [ -s "$(postconf -h smtpd_tls_cert_file)" ] && echo "there tls"
true
"""


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
    if way.label == "delivers" and way.there:
        belt = f'<path d="{way.path}" stroke="var(--good)" stroke-width="7" stroke-linecap="round" stroke-dasharray="0 13" fill="none"/>'
    x, y = way.at
    words = f'<text x="{x}" y="{y}" opacity="{0.85 if way.there else 0.5}" style="font-size:10.5px">{html.escape(way.label)}</text>'
    return f'<path d="{way.path}" {style} fill="none"/>{belt}{words}'


def factory() -> Factory:
    """Look at the host and draw it."""
    here = where.place()
    told = remote.execute(f"HOME_OF_MAIL={here.data['mail_home']}\n{PROBE}").out.splitlines()
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

    stations = [
        Station("world", "the world", "strangers' servers", 4, 120, 0, "runs", "hands in on port 25"),
        station("Postfix", "Postfix", "the conveyor belt", 178, 120, 1, "postfix", (25, 587, 465)),
        station("PostgreSQL", "PostgreSQL", "the bookkeeper", 318, 32, 2, "psql", (5432,)),
        station("mailboxes", "the mailboxes", here.data["mail_home"], 462, 120, 2, "mail", ()),
        station("Dovecot", "Dovecot", "the front desk", 318, 216, 4, "dovecot", (143, 993)),
        Station("people", "people", "with a mail client", 640, 216, 0, "runs", "read on 143 or 993"),
    ]
    stations[3].detail = "Maildir" if "mail" in there else "no letter yet"
    belt, books, _, desk = (one.state == "runs" for one in stations[1:5])
    looked_up, passdb, sasl = "lookups" in there, desk and "passdb" in there, "auth" in there and "sasl" in there
    ways = [
        Way("world", "Postfix", "", "M144,149 H178", (0, 0), belt),
        Way("Postfix", "PostgreSQL", "who lives here?", "M268,120 V61 H318", (182, 100), belt and books and looked_up),
        Way("Postfix", "mailboxes", "delivers", "M318,149 H462", (336, 140), belt and looked_up),
        Way("Dovecot", "PostgreSQL", "who is that?", "M398,216 V90", (404, 112), passdb and books),
        Way("Postfix", "Dovecot", "may he send?", "M268,178 V240 H318", (274, 206), sasl and belt and desk),
        Way("Dovecot", "mailboxes", "reads", "M458,230 H532 V178", (490, 222), passdb),
        Way("Dovecot", "people", "IMAP: they read", "M458,256 H640", (500, 270), passdb),
        Way("people", "Postfix", "587, 465: they hand in", "M710,274 V293 H212 V178", (320, 288), belt and sasl),
    ]
    return Factory(here.fqdn, stations, ways)
