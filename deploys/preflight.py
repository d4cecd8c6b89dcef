"""Before the first change: do the data and this host allow a run? A refusal says why, and changes nothing."""

from collections.abc import Iterator
from typing import Any

from pyinfra import host, logger, state

from deploys import platforms
from deploys.beside import AMAVIS, beside
from deploys.context import DATA, PLATFORM, TOLD, data
from deploys.data import DataError, MailData, mail_data
from deploys.foreign import PLACES, WATCHED, foreign
from deploys.misfits import misfits
from deploys.paths import NGINX
from deploys.platforms import Platform
from deploys.restart import SHOWN
from deploys.told import told
from facts.mail_host import MailHost
from operations import acme, base, hold
from operations.base import look_at, mail_host
from operations.dovecot import dialect

PORTS = dict.fromkeys((25, 465, 587), "postfix") | {143: "dovecot", 993: "dovecot", 5432: "postgresql", 4190: "sieve"}
FREE_MB = 1024


def ready() -> bool:
    """Check everything, once a run. On a refusal: say why, take the host out of the run, return False."""
    if DATA in host.connector_data:
        return True
    if host in state.failed_hosts:
        return False
    _send_small_packets_at_once()
    problems = _check()
    if problems:
        for problem in problems:
            host.log_styled(f"refused: {problem}", fg="red", log_func=logger.error)
        host.log_styled("nothing was changed on this host", fg="red", log_func=logger.error)
        state.fail_hosts({host})
        return False
    for found in beside(mail_host(), data(), host.connector_data[TOLD]):
        hold.say(f"not mailroom's: {found}")
    return True


def _check() -> list[str]:
    try:
        checked = mail_data(host.data.dict(), host.name, host.connector_cls.data_meta)
    except DataError as error:
        return error.problems
    look_at(**reading(checked))
    there = mail_host()
    found = platforms.find(there.system)
    if found is None:
        return [platforms.instead(there.system)]
    problems = refusals(there, checked, found) + misfits(there, checked, found)
    if not problems:
        if there.pair.get("expired") and not checked.tls_self_signed:
            hold.say(f"{checked.tls_certificate} expired on {there.pair['expired']}, and clients refuse it; renew it")
        scheme = checked.password_scheme or found.password_scheme
        checked = checked.model_copy(update={"scheme": scheme})
        host.connector_data.update({DATA: checked, PLATFORM: found, TOLD: told(checked, found, there)})
    return problems


def reading(checked: MailData) -> dict[str, Any]:
    """What the one reading of a host has to read (`facts.mail_host.ReadMailHost`): all that the steps touch, on any system, since
    nobody knows yet which one it is; the certificate, which may be the operator's; and what others may have put beside ours."""
    known = {
        "mail_name": checked.hostname,
        "packages": platforms.every_package(),
        "owners": (checked.mail_owner, "amavis", str(checked.mail_uid), str(checked.mail_gid)),
        "texts": (
            checked.tls_certificate,
            f"{checked.tls_certificate}.new",
            acme.INSTALLED,
            NGINX,
            *filter(None, [checked.relayhost_ca]),
        ),
        "sums": (*WATCHED, f"{AMAVIS}*", checked.tls_key, checked.mail_home, SHOWN),
        "certificate": checked.tls_certificate,
        "key": checked.tls_key,
        "places": (checked.mail_home, *PLACES),
    }
    for system in platforms.different():
        for operation, given in told(checked, system, MailHost()):
            known = base.with_more(known, base.wanted(operation, given))
    return known


def refusals(there: MailHost, checked: MailData, found: Platform) -> list[str]:
    """Each reason not to run on this host, a sentence with the remedy; [] when there is none."""
    return [
        *_system(there, checked),
        *_ports(there, found),
        *_numbers(there, checked),
        *_pair(there, checked),
        *foreign(there, checked, found),
    ]


def _system(there: MailHost, checked: MailData) -> Iterator[str]:
    system, name = there.system, checked.hostname
    if system.get("uid") != "0":
        yield "the SSH user is not root; set ssh_user = 'root', or _sudo = True for this host in the inventory"
    if system.get("init") != "systemd":
        yield f"process 1 of this host is {system.get('init')}, not systemd; use a whole host"
    if not system.get("resolves", "").split():
        yield f"{name} does not resolve on this host; add an A record to DNS, or a line '<address> {name}' in /etc/hosts"
    if int(free := system.get("free_mb") or FREE_MB) < FREE_MB:
        yield f"only {free} MB are free in /var, and packages and mail need at least {FREE_MB} MB; make room there"
    try:
        dialect(there.dovecot)
    except ValueError as error:
        yield f"{error}; install the distribution's own Dovecot, or use a host with {platforms.USE}"


def _ports(there: MailHost, found: Platform) -> Iterator[str]:
    for port, role in PORTS.items():
        daemon = found.packages.get(role, ("",))[0]  # "": of a chapter that has not been built for this system
        ours = daemon in there.packages or daemon in there.unfinished  # `unfinished`: a run of ours died inside apt
        if daemon and port in there.listeners and not ours:
            who = there.listeners[port] or "another program"
            yield f"port {port} is taken by {who}, and {role}, which needs it, is not installed yet; stop and remove that program first"


def _numbers(there: MailHost, checked: MailData) -> Iterator[str]:
    """mail_owner and its numbers belong together, as a user and as a group."""
    owner, users = checked.mail_owner, {name: user[0] for name, user in there.passwd.items()}
    for kind, id, wanted, taken in (
        ("user", "uid", checked.mail_uid, users),
        ("group", "gid", checked.mail_gid, there.groups),
    ):
        for name, number in taken.items():
            if number == wanted and name != owner:
                yield f"mail_{id} {number} belongs to the {kind} {name}; choose another number"
            if name == owner and number != wanted:
                yield f"the {kind} {name} exists with {id} {number}; set mail_{id} = {number}, or choose another mail_owner"


def _pair(there: MailHost, checked: MailData) -> Iterator[str]:
    """The operator's own certificate and key: there, and fit to serve."""
    if checked.tls_self_signed:
        return
    for path in (checked.tls_certificate, checked.tls_key):
        if path not in there.files:
            yield f"tls_self_signed is False, but {path} is not on the host; put it there, or fix the path"
    if problem := there.pair.get("problem"):
        yield f"{problem}; Postfix and Dovecot would start without TLS, or not at all; fix the pair first"


def _send_small_packets_at_once() -> None:
    """TCP_NODELAY on pyinfra's SSH connection: with Nagle's algorithm every small request waits for the peer's delayed
    acknowledgement, which doubled the time of a run. Other connectors (@local, @docker) have no such socket."""
    import socket

    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    sock = getattr(transport, "sock", None)
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
