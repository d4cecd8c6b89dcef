"""What goes wrong on a mail host, each as a command on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab import Host, engine, hosts
from tests.live import traffic

UNITS = "postgresql clamav-daemon.socket clamav-daemon amavis dovecot mailroom-sender.socket postfix"


@dataclass(frozen=True)
class Fault:
    name: str
    command: str
    times: int = 3  # how often in a row: a process that is killed once may have been idle
    short: bool = False  # tried in `make test` too

    def inject(self, host: Host) -> None:
        """Do it; a fault that meets nobody is none, so it waits for a process that it can kill."""
        traffic.until(
            lambda: host.run(self.command, check=False).returncode == 0, f"there is something for {self.name}", 30
        )


@dataclass(frozen=True)
class HostKilled(Fault):
    """Every process of the host at once, and a boot. The page cache belongs to the machine below and stays: what a power
    cut takes with it, data that was written and not yet synced, a lab cannot lose."""

    def inject(self, host: Host) -> None:
        found = engine.find()
        found.run("kill", hosts.container(host.name))
        host.close()
        boot(host)


def boot(host: Host) -> None:
    """Start a host that stands still, with all that is on it."""
    found = engine.find()
    found.run("start", hosts.container(host.name), check=False)  # its restart policy may have been quicker
    hosts.wait(found, host.record)


def killed(name: str, find: str, **more: Any) -> Fault:
    """kill -9 of the processes whose ids `find` prints."""
    return Fault(f"kill -9 {name}", f'ids=$({find}) && [ -n "$ids" ] && kill -9 $ids', **more)


def postfix(name: str, **more: Any) -> Fault:
    return killed(f"Postfix {name}", f"pgrep -x -P $(cat /var/spool/postfix/pid/master.pid) {name}", **more)


def dovecot(name: str, **more: Any) -> Fault:
    return killed(f"Dovecot {name}", f"pgrep -x -P $(systemctl show -P MainPID dovecot) {name}", **more)


POSTMASTER = "head -qn1 /var/lib/postgresql/*/main/postmaster.pid"
KILLS = (
    killed("Postfix master", "cat /var/spool/postfix/pid/master.pid", times=1, short=True),
    postfix("smtpd"),
    postfix("cleanup"),
    postfix("qmgr", short=True),
    postfix("trivial-rewrite"),
    postfix("proxymap"),
    postfix("smtp"),
    postfix("lmtp"),
    postfix("tlsmgr"),
    postfix("anvil"),
    killed("Dovecot master", "systemctl show -P MainPID dovecot", times=1),
    dovecot("lmtp", short=True),
    dovecot("auth"),
    dovecot("anvil"),
    dovecot("log"),
    killed("amavis master", "systemctl show -P MainPID amavis", times=1),
    killed("amavis worker", "pgrep -P $(systemctl show -P MainPID amavis)"),
    killed("clamd", "systemctl show -P MainPID clamav-daemon", times=1),
    killed("PostgreSQL postmaster", POSTMASTER, times=1),
    killed("PostgreSQL backend", "pgrep -f '[p]ostgres: .*mailreader'", times=1, short=True),
    killed("the judge of From", "pgrep -f '[/]usr/local/lib/mailroom/sender'"),
    Fault("restart PostgreSQL", "systemctl restart postgresql", times=1),
    Fault("PostgreSQL away for 40 s", "systemctl stop 'postgresql*'; sleep 40; systemctl start postgresql", times=1),
    Fault("restart Dovecot", "systemctl restart dovecot", times=1),
    Fault("restart Postfix", "systemctl restart postfix", times=1),
    Fault("restart Amavis and clamd", "systemctl restart amavis clamav-daemon", times=1),
    HostKilled("the host killed and started", "", times=1),
)


def rescue(host: Host) -> str:
    """Start whatever is down; what it was."""
    down = host.run(f"for unit in {UNITS}; do systemctl is-active -q $unit || echo $unit; done", check=False).stdout
    host.run(f"systemctl reset-failed {UNITS}; systemctl start {UNITS}", check=False)
    return " ".join(down.split()) or "nothing"
