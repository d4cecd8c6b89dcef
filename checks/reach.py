"""Who is at home: the core services that all other checks stand on, and nobody else."""

from __future__ import annotations

import psycopg2
from imapclient.exceptions import IMAPClientError

from checks import sql
from checks.mail import imap_bare, smtp, words
from checks.model import CannotStart, Failed, Skipped, check
from checks.target import Target

OURS = {25, 465, 587, 143, 993}
FORBIDDEN = {24: "LMTP", 110: "POP3", 995: "POP3S", 4190: "ManageSieve", 5432: "PostgreSQL"}
OTHER_MAILERS = "exim4|exim|sendmail|opensmtpd|nullmailer-send|qmail-send|citserver"
STATUS = "On the host: systemctl status {0}; journalctl -u {0} -n 20."


def listens(target: Target, port: int, unit: str) -> str:
    """Somebody accepts connections there, or the failure quotes what the host knows of it."""
    reason = target.vantage.probe(target.address, port)
    if reason:
        raise Failed(f"port {port}: {reason}{quoted(target, unit)}", STATUS.format(unit))
    return f"port {port} answers to {target.vantage.name}"


def quoted(target: Target, unit: str) -> str:
    """The unit's state and last words, if the host can be asked."""
    try:
        state = target.shell(f"systemctl is-active {unit}", may_fail=True)
        # 'unit*' because Debian 12's Postfix runs as the instance postfix@-.
        words = target.shell(f"journalctl -q -n 3 --no-pager -o cat -u {unit} -u '{unit}@*' 2>/dev/null", may_fail=True)
    except (Failed, Skipped, CannotStart, OSError):
        return ""
    return f"\n{unit} is {state}; its journal ends:\n{words}" if words else f"\n{unit} is {state}"


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


@check(
    "host.ports.forbidden",
    "No port answers from outside that should not",
    negative=True,
    elsewhere=True,
    remedy="Stop the service, or bind it to 127.0.0.1; a firewall is second.",
)
def forbidden(target: Target) -> str:
    ports = {p: name for p, name in FORBIDDEN.items() if p not in target.also_ports}
    found = [
        f"{name} ({port})" for port, name in ports.items() if not target.vantage.probe(target.address, port, timeout=2)
    ]
    if found:
        raise Failed(f"{', '.join(found)} can be reached from {target.vantage.name}")
    return f"closed: {', '.join(f'{name} ({port})' for port, name in ports.items())}"


@check(
    "host.ports.expected",
    "Nothing else listens to the network",
    negative=True,
    needs=("ssh",),
    remedy="Stop it, bind it to 127.0.0.1, or name it with --also-port.",
)
def expected(target: Target) -> str:
    ssh_ports = target.shell("sshd -T 2>/dev/null | sed -n 's/^port //p'", may_fail=True).split()
    allowed = {*OURS, *target.also_ports, 22, *(int(port) for port in ssh_ports if port.isdigit())}
    unknown = [
        f"{address}:{port} {program}".strip()
        for address, port, program in listeners(target)
        if not address.startswith(("127.", "[::1]", "[::ffff:127.")) and port not in allowed
    ]
    if unknown:
        raise Failed(f"listening: {', '.join(unknown)}")
    return f"only {', '.join(str(port) for port in sorted(allowed))}"


def listeners(target: Target) -> list[tuple[str, int, str]]:
    """Address, port and program of everything that listens; a program may be hidden from us."""
    found = []
    for line in target.shell("ss -Hltnp").splitlines():
        fields = line.split()
        address, _, port = fields[3].rpartition(":")
        program = fields[5].split('"')[1] if len(fields) > 5 and '"' in fields[5] else ""
        found.append((address, int(port), program))
    return found


@check(
    "postfix.install.only_postfix",
    "No other mail server is on the host",
    negative=True,
    needs=("ssh", "smtp"),
    remedy="Remove the other mail server.",
)
def only_postfix(target: Target) -> str:
    other = target.shell(f"ps -eo comm= | grep -xE '{OTHER_MAILERS}'", may_fail=True)
    # Postfix's own master does not let even root see its sockets in a container.
    known = ("", "master")
    other += " ".join(p for _, port, p in listeners(target) if port == 25 and p not in known)
    if other:
        raise Failed(other)
    target.shell("postfix status")
    return "Postfix runs, and none of its rivals"


@check(
    "dovecot.install.only_dovecot",
    "The IMAP ports belong to Dovecot and to nobody else",
    negative=True,
    needs=("ssh", "dovecot"),
    remedy="Remove the other IMAP server.",
)
def only_dovecot(target: Target) -> str:
    owners = {port: program for _, port, program in listeners(target) if port in (143, 993)}
    if not owners or any(program != "dovecot" for program in owners.values()):
        raise Failed(
            ", ".join(f"{port}: {name or 'unknown'}" for port, name in owners.items())
            or "nobody listens on 143 and 993"
        )
    return ", ".join(f"{port}: {name}" for port, name in sorted(owners.items()))
