"""From Debian 12 to 13 in place: `pyinfra inventory.py deploys/upgrade.py`, and the ordinary deploy behind it.

Looks first, and refuses what it cannot carry through. What it has begun it goes on with when it is run again. Mail that comes
meanwhile waits at its sender or in the queue: what Postfix cannot look up or hand on is put off, and not refused.
"""

from pyinfra import host
from pyinfra.api import deploy

from deploys.preflight import ready
from deploys.step import refuse
from deploys.upgraded import against, ahead, mend, newest
from facts.origins import ReadOrigins
from operations import dovecot, hold, release, services, upgraded
from operations.base import mail_host


@deploy("Before: a way back, and all packages")
def before() -> None:
    release.kept(name="A way back: configuration and databases")
    release.current(name="The last state of the release that is here")
    release.named(name="apt's sources name the next release")
    release.downloaded(name="All packages are here")


@deploy("The packages of the next release")
def packages() -> None:
    release.installed(name="The packages of the next release")


@deploy("After: the daemons in their new language")
def after() -> None:
    services.service(
        name="Dovecot runs",
        service="dovecot",
        port=143,
        only_if_installed="dovecot-imapd",
        check=dovecot.RUNS,
        files=(dovecot.CONF,),
    )


if ready():
    if problems := list(against(mail_host(), host.get_fact(ReadOrigins))):
        refuse(*problems, "nothing was changed on this host")
    else:
        if words := ahead(mail_host()):
            hold.say(words)
        before()
        packages()
        mend(newest())
        after()
        if words:
            upgraded.let_go(name="What waited meanwhile is tried again")
