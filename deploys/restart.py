"""The daemons: when one is older than its files, it is restarted; when it dies, systemd starts it again."""

from pathlib import Path

from pyinfra import host

from deploys.context import TOLD, data, platform
from deploys.paths import read_by
from deploys.platforms import unit_of
from deploys.texts import filled
from operations import certificate, dovecot, postfix, services

SUPERVISED = "mailroom-supervised"
# With these a scanner counts as set up, and may be started.
CLAMAV_IS_SET_UP = services.drop_in_path("clamav-daemon.socket")
SHOWN = "/run/mailroom-certificate/shown"  # written when both daemons show the pair (templates/dovecot/certificate.sh)
AMAVIS_IS_SET_UP = "/etc/amavis/conf.d/60-mailroom"


def supervised(role: str) -> None:
    """systemd starts the daemon of a role again when it dies, and lets it do no more than it has to."""
    here = platform()
    unit = unit_of(here, role)
    text = filled(Path("systemd/mailroom-supervised.conf"), role=role, unit=unit, closed=here.closed)
    services.drop_in(name=f"systemd looks after {unit}", service=unit, text=text, file=SUPERVISED)


def files_of(role: str) -> tuple[str, ...]:
    """All that the chapters write and the daemon of a role reads: one that is older runs as somebody else would have it."""
    return read_by(host.connector_data.get(TOLD, []), role, unit_of(platform(), role))


def restart_workers() -> None:
    """Restart the scanners that are older than their files. Nothing where they are not installed, or not set up yet: a run may
    have died in between, and chapter 1 comes by here before chapter 3.
    """
    if data().antivirus:
        services.service(
            name="clamd runs with its current files",
            service="clamav-daemon",
            enabled_by="clamav-daemon.socket",
            files=files_of("clamav"),
            only_if_installed="clamav-daemon",
            only_with=CLAMAV_IS_SET_UP,
            check="clamd --version >/dev/null",
        )
    services.service(
        name="Amavis runs with its current files",
        service="amavis",
        files=files_of("amavis"),
        port=10024,
        only_if_installed="amavisd-new",
        only_with=AMAVIS_IS_SET_UP,
        check="amavisd test-config >&2",
    )


def restart_changed() -> None:
    """Restart the daemons that are older than their files. Nothing where they are not installed."""
    names = platform()
    known = data()
    if "amavis" in names.packages:
        restart_workers()
    pair = (known.tls_certificate, known.tls_key)
    again = {"read_again": pair, "told_by": SHOWN}  # whenever they were started
    services.service(
        name="Postfix runs with its current files",
        service=names.postfix_unit,
        enabled_by=names.postfix_enable,
        files=(*files_of("postfix"), *pair),
        **again,
        port=25,
        only_if_installed="postfix",
        check=f"postfix check && {postfix.LIMITS_AGREE} && {certificate.loads(*pair, postfix.MAIN_CF)}",
    )
    services.service(
        name="Dovecot runs with its current files",
        service=names.dovecot_unit,
        files=(*files_of("dovecot"), *pair),
        **again,
        port=143,
        only_if_installed=names.packages["dovecot"][0],
        check=f"doveconf -n >/dev/null && {certificate.loads(*pair, dovecot.CONF)}",
    )
