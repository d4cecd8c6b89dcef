"""The distribution's own upgrade under a mail server: what speaks against one, and what one has left behind.

An ordinary run on a host that has gone from Debian 12 to 13 finds dpkg stuck at a Dovecot that does not start on 2.3's text, and
PostgreSQL's databases in the cluster of 15. With these mended, the chapters go on as ever, in the new language.
https://doc.dovecot.org/latest/installation/upgrade/2.3-to-2.4.html
https://www.debian.org/releases/trixie/release-notes/upgrading.en.html
"""

from collections.abc import Iterator
from typing import Any

from pyinfra import host
from pyinfra.api import deploy

from deploys.context import TOLD
from deploys.platforms import PLATFORMS, Platform
from deploys.restart import SUPERVISED
from deploys.told import each
from facts.mail_host import MailHost
from operations import dovecot, release, services, upgraded
from operations.services import drop_in_path

FREE_MB = 2048  # the packages, and what they leave until they are configured
UPGRADE = "pyinfra inventory.py deploys/upgrade.py"


def left_behind(there: MailHost, system: Platform) -> list[str]:
    """What an upgrade has left, in words; [] on a host that needs none of this."""
    found: list[str] = []
    if system.managers != ("apt-get",):
        return found
    text = there.text(dovecot.CONF) or ""
    if there.dovecot and dovecot.language_of(text) not in ("", dovecot.dialect(there.dovecot)):
        found.append("Dovecot cannot read its text, which is of another release")
    if old := upgraded.older(there, version_of(system)):
        found.append(f"PostgreSQL's databases are in the cluster of {old.version}")
    for before in _before(system):
        if (
            before.postfix_unit != system.postfix_unit
            and (unit := there.units.get(before.postfix_unit))
            and unit.active
        ):
            found.append(f"Postfix runs in {before.postfix_unit}, the unit of {before.name}")
    return found


def _before(system: Platform) -> list[Platform]:
    """The releases of Debian before this one."""
    known = {int(version): one for (id, version), one in PLATFORMS.items() if id == "debian"}
    return [one for version, one in known.items() if version < max(v for v, other in known.items() if other == system)]


def half_way(there: MailHost) -> list[str]:
    """Why no chapter can be applied to a host whose upgrade has begun and has not ended; [] where none has."""
    name = there.system.get("codename", "")
    if release.begun(there):
        later = release.after(there)
        return [
            f"apt's sources name {later}, and this host is {name} still: an upgrade has begun here. Finish it: {UPGRADE}. Or, if "
            f"nothing was installed from {later} yet, name {name} in the sources again"
        ]
    if old := release.lagging(there):
        return [
            f"this host says it is {name}, and {', '.join(old)} is of the release before: finish its upgrade: {UPGRADE}"
        ]
    return []


def against(there: MailHost, origins: list[str]) -> Iterator[str]:
    """Each reason not to begin an upgrade, a sentence with the remedy. `origins` are those of apt's packages."""
    if not release.to_do(there):
        return
    if held := there.system.get("held", "").split():
        yield f"held back: {', '.join(held)}, and what depends on it could not be installed; apt-mark unhold {' '.join(held)}"
    if others := [one for one in origins if one and not one.startswith("Debian")]:
        yield (
            f"apt has packages from {', '.join(others)}, and nobody knows whether they fit the next release; switch these sources "
            "off in /etc/apt/sources.list.d, and on again behind the upgrade"
        )
    if loose := release.loose(there):
        yield f"apt's sources name {', '.join(loose)}, which is another release each time; name {there.system['codename']} there first"
    needed = _needed(there)
    if int(free := there.system.get("free_mb") or needed) < needed:
        yield f"{free} MB are free in /var, and an upgrade may need {needed}; make room there (apt clean is a beginning)"


def ahead(there: MailHost) -> str:
    """What an upgrade will do, how long it takes and what it needs, in a sentence; "" where there is nothing to do."""
    if not release.to_do(there):
        return ""
    free = there.system.get("free_mb") or "an unknown number of"
    return (
        f"{there.system['codename']} becomes {release.after(there)}: all packages are fetched first, while the daemons serve; "
        "then, for two to ten minutes, nobody can log in, and letters wait at their senders or in the queue. It may need "
        f"{_needed(there)} MB in /var, and {free} MB are free. The way back is a snapshot of the machine that you have made before"
    )


def _needed(there: MailHost) -> int:
    return FREE_MB + sum(one.size_mb for one in there.clusters.values())


def version_of(system: Platform) -> str:
    """PostgreSQL's version on a Debian release, "17": its unit has it."""
    return system.postgresql_unit.partition("@")[2].partition("-")[0]


def newest() -> Platform:
    """The Debian release that an upgrade leads to."""
    return PLATFORMS[max(key for key in PLATFORMS if key[0] == "debian")]


def _mend(system: Platform) -> None:
    """dpkg first: nothing can be installed before. Dovecot before PostgreSQL, as its text names the database."""
    told = host.connector_data[TOLD]
    upgraded.finished(name="What was begun is installed")
    blocks = {given["block"]: given["dialects"] for given in each(told, dovecot.block)}
    upgraded.language(name="Dovecot's text in its new language", blocks=blocks)  # first: it keeps the whole folder
    for given in each(told, dovecot.sql_conf):
        dovecot.sql_conf(**given)
    upgraded.cluster(name="PostgreSQL's databases in the new release's cluster", version=version_of(system))
    for before in _before(system):
        units = [
            one
            for one in (before.postfix_unit, before.postgresql_unit)
            if one not in (system.postfix_unit, system.postgresql_unit)
        ]
        ours = tuple(
            drop_in_path(f"{unit}.service", file) for unit in units for file in (SUPERVISED, "mailroom-resolver")
        )
        services.withdrawn(name=f"What the units of {before.name} had from us", files=ours)
        upgraded.unit(name="Postfix runs in this release's unit", old=before.postfix_unit, new=system.postfix_unit)


mend: Any = deploy("After an upgrade: what it left behind")(_mend)
