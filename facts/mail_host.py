"""What a mail host is like right now, read in one command.

pyinfra asks one question at a time and does not remember answers; a chapter asks dozens. So one fact reads everything
(`read_host.sh`, `read_database.sql`), and `operations.base` keeps the answer until an operation changes something.
"""

import base64
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyinfra.api import FactBase
from pyinfra.api.exceptions import FactProcessError

from facts.parts import answers, label_type, pairs, rule, timestamp, two

HERE = Path(__file__).parent
JUDGE_PAIR = (HERE / "judge_pair.sh").read_text()
SCRIPT = JUDGE_PAIR + (HERE / "read_host.sh").read_text()
SQL = (HERE / "read_database.sql").read_text()


@dataclass(frozen=True)
class File:
    """A file on the host: `mode` as in `stat` ("640"), `mtime` in seconds, `text` only where it holds no secret."""

    mode: str
    user: str
    group: str
    mtime: float
    kind: str
    sha256: str = ""
    text: str | None = None
    label: str = ""  # SELinux's type, where there is SELinux


@dataclass(frozen=True)
class Unit:
    """A systemd unit; `started` in seconds since 1970, 0.0 when it is not running. A masked one may not be installed."""

    active: bool
    enabled: str
    started: float
    outdated: bool = False  # its files have changed since systemd read them


@dataclass(frozen=True)
class Place:
    """A directory that we may take, as it is before us. `package` brings it, `inside` are some of the names in it."""

    uid: int | None  # None: a link that leads nowhere
    real: str
    package: str = ""
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cluster:
    """One of PostgreSQL's clusters, as Debian's pg_lsclusters names them; `databases` beside PostgreSQL's own three."""

    version: str
    name: str
    port: int
    status: str  # "online", "down", "down,binaries_missing"
    databases: int
    size_mb: int


@dataclass
class MailHost:
    """The answer: empty where the host has nothing yet."""

    system: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    unfinished: dict[str, str] = field(
        default_factory=dict
    )  # package: dpkg's word for it, "half-configured" for instance
    dpkg_holder: str = ""  # who installs something right now: "1234 apt-get"
    units: dict[str, Unit] = field(default_factory=dict)
    listeners: dict[int, str] = field(default_factory=dict)
    bound: dict[int, tuple[str, ...]] = field(default_factory=dict)  # the addresses of a port that something listens on
    passwd: dict[str, tuple[int, int, str, str]] = field(default_factory=dict)  # name: uid, gid, home, shell
    groups: dict[str, int] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)  # group: users in it beside those whose own it is
    files: dict[str, File] = field(default_factory=dict)
    pair: dict[str, str] = field(default_factory=dict)  # of certificate and key, where both are: problem, expired
    made: frozenset[str] = frozenset()  # files whose own first line says that mailroom made them
    links: dict[str, str] = field(default_factory=dict)  # files that are links, and where they lead
    places: dict[str, Place] = field(default_factory=dict)
    edited: tuple[str, ...] = ()  # Dovecot's files that somebody has changed before mailroom came
    units_of_others: tuple[str, ...] = ()  # files by which somebody else changes how our daemons run
    welcomed: tuple[str, ...] = ()  # "file:line" of a setting by which SpamAssassin lets a sender's address pass
    key_public: str = ""  # SHA-256 of the key's public half (DER); of nothing where the key cannot be read
    label_rules: dict[str, str] = field(default_factory=dict)  # SELinux, the administrator's own: pattern: type
    firewall: dict[str, list[str]] = field(default_factory=dict)  # firewalld's open services, "now" and "permanent"
    main_cf: dict[str, str] = field(default_factory=dict)
    master_cf: dict[str, str] = field(default_factory=dict)  # "smtp/inet": the whole entry, blanks squeezed
    overrides: dict[str, str] = field(default_factory=dict)  # "submission/inet/syslog_name": value
    dovecot: tuple[int, ...] | None = None
    schemes: tuple[str, ...] = ()  # password schemes that this Dovecot knows
    clusters: dict[tuple[str, str], Cluster] = field(default_factory=dict)  # by version and name
    sql: dict[str, Any] = field(default_factory=dict)

    def text(self, path: str) -> str | None:
        """The text of a file, None where there is none."""
        file = self.files.get(path)
        return file.text if file else None


class ReadMailHost(FactBase[MailHost]):
    """Read a `MailHost`. The system, Postfix, Dovecot and pg_hba.conf are read of any host, all else where it is named.

    + owners: users and groups, by name or number
    + services: names that /etc/services may have
    + texts, sums: files that are read, and files of which only the checksum is; may be patterns of the shell's
    + key, certificate: of the key only its public half; with both, whether they are a pair
    + places: directories that we may take, mail_home among them
    + mail_name: a name that has to resolve

    None of them may hold a secret: pyinfra prints arguments with -v.
    """

    @staticmethod
    def default() -> MailHost:
        return MailHost()

    def command(
        self,
        packages: tuple[str, ...] = (),
        units: tuple[str, ...] = (),
        owners: tuple[str, ...] = (),
        services: tuple[str, ...] = (),
        texts: tuple[str, ...] = (),
        sums: tuple[str, ...] = (),
        database: str = "",
        role: str = "",
        key: str = "",
        certificate: str = "",
        mail_home: str = "",
        places: tuple[str, ...] = (),
        mail_name: str = "",
    ) -> str:
        given = {**locals(), "SQL": SQL}
        del given["self"]
        words = {name.upper(): value if isinstance(value, str) else " ".join(value) for name, value in given.items()}
        return "\n".join(f"{name}={shlex.quote(value)}" for name, value in words.items()) + "\n" + SCRIPT

    def process(self, output: list[str]) -> MailHost:
        parts: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in output:
            if line.startswith("== "):
                lines = parts.setdefault(line[3:], [])
            elif line:
                lines.append(line)
        if "system" not in parts:
            raise FactProcessError("the host printed no `system` part: is its shell POSIX sh?")
        return parse(parts)


def parse(parts: dict[str, list[str]]) -> MailHost:
    """Build a `MailHost` from the parts of the script's output."""
    found = MailHost(system=pairs(parts["system"]))
    found.packages = dict(two(line) for line in parts.get("packages", []))
    found.unfinished = dict(two(line) for line in parts.get("unfinished", []))
    found.dpkg_holder = ", ".join(parts.get("dpkg_holder", []))
    found.units = _units(parts.get("units", []))
    for line in parts.get("listeners", []):
        address, process = two(line)
        where, _, port = address.rpartition(":")
        found.listeners.setdefault(int(port), process)
        found.bound[int(port)] = (*found.bound.get(int(port), ()), where.partition("%")[0])
    for line in parts.get("owners", []):
        kind, name, _, number, *rest = line.split(":")
        if kind == "passwd":
            found.passwd[name] = (int(number), int(rest[0]), rest[2], rest[3])
        else:
            found.groups[name] = int(number)
            found.members[name] = tuple(filter(None, rest[0].split(","))) if rest else ()
    found.files = _files(parts)
    found.pair = pairs(parts.get("pair", []))
    found.made = frozenset(parts.get("made", []))
    found.links = dict(map(two, parts.get("links", [])))
    for line in parts.get("places", []):
        path, *rest = line.split("|")
        if path == "key":
            found.key_public = rest[0]
        else:
            uid, real, package, inside = rest
            found.places[path] = Place(int(uid) if uid else None, real, package, tuple(inside.split()))
    found.units_of_others = tuple(parts.get("units_of_others", []))
    found.welcomed = tuple(parts.get("welcomed", []))
    found.edited = tuple(parts.get("edited", []))
    found.label_rules = dict(rule(line) for line in parts.get("label_rules", []) if line.startswith("/"))
    found.firewall = {kind: names.split() for kind, names in pairs(parts.get("firewall", [])).items()}
    found.main_cf = pairs(parts.get("postfix_main", []))
    for line in parts.get("postfix_services", []):
        words = line.split()
        found.master_cf[f"{words[0]}/{words[1]}"] = " ".join(words)
    found.overrides = pairs(parts.get("postfix_overrides", []))
    if version := parts.get("dovecot"):
        found.dovecot = tuple(map(int, re.findall(r"\d+", version[0])[:3]))
        found.schemes = tuple(" ".join(version[1:]).split())
    for line in parts.get("clusters", []):
        release, name, port, status, databases, size = line.split()
        found.clusters[release, name] = Cluster(release, name, int(port), status, int(databases), int(size))
    found.sql = answers(parts.get("sql", []))
    return found


def _units(lines: list[str]) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    shown: dict[str, str] = {}
    for line in [*lines, "Id=end"]:
        key, _, value = line.partition("=")
        if key == "Id" and "Id" in shown:
            if shown.get("LoadState") in ("loaded", "masked"):
                units[shown["Id"].removesuffix(".service")] = Unit(
                    shown.get("ActiveState") == "active",
                    shown.get("UnitFileState", ""),
                    timestamp(shown.get("ActiveEnterTimestamp", "")),
                    shown.get("NeedDaemonReload") == "yes",
                )
            shown = {}
        shown[key] = value
    return units


def _files(parts: dict[str, list[str]]) -> dict[str, File]:
    sums = {path: digest for digest, path in (line.split(maxsplit=1) for line in parts.get("sums", []))}
    labels = {path: label_type(context) for context, path in map(two, parts.get("labels", []))}
    texts = {path: base64.b64decode(text) for path, text in (two(line) for line in parts.get("texts", []))}
    files = {}
    for line in parts.get("files", []):
        about, _, path = line.partition("|")
        mode, user, group, mtime, kind = about.split(maxsplit=4)
        text = texts[path].decode(errors="replace") if path in texts else None
        files[path] = File(mode, user, group, float(mtime), kind, sums.get(path, ""), text, labels.get(path, ""))
    return files
