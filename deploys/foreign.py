"""What mailroom did not make, it does not take: what of this host is somebody else's and stands in our way (docs/ours.md).

Each question is asked before the first change. A host that mailroom built, or half built before a run died, is ours: what we
make says so by its name, its first line, a comment in the database, or its exact form.
"""

import re

from deploys.data import MailData
from deploys.platforms import Platform
from facts.mail_host import MailHost
from operations import certificate, scram
from operations.dovecot import CONF, foreign_settings

MAPS, SCRIPTS, EXAMPLES = "/etc/postfix/pgsql", "/etc/dovecot/sieve", "/etc/dovecot/sieve/examples"
QUARANTINE = "/var/lib/amavis/virusmails"
PLACES = (MAPS, SCRIPTS, EXAMPLES, QUARANTINE)
WATCHED = (f"{MAPS}/*.cf", f"{SCRIPTS}/*", f"{EXAMPLES}/*")  # where files of others may stand beside ours
UNDER_WAY = re.compile(r"\.\w{6}(\.svbin)?$")  # mktemp(1)'s names, as operations/files.py makes them
TABLES = {
    "users": {"email", "password", "realname", "maildir", "created"},
    "transports": {"domain", "transport"},
    "aliases": {"alias", "email"},
}
# Lookups by which a Postfix serves people; ours all come from one directory.
SERVING = (
    *("virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_alias_maps", "transport_maps"),
    *("smtpd_sender_login_maps", "smtpd_sender_restrictions", "content_filter"),
    *("relay_domains", "alias_maps", "local_recipient_maps"),
)
OUR_LOOKUP = re.compile(
    r"/etc/postfix/pgsql/|^smtp-amavis:|^(permit_mynetworks)?$|^\w+:/etc/aliases$|^\$alias_database|^inline:\{postmaster="
)


def foreign(there: MailHost, checked: MailData, found: Platform) -> list[str]:
    """What is somebody else's, one sentence each, with the remedy; [] on a host that is bare, or ours."""
    return [
        *_links(there, checked),
        *_mail_home(there, checked),
        *_members(there, checked),
        *_pair(there, checked),
        *_packages(there, found.rivals.get("postfix", {})),
        *_files(there, MAPS),
        *_postfix(there),
        *_dovecot(there),
        *_role(there, checked),
        *_database(there),
    ]


def ours(there: MailHost) -> bool:
    """Whether mailroom has come as far as the maps on this host before."""
    return any(path.startswith(MAPS) for path in there.made)


def held_before_us(there: MailHost) -> list[str]:
    """Mail that an Amavis had put aside before it was ours: quarantine_days would delete it."""
    place = there.places.get(QUARANTINE)
    if not place or not place.inside or "/etc/amavis/conf.d/63-mailroom-quarantine" in there.files:
        return []
    return [
        f"{QUARANTINE} holds mail of an Amavis that mailroom did not set up ({', '.join(place.inside)} …), and "
        "quarantine_days would delete it; move it to another directory first"
    ]


def scripts(there: MailHost) -> list[str]:
    """Sieve scripts that stand where ours would."""
    return [*_files(there, SCRIPTS), *_files(there, EXAMPLES)]


def _links(there: MailHost, checked: MailData) -> list[str]:
    return [
        f"{path} is a link to {target}, and mailroom would put a file in its place; put the file itself there"
        for path, target in there.links.items()
        if path != checked.tls_certificate or checked.tls_self_signed
    ]


def _mail_home(there: MailHost, checked: MailData) -> list[str]:
    """A directory of the owner's is ours. An empty one of root's, as a fresh mount point is, may be taken."""
    path, place, file = checked.mail_home, there.places.get(checked.mail_home), there.files.get(checked.mail_home)
    if place is None or (file and file.kind == "directory" and place.uid == checked.mail_uid):
        return []
    instead = "set mail_home to a directory that does not exist yet, or to an empty one of root's"
    if file is None:
        return [f"mail_home {path} is a link to {place.real}, which is not there; make that directory, or {instead}"]
    if file.kind != "directory":
        return [f"mail_home {path} is a {file.kind}, no directory; {instead}"]
    if place.package:
        return [f"mail_home {path} is a directory of the system (package {place.package}); {instead}"]
    inside = set(place.inside) - {"lost+found"}
    if place.uid == 0 and file.group == "root" and not inside and not int(file.mode, 8) & 0o022:
        return []
    what = f"with {', '.join(sorted(inside))} in it" if inside else f"with mode {file.mode}"
    return [
        f"mail_home {path} is there already, {file.user}:{file.group}'s, {what}, and mailroom did not make it; {instead}. "
        f"If it does hold this server's mail: chown -R {checked.mail_uid}:{checked.mail_gid} {path}"
    ]


def _members(there: MailHost, checked: MailData) -> list[str]:
    """A group that was here before its user (whose shell and home `misfits` asks about) lets others read all mail."""
    name = checked.mail_owner
    others = set(there.members.get(name, ())) - {name}
    if name not in there.groups or name in there.passwd or not others:
        return []
    return [
        f"the group {name} is somebody else's: {', '.join(sorted(others))} would read all mail; choose another mail_owner "
        "and mail_gid"
    ]


def _pair(there: MailHost, checked: MailData) -> list[str]:
    """tls_self_signed replaces a pair of its own only; a run that died between its two halves has left the other beside."""
    path, key = checked.tls_certificate, checked.tls_key
    if not checked.tls_self_signed:
        return []
    instead = "set tls_self_signed = False if Postfix and Dovecot shall use it, or move it away"
    if path in there.files and not certificate.made_here(there.text(path)):
        return [
            f"{path} is {certificate.described(there.text(path))}, and tls_self_signed = True would replace it; {instead}"
        ]
    halves = (there.text(path), there.text(f"{path}.new"))
    if key in there.files and not any(
        certificate.made_here(half) and certificate.belongs(half, there.key_public) for half in halves
    ):
        with_what = f"does not belong to {path}" if path in there.files else f"has no certificate at {path}"
        return [f"the key {key} {with_what}, and tls_self_signed = True would replace it; {instead}"]
    return []


def _packages(there: MailHost, rivals: dict[str, str]) -> list[str]:
    return [
        f"{name} is installed, {what}, and ours would push it off the host; remove it first if that is meant: apt-get remove {name}"
        for name, what in rivals.items()
        if name in there.packages
    ]


def clocks(there: MailHost, found: Platform) -> list[str]:
    """Programs that keep the time, and that installing chrony would remove."""
    return _packages(there, found.rivals.get("chrony", {}))


def _files(there: MailHost, folder: str) -> list[str]:
    """Files in a directory of ours that we would overwrite, or make unreadable for whom they were made."""
    place, file = there.places.get(folder), there.files.get(folder)
    if not place or not file:
        return []
    if file.kind != "directory":
        return [f"{folder} is a {file.kind}, and mailroom needs a directory there; move it away"]
    inside = [path for path, one in there.files.items() if _folder(path) == folder and one.kind.startswith("regular")]
    # a directory with one of our files is ours, and the operator's own may stand beside them; UNDER_WAY is what a killed run left
    if not inside or any(_folder(path) == folder for path in there.made) or all(map(UNDER_WAY.search, inside)):
        return []
    return [
        f"{folder} holds files that mailroom did not make ({', '.join(sorted(inside))}); move them to another directory, as this one "
        "is for mailroom's"
    ]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _postfix(there: MailHost) -> list[str]:
    if ours(there):
        return []
    serving = [name for name in SERVING if not OUR_LOOKUP.search(there.main_cf.get(name, ""))]
    serving += [name for name in ("submission/inet", "submissions/inet") if _differs(there, name)]
    if not serving:
        return []
    return [
        f"Postfix serves somebody here already ({', '.join(serving)}), and mailroom would replace that; take a fresh host, or take "
        "those settings out of /etc/postfix first if they are not needed"
    ]


def _differs(there: MailHost, service: str) -> bool:
    """A service that people submit to, with other rules than ours: in master.cf as packages bring it, it is a comment."""
    rules = there.overrides.get(f"{service}/smtpd_relay_restrictions", "permit_sasl_authenticated,reject")
    return service in there.master_cf and rules != "permit_sasl_authenticated,reject"


def _dovecot(there: MailHost) -> list[str]:
    text = there.text(CONF)
    if text is None or "# >>> mailroom" in text or ours(there):
        return []
    edited = [*there.edited, *(f"{CONF} ({what})" for what in foreign_settings(text))]
    if not edited:
        return []
    return [
        f"Dovecot was set up here by somebody else ({', '.join(edited[:5])}), and mailroom would switch that off; take a fresh "
        "host, or remove Dovecot with its settings first if they are not needed: apt-get purge dovecot-core"
    ]


def _role(there: MailHost, checked: MailData) -> list[str]:
    """The role is ours by its comment, by its password, or since our tables grant to it."""
    answer = there.sql
    if "role" not in answer or answer.get("role_note") or _our_tables(answer):
        return []
    powers = [name for name in ("super", "createdb", "createrole") if answer.get(name)]
    if not powers and not answer.get("owns") and _opens(checked, answer):
        return []
    why = (
        f"it is {', '.join(powers)}"
        if powers
        else "it owns something"
        if answer.get("owns")
        else "its password is another"
    )
    return [
        f"PostgreSQL has a role mailreader that mailroom did not make ({why}), and its password and rights would be changed; rename it: "
        "ALTER ROLE mailreader RENAME TO … (a renamed role needs its password set again), or drop it if nobody uses it"
    ]


def _opens(checked: MailData, answer: dict[str, object]) -> bool:
    return scram.verify(checked.secrets.services.get("mailreader", ""), str(answer.get("verifier")))


def _our_tables(answer: dict[str, object]) -> bool:
    tables = answer.get("tables")
    return isinstance(tables, dict) and any(
        name in tables and columns == set(tables[name].get("columns", ())) and tables[name]["owner"] == "postgres"
        for name, columns in TABLES.items()
    )


def _database(there: MailHost) -> list[str]:
    """The database is ours by its comment or by our tables in it; an empty one of postgres's is what a run that died has left."""
    answer = there.sql
    if "database" not in answer:
        return []
    remedy = "rename it: ALTER DATABASE mail RENAME TO …, or drop it if nobody uses it"
    tables = answer.get("tables", {})
    noted = bool(answer.get("database_note"))
    if not noted and answer.get("database_owner", "postgres") != "postgres":
        return [f"PostgreSQL has a database mail that belongs to {answer['database_owner']}, not to mailroom; {remedy}"]
    if not noted and tables and not _our_tables(answer):
        return [
            f"PostgreSQL has a database mail with tables that mailroom did not make ({', '.join(tables)}); {remedy}"
        ]
    wrong = [
        f"{name} ({', '.join(tables[name]['columns'])})"
        for name, columns in TABLES.items()
        if name in tables and "columns" in tables[name] and columns != set(tables[name]["columns"])
    ]
    if wrong:
        return [
            f"tables of the database mail have other columns than mailroom's: {'; '.join(wrong)}; rename them or {remedy}"
        ]
    return []
