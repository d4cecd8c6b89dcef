"""Who is at home: the core services that all other checks stand on."""

from __future__ import annotations

import re

import psycopg2
from imapclient.exceptions import IMAPClientError

from checks import sql
from checks.mail import imap_bare, smtp, words
from checks.model import CannotStart, Failed, Skipped, check
from checks.target import Target

STATUS = "On the host: systemctl status {0}; journalctl -u {0} -n 20."


def listens(target: Target, port: int, unit: str) -> str:
    """Somebody accepts connections there, or the failure quotes what the host knows of it."""
    reason = target.vantage.probe(target.address, port)
    if reason:
        raise Failed(f"port {port}: {reason}{quoted(target, unit)}", STATUS.format(unit))
    return f"port {port} answers to {target.vantage.name}"


def quoted(target: Target, unit: str) -> str:
    """The unit's state and what its journal complains of, if the host can be asked."""
    try:
        state = target.shell(f"systemctl is-active {unit}", may_fail=True)
        # 'unit@*' because Debian 12's Postfix and PostgreSQL run as instances.
        journal = f"journalctl -q -n 30 --no-pager -o cat -u {unit} -u '{unit}@*' 2>/dev/null"
        lines = target.shell(journal, may_fail=True).splitlines()
    except (Failed, Skipped, CannotStart, OSError):
        return ""
    bad = [line for line in lines if re.search(r"error|fatal|panic|failed", line, re.I)]
    # The same complaint comes again with other numbers in it: once is enough.
    words = list({re.sub(r"\d+", "", line): line for line in bad or lines[-2:]}.values())[-3:]
    return "\n".join(["", f"{unit} is {state}; its journal says:" if words else f"{unit} is {state}", *words])


@check(
    "host.ssh.answers",
    "The mail host answers over SSH",
    provides="ssh",
    remedy="Start the host (the lab: `python -m lab up`), or correct --ssh-host.",
)
def ssh_answers(target: Target) -> str:
    return target.shell("uname -n; . /etc/os-release && echo $PRETTY_NAME").replace("\n", ", ")


@check("postfix.restart.listens", "Postfix answers on port 25", provides="smtp")
def smtp_listens(target: Target) -> str:
    found = listens(target, 25, "postfix")
    with smtp(target):
        return found


@check(
    "postfix.submission.listens",
    "Submission answers on port 587",
    provides="submission",
    needs=("smtp",),
    remedy="See `submission` in master.cf.",
)
def submission_listens(target: Target) -> str:
    found = listens(target, 587, "postfix")
    with smtp(target, 587, secure=False):
        return found


@check(
    "postfix.submissions.listens",
    "Submissions, TLS from the start, answers on port 465",
    provides="submissions",
    needs=("smtp",),
    remedy="See `submissions` in master.cf.",
)
def submissions_listens(target: Target) -> str:
    return listens(target, 465, "postfix")


@check("postgresql.install.answers", "PostgreSQL answers on the mail host", provides="postgresql")
def postgresql_answers(target: Target) -> str:
    if not target.shell("ls -d /etc/postgresql /var/lib/pgsql 2>/dev/null", may_fail=True):
        raise Skipped("PostgreSQL is not installed yet: that is chapter 2")
    try:
        # Nobody's password: a server that is ready says so by refusing.
        sql.connect(target, user=target.role, password="").close()
    except psycopg2.OperationalError as error:
        text = sql.words(error)
        if "starting up" in text or not ("authentication" in text or "password" in text):
            raise Failed(text + quoted(target, "postgresql"), STATUS.format("postgresql")) from error
    return "127.0.0.1:5432 answers"


@check("dovecot.start.listens", "Dovecot listens on 143 and 993", provides="dovecot")
def dovecot_listens(target: Target) -> str:
    return f"{listens(target, 143, 'dovecot')}; {listens(target, 993, 'dovecot')}"


# Between `includes` and `passdb` Dovecot has nobody to ask: it listens, shows its certificate on
# 993, and then says "BYE Auth process broken". So this is a service of its own.
@check(
    "dovecot.passdb.greets",
    "Dovecot greets, and offers STARTTLS",
    provides="imap",
    needs=("dovecot",),
    remedy=STATUS.format("dovecot"),
)
def imap_greets(target: Target) -> str:
    try:
        with imap_bare(target) as client:
            if not client.has_capability("STARTTLS"):
                raise Failed("143 does not offer STARTTLS", "ssl = required in dovecot.conf.")
            return client.welcome.decode(errors="replace")
    except (IMAPClientError, OSError) as error:
        raise Failed(words(error) + quoted(target, "dovecot")) from error
