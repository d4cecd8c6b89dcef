"""The host broken on purpose: its name, its ports, its programs."""

from tests.checks.breaks.base import Break, impostor, stranger

UNITS_BACK = "cp -a /root/kept/units/* /etc/systemd/system; systemctl daemon-reload"
BREAKS = {
    "a host without a name": Break(
        "hostname localhost", "postfix.host_name.fqdn postfix.host_name.no_placeholder", "hostname mx1.example.test"
    ),
    "doors of somebody else's": Break(
        stranger("strange-doors", "hello", 110, 5432),
        "host.ports.forbidden host.ports.expected dovecot.protocols.nothing_else postgresql.install.not_outside",
        "systemctl stop strange-doors",
    ),
    "another mail server": Break(
        "cp /bin/sleep /root/exim4; systemd-run -q --unit=strange-mailer /root/exim4 600",
        "postfix.install.only_postfix",
        "systemctl stop strange-mailer",
    ),
    "programs of another age": Break(
        "; ".join((impostor("psql", "echo 12.3"), impostor("dovecot", "echo 2.2.36"), impostor("doveadm", "exit 1"))),
        "postgresql.install.version dovecot.install.version dovecot.schemes.known dovecot.passdb.finds dovecot.sql.lists "
        "dovecot.sql.unknown dovecot.mail_owner.opens",
        "rm /usr/local/bin/psql /usr/local/bin/dovecot /usr/local/bin/doveadm",
    ),
    "nobody looks after them": Break(
        "rm -f /etc/systemd/system/*.service.d/mailroom-supervised.conf; systemctl daemon-reload",
        "postfix.restart.revived postgresql.install.revived dovecot.start.revived",
        UNITS_BACK,
        on_both=True,
    ),
}
