"""Files, users, roles and services in the place of ours that mailroom did not make: a run refuses them by name (docs/ours.md).

All of it happens before the first change. A host that mailroom built, or half built before a run died, is ours: our things
show it by their name, their first line, a comment in the database, or their exact form.
"""

import re
from collections.abc import Iterator

from deploys.data import MailData
from deploys.foreign_database import database, role
from deploys.platforms import Platform
from facts.mail_host import MailHost
from operations import acme, certificate
from operations.dovecot import CONF, foreign_settings

MAPS, SCRIPTS, EXAMPLES = "/etc/postfix/pgsql", "/etc/dovecot/sieve", "/etc/dovecot/sieve/examples"
QUARANTINE = "/var/lib/amavis/virusmails"
PLACES = (MAPS, SCRIPTS, EXAMPLES, QUARANTINE)
WATCHED = (f"{MAPS}/*.cf", f"{SCRIPTS}/*", f"{EXAMPLES}/*")  # where files of others may stand beside ours
UNDER_WAY = re.compile(r"\.\w{6}(\.svbin)?$")  # mktemp(1)'s names, as operations/files.py makes them
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
        *role(there, checked),
        *database(there),
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


def _links(there: MailHost, checked: MailData) -> Iterator[str]:
    for path, target in there.links.items():
        if path != checked.tls_certificate or checked.tls_self_signed:
            yield f"{path} is a symbolic link to {target}, and mailroom would replace it by a file; put the file itself there"


def _mail_home(there: MailHost, checked: MailData) -> Iterator[str]:
    """A directory that mail_uid owns is ours. An empty one of root's, such as a fresh mount point, may be taken."""
    path, place, file = checked.mail_home, there.places.get(checked.mail_home), there.files.get(checked.mail_home)
    if place is None or (file and file.kind == "directory" and place.uid == checked.mail_uid):
        return
    here = f"mail_home {path} is"
    instead = "set mail_home to a directory that does not exist yet, or to an empty one of root's"
    inside = set(place.inside) - {"lost+found"}
    if file is None:
        yield f"{here} a symbolic link to {place.real}, which does not exist; make that directory, or {instead}"
    elif file.kind != "directory":
        yield f"{here} a {file.kind}, not a directory; {instead}"
    elif place.package:
        yield f"{here} a directory of the system (package {place.package}); {instead}"
    elif place.uid != 0 or file.group != "root" or inside or int(file.mode, 8) & 0o022:
        what = f"with {', '.join(sorted(inside))} in it" if inside else f"with mode {file.mode}"
        yield (
            f"mail_home {path} exists already ({file.user}:{file.group}'s, {what}), and mailroom did not make it; {instead}. "
            f"If it does hold this server's mail: chown -R {checked.mail_uid}:{checked.mail_gid} {path}"
        )


def _members(there: MailHost, checked: MailData) -> Iterator[str]:
    """A group that existed before its user lets its members read all mail. (`misfits` judges the user.)"""
    name = checked.mail_owner
    others = set(there.members.get(name, ())) - {name}
    if name in there.groups and name not in there.passwd and others:
        yield (
            f"the group {name} exists already, and its members would read all mail: {', '.join(sorted(others))}; choose another "
            "mail_owner and mail_gid"
        )


def _pair(there: MailHost, checked: MailData) -> Iterator[str]:
    """tls_self_signed replaces only a pair that it made. A run that died between the two files has left PATH.new beside them."""
    path, key = checked.tls_certificate, checked.tls_key
    keys = there.text(acme.INSTALLED)  # what an authority signed for us is ours, too (chapter 6)
    halves = (there.text(path), there.text(f"{path}.new"))
    ours = [half for half in halves if certificate.made_here(half) or acme.installed(half, keys)]
    would = "tls_self_signed = True would replace it; set tls_self_signed = False to let Postfix and Dovecot use it, or move it away"
    if not checked.tls_self_signed:
        return
    if path in there.files and there.text(path) not in ours:
        yield f"{path} is {certificate.described(there.text(path))}, and {would}"
    elif (
        key in there.files
        and not _noted(there, keys)
        and not any(certificate.belongs(half, there.key_public) for half in ours)
    ):
        with_what = f"does not belong to {path}" if path in there.files else f"has no certificate at {path}"
        yield f"the key {key} {with_what}, and {would}"


def _noted(there: MailHost, keys: str | None) -> bool:
    """Whether a run of ours has put this key there, and died before it put the certificate."""
    return there.key_public in (keys or "").split()


def _packages(there: MailHost, rivals: dict[str, str]) -> Iterator[str]:
    for name, what in rivals.items():
        if name in there.packages:
            yield f"{name} is installed, {what}, and apt would remove it for ours; if that is meant, remove it first: apt-get remove {name}"


def clocks(there: MailHost, found: Platform) -> list[str]:
    """Programs that set the clock, and that installing chrony would remove."""
    return list(_packages(there, found.rivals.get("chrony", {})))


def _files(there: MailHost, folder: str) -> Iterator[str]:
    """Foreign files in a directory of ours: a run would overwrite them, or make them unreadable to their users."""
    place, file = there.places.get(folder), there.files.get(folder)
    if not place or not file:
        return
    if file.kind != "directory":
        yield f"{folder} is a {file.kind}, and mailroom needs a directory of that name; move it away"
        return
    inside = [path for path, one in there.files.items() if _folder(path) == folder and one.kind.startswith("regular")]
    # A directory with one of our files is ours; the operator may keep own files beside them. UNDER_WAY: a killed run's leftovers.
    if not any(_folder(path) == folder for path in there.made) and not all(map(UNDER_WAY.search, inside)):
        yield (
            f"{folder} holds files that mailroom did not make ({', '.join(sorted(inside))}); move them to another directory: "
            "this one is for mailroom's"
        )


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _postfix(there: MailHost) -> Iterator[str]:
    serving = [name for name in SERVING if not OUR_LOOKUP.search(there.main_cf.get(name, ""))]
    serving += [name for name in ("submission/inet", "submissions/inet") if _differs(there, name)]
    if serving and not ours(there):
        yield (
            f"Postfix handles mail here already ({', '.join(serving)}), and mailroom would replace those settings; take a fresh host, "
            "or remove them from /etc/postfix first if they are not needed"
        )


def _differs(there: MailHost, service: str) -> bool:
    """A submission service with other rules than ours. In the package's master.cf it is a comment."""
    rules = there.overrides.get(f"{service}/smtpd_relay_restrictions", "permit_sasl_authenticated,reject")
    return service in there.master_cf and rules != "permit_sasl_authenticated,reject"


def _dovecot(there: MailHost) -> Iterator[str]:
    text = there.text(CONF)
    if text is None or "# >>> mailroom" in text or ours(there):
        return
    if edited := [*there.edited, *(f"{CONF} ({what})" for what in foreign_settings(text))]:
        yield (
            f"Dovecot was set up here before ({', '.join(edited[:5])}), and mailroom would switch those settings off; take a fresh "
            "host, or, if they are not needed, remove Dovecot with its settings first: apt-get purge dovecot-core"
        )
