"""What one mark is, and the shell that every mark may use: a few kinds that come again and again."""

from __future__ import annotations

from dataclasses import dataclass

CONF = "/etc/dovecot/dovecot.conf"
HELPERS = """exec 2>/dev/null
main() { [ "$(postconf -h "$1")" = "$2" ]; }
block() { grep -qx "# >>> mailroom: $1" /etc/dovecot/dovecot.conf; }
listens() { ss -Hlnt "sport = :$1" | grep -q .; }
ask() { cd / && runuser -u postgres -- psql -XAtq -d "${2:-postgres}" -c "$1"; }
yes() { if listens 5432; then [ "$(ask "$@")" = t ]; else command -v psql; fi; }
"""
SHOW_MASTER = "postconf -M {service}/inet | awk '{{print $1, $2, $3, $4, $5, $6, $7, $8}}'; postconf -P | sed -n 's|^{service}/inet/||p'"

PACKAGES = (  # by the names of both families
    "dpkg-query -W -f '${{Package}} ${{Version}}\\n' {names}; rpm -q --qf '%{{NAME}} %{{VERSION}}\\n' {names} | grep -v 'not installed'"
)


@dataclass(frozen=True)
class Landmark:
    done: str
    now: str
    needs: tuple[str, ...] = ()  # steps without which this one has nothing to stand on
    settings: bool = False  # `now` prints settings, comparable line by line with the step's text


def main_cf(done: str, names: str, *needs: str) -> Landmark:
    return Landmark(done, f"postconf {names}", needs or ("postfix.install",), settings=True)


def master_cf(service: str) -> Landmark:
    return Landmark(
        f"postconf -M {service}/inet | grep -q .", SHOW_MASTER.format(service=service), ("postfix.install",), True
    )


def dovecot_block(name: str, effective: str, *needs: str) -> Landmark:
    """The block of dovecot.conf; before there is one, the values in force: the distribution's, or Dovecot's own."""
    between = f"sed -n '/^# >>> mailroom: {name}$/,/^# <<< mailroom: {name}$/{{//!p}}' {CONF}"
    return Landmark(
        f"block {name}",
        f"if block {name}; then {between}; else echo '# in force, from conf.d or by default:'; doveconf {effective}; fi",
        ("dovecot.install", *needs),
        settings=True,
    )
