"""Files, users, roles and services in the place of ours that mailroom did not make: a run refuses them by name (docs/ours.md).

All of it happens before the first change. A host that mailroom built, or half built before a run died, is ours: our things
show it by their name, their first line, a comment in the database, or their exact form.
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
# Settings that only a Postfix in use has; our maps all come from one directory.
SERVING = (
    *("virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_alias_maps", "transport_maps"),
    *("smtpd_sender_login_maps", "smtpd_sender_restrictions", "content_filter"),
    *("relay_domains", "alias_maps", "local_recipient_maps"),
)
OUR_LOOKUP = re.compile(
    r"/etc/postfix/pgsql/|^smtp-amavis:|^(permit_mynetworks)?$|^\w+:/etc/aliases$|^\$alias_database|^inline:\{postmaster="
)


def foreign(there: MailHost, checked: MailData, found: Platform) -> list[str]:
    """Each foreign thing in our place, a sentence with the remedy; [] on a host that is bare, or ours."""
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
    """Whether an earlier run has made at least one map on this host."""
    return any(path.startswith(MAPS) for path in there.made)


def held_before_us(there: MailHost) -> list[str]:
    """Mail that an Amavis held before mailroom came: quarantine_days would delete it."""
    place = there.places.get(QUARANTINE)
    if not place or not place.inside or "/etc/amavis/conf.d/63-mailroom-quarantine" in there.files:
        return []
    return [
        f"{QUARANTINE} holds mail of an Amavis that mailroom did not set up ({', '.join(place.inside)} …), and "
        "quarantine_days would delete it; move it to another directory first"
    ]


def scripts(there: MailHost) -> list[str]:
    """Foreign Sieve scripts in the place of ours."""
    return [*_files(there, SCRIPTS), *_files(there, EXAMPLES)]


def _links(there: MailHost, checked: MailData) -> list[str]:
    return [
        f"{path} is a symbolic link to {target}, and mailroom would replace it by a file; put the file itself there"
        for path, target in there.links.items()
        if path != checked.tls_certificate or checked.tls_self_signed
    ]


def _mail_home(there: MailHost, checked: MailData) -> list[str]:
    """A directory that mail_uid owns is ours. An empty one of root's, such as a fresh mount point, may be taken."""
    path, place, file = checked.mail_home, there.places.get(checked.mail_home), there.files.get(checked.mail_home)
    if place is None or (file and file.kind == "directory" and place.uid == checked.mail_uid):
        return []
    instead = "set mail_home to a directory that does not exist yet, or to an empty one of root's"
    if file is None:
        return [
            f"mail_home {path} is a symbolic link to {place.real}, which does not exist; make that directory, or {instead}"
        ]
    if file.kind != "directory":
        return [f"mail_home {path} is a {file.kind}, not a directory; {instead}"]
    if place.package:
        return [f"mail_home {path} is a directory of the system (package {place.package}); {instead}"]
    inside = set(place.inside) - {"lost+found"}
    if place.uid == 0 and file.group == "root" and not inside and not int(file.mode, 8) & 0o022:
        return []
    what = f"with {', '.join(sorted(inside))} in it" if inside else f"with mode {file.mode}"
    return [
        f"mail_home {path} exists already ({file.user}:{file.group}'s, {what}), and mailroom did not make it; {instead}. "
        f"If it does hold this server's mail: chown -R {checked.mail_uid}:{checked.mail_gid} {path}"
    ]


def _members(there: MailHost, checked: MailData) -> list[str]:
    """A group that existed before its user lets its members read all mail. (`misfits` judges the user.)"""
    name = checked.mail_owner
    others = set(there.members.get(name, ())) - {name}
    if name not in there.groups or name in there.passwd or not others:
        return []
    return [
        f"the group {name} exists already, and its members would read all mail: {', '.join(sorted(others))}; choose another mail_owner "
        "and mail_gid"
    ]


def _pair(there: MailHost, checked: MailData) -> list[str]:
    """tls_self_signed replaces only a pair that it made. A run that died between the two files has left PATH.new beside them."""
    path, key = checked.tls_certificate, checked.tls_key
    if not checked.tls_self_signed:
        return []
    instead = "set tls_self_signed = False to let Postfix and Dovecot use it, or move it away"
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
        f"{name} is installed, {what}, and apt would remove it for ours; if that is meant, remove it first: apt-get remove {name}"
        for name, what in rivals.items()
        if name in there.packages
    ]


def clocks(there: MailHost, found: Platform) -> list[str]:
    """Programs that set the clock, and that installing chrony would remove."""
    return _packages(there, found.rivals.get("chrony", {}))


def _files(there: MailHost, folder: str) -> list[str]:
    """Foreign files in a directory of ours: a run would overwrite them, or make them unreadable to their users."""
    place, file = there.places.get(folder), there.files.get(folder)
    if not place or not file:
        return []
    if file.kind != "directory":
        return [f"{folder} is a {file.kind}, and mailroom needs a directory of that name; move it away"]
    inside = [path for path, one in there.files.items() if _folder(path) == folder and one.kind.startswith("regular")]
    # A directory with one of our files is ours; the operator may keep own files beside them. UNDER_WAY: a killed run's leftovers.
    if not inside or any(_folder(path) == folder for path in there.made) or all(map(UNDER_WAY.search, inside)):
        return []
    return [
        f"{folder} holds files that mailroom did not make ({', '.join(sorted(inside))}); move them to another directory: "
        "this one is for mailroom's"
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
        f"Postfix handles mail here already ({', '.join(serving)}), and mailroom would replace those settings; take a fresh host, or "
        "remove them from /etc/postfix first if they are not needed"
    ]


def _differs(there: MailHost, service: str) -> bool:
    """A submission service with other rules than ours. In the package's master.cf it is a comment."""
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
        f"Dovecot was set up here before ({', '.join(edited[:5])}), and mailroom would switch those settings off; take a fresh "
        "host, or, if they are not needed, remove Dovecot with its settings first: apt-get purge dovecot-core"
    ]


def _role(there: MailHost, checked: MailData) -> list[str]:
    """Our role has our comment or our password, or our tables beside it."""
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
        else "it has another password"
    )
    return [
        f"PostgreSQL has a role mailreader that mailroom did not make ({why}), and a run would change its password and rights; rename it: "
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
    """Our database has our comment or our tables. An empty one of postgres's is left from a run that died."""
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
