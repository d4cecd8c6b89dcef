"""Before the first change: do the data and this host allow a run? A refusal says why, and changes nothing."""

from typing import Any

from pyinfra import host, logger, state

from deploys import paths, platforms
from deploys.beside import AMAVIS, beside
from deploys.context import DATA, PLATFORM, TOLD, data
from deploys.data import DataError, MailData, mail_data
from deploys.foreign import PLACES, WATCHED, foreign
from deploys.misfits import misfits
from deploys.platforms import Platform
from deploys.told import told
from facts.mail_host import MailHost
from operations.base import look_at, mail_host
from operations.dovecot import dialect

PORTS = {
    25: "postfix",
    465: "postfix",
    587: "postfix",
    143: "dovecot",
    993: "dovecot",
    5432: "postgresql",
    4190: "sieve",
}
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
        _warn(f"not mailroom's: {found}")
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
            _warn(f"{checked.tls_certificate} expired on {there.pair['expired']}, and clients refuse it; renew it")
        scheme = checked.password_scheme or found.password_scheme
        checked = checked.model_copy(update={"scheme": scheme})
        host.connector_data.update({DATA: checked, PLATFORM: found, TOLD: told(checked, found, there)})
    return problems


def reading(checked: MailData) -> dict[str, Any]:
    """What the one reading of a host has to read (`facts.mail_host.ReadMailHost`): all that the steps touch, on any system, since
    nobody knows yet which one it is; the certificate, which may be the operator's; and what others may have put beside ours."""
    kept = [one for system in platforms.different() for one in told(checked, system, MailHost())]
    pair = (checked.tls_certificate, checked.tls_key)
    texts = dict.fromkeys((*paths.touched(kept, "edits"), pair[0], f"{pair[0]}.new"))
    watched = (*WATCHED, f"{AMAVIS}*")
    sums = [path for path in paths.touched(kept, "writes", "reads") if path not in texts]
    return {
        "mail_name": checked.hostname,
        "packages": platforms.every_package(),
        "units": platforms.every_unit(),
        "owners": (checked.mail_owner, "amavis"),
        "owner_ids": (checked.mail_uid, checked.mail_gid),
        "texts": tuple(texts),
        "sums": tuple(dict.fromkeys((*paths.not_among(sums, watched), *watched, pair[1]))),
        "pair": pair,
        "places": (checked.mail_home, *PLACES),
    }


def _warn(text: str) -> None:
    host.log_styled(text, fg="yellow", log_func=logger.warning)


def refusals(there: MailHost, checked: MailData, found: Platform) -> list[str]:
    """Each reason not to run on this host, a sentence with the remedy; [] when there is none."""
    system = there.system
    problems = []
    if system.get("uid") != "0":
        problems.append(
            "the SSH user is not root; set ssh_user = 'root', or _sudo = True for this host in the inventory"
        )
    if system.get("init") != "systemd":
        problems.append(f"process 1 of this host is {system.get('init')}, not systemd; use a whole host")
    if not system.get("resolves", "").split():
        problems.append(
            f"{checked.hostname} does not resolve on this host; add an A record to DNS, "
            f"or a line '<address> {checked.hostname}' in /etc/hosts"
        )
    if int(system.get("free_mb") or FREE_MB) < FREE_MB:
        problems.append(
            f"only {system['free_mb']} MB are free in /var, and packages and mail need at least {FREE_MB} MB; make room there"
        )
    try:
        dialect(there.dovecot)
    except ValueError as error:
        problems.append(f"{error}; install the distribution's own Dovecot, or use a host with {platforms.USE}")
    for port, role in PORTS.items():
        if role not in found.packages:  # a chapter that has not been built for this system
            continue
        daemon = found.packages[role][0]
        ours = daemon in there.packages or daemon in there.unfinished  # `unfinished`: a run of ours died inside apt
        if port in there.listeners and not ours:
            who = there.listeners[port] or "another program"
            problems.append(
                f"port {port} is taken by {who}, and {role}, which needs it, is not installed yet; stop and remove that program first"
            )
    for name, (uid, _, _, _) in there.passwd.items():
        if uid == checked.mail_uid and name != checked.mail_owner:
            problems.append(f"mail_uid {uid} belongs to the user {name}; choose another number")
        if name == checked.mail_owner and uid != checked.mail_uid:
            problems.append(
                f"the user {name} exists with uid {uid}; set mail_uid = {uid}, or choose another mail_owner"
            )
    for name, gid in there.groups.items():
        if gid == checked.mail_gid and name != checked.mail_owner:
            problems.append(f"mail_gid {gid} belongs to the group {name}; choose another number")
        if name == checked.mail_owner and gid != checked.mail_gid:
            problems.append(
                f"the group {name} exists with gid {gid}; set mail_gid = {gid}, or choose another mail_owner"
            )
    if not checked.tls_self_signed:
        for path in (checked.tls_certificate, checked.tls_key):
            if path not in there.files:
                problems.append(
                    f"tls_self_signed is False, but {path} is not on the host; put it there, or fix the path"
                )
        if problem := there.pair.get("problem"):
            problems.append(
                f"{problem}; Postfix and Dovecot would start without TLS, or not at all; fix the pair first"
            )
    return problems + foreign(there, checked, found)


def _send_small_packets_at_once() -> None:
    """TCP_NODELAY on pyinfra's SSH connection: with Nagle's algorithm every small request waits for the peer's delayed
    acknowledgement, which doubled the time of a run. Other connectors (@local, @docker) have no such socket."""
    import socket

    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    sock = getattr(transport, "sock", None)
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
