"""What somebody changes beside us on a built server: a run puts it back or names it, and the checks see it. Whose each thing is
stands in docs/ours.md."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import checks
from checks.engine.target import Target
from lab import Host, inventory_data
from tests.faults.drifting import CONF, HBA, NAMES, SQL
from tests.live.support import MAILSERVER, LabHost, applied, fingerprint, pyinfra

Count = Callable[..., None]
NAMED = "not mailroom's: "

# What is ours entirely: the operation that puts it back, and how that is seen on the host.
PUT_BACK = {
    "a line inside our block": (
        f"sed -i 's/^ssl = required/ssl = yes/' {CONF}",
        "TLS",
        f"grep -c '^ssl = required' {CONF}",
    ),
    "an include switched on": (
        f"sed -i 's/^#!include_try local.conf/!include_try local.conf/' {CONF}",
        "Switch off conf.d",
        f"grep -c '^#!include_try local.conf' {CONF}",
    ),
    "a block twice": (
        f"sed -n '/^# >>> mailroom: cleartext/,/^# <<< mailroom: cleartext/p' {CONF} >>{CONF}.x; cat {CONF}.x >>{CONF}; rm {CONF}.x",
        "Cleartext logins",
        f"[ $(grep -c '^# >>> mailroom: cleartext' {CONF}) = 1 ] && echo 1",
    ),
    "our lines of pg_hba.conf": (
        f"sed -i 's/^host mail mailreader .*/#&/' {HBA}",
        "Lines of pg_hba.conf",
        f"head -n 2 {HBA} | grep -c '^host'",
    ),
    "relay for the world": (
        "postconf -e 'mynetworks=0.0.0.0/0'",
        "Set restrictions",
        "postconf -h mynetworks | grep -c '^127'",
    ),
    "mail for any local name": (
        "postconf -e local_recipient_maps=",
        "Whom the host's own names reach",
        "postconf -h local_recipient_maps | grep -c postmaster",
    ),
    "a submission that takes all": (
        "postconf -P submission/inet/smtpd_relay_restrictions=permit",
        "Overrides of submission",
        "postconf -P submission/inet/smtpd_relay_restrictions | grep -c sasl",
    ),
    "a map": (
        "echo x >>/etc/postfix/pgsql/senders.cf",
        "Map senders",
        "grep -c x$ /etc/postfix/pgsql/senders.cf | grep -c ^0",
    ),
    "a power of the role's": (
        f'{SQL} "ALTER ROLE mailreader CREATEROLE REPLICATION; GRANT pg_execute_server_program TO mailreader"',
        "Role mailreader",
        f"{SQL} \"SELECT count(*) FROM pg_roles WHERE rolname = 'mailreader' AND NOT (rolcreaterole OR rolreplication "
        "OR pg_has_role(oid, 'pg_execute_server_program', 'member'))\" -At",
    ),
    "rights of the role's and of everybody": (
        f'{SQL} "GRANT UPDATE (password) ON users TO mailreader; GRANT SELECT ON aliases TO PUBLIC"',
        "Tables",
        f"{SQL} \"SELECT NOT has_any_column_privilege('mailreader', 'users', 'UPDATE')\" -At | grep -c t",
    ),
    "rights on the schema": (
        f'{SQL} "GRANT CREATE ON SCHEMA public TO mailreader"',
        "Database mail",
        f"{SQL} \"SELECT NOT has_schema_privilege('mailreader', 'public', 'CREATE')\" -At | grep -c t",
    ),
    "an account's row": (
        f"{SQL} \"UPDATE users SET realname = 'Evil'\"",
        "Rows of users",
        f"{SQL} \"SELECT count(*) FROM users WHERE realname <> 'Evil'\" -At",
    ),
    "a part of Amavis's": (
        "echo '$final_virus_destiny = D_PASS; 1;' >>/etc/amavis/conf.d/60-mailroom",
        "Amavis's settings",
        "grep -c 'virus_destiny = D_PASS' /etc/amavis/conf.d/60-mailroom | grep -c ^0",
    ),
    "a key for everybody": (
        "chmod 644 /etc/amavis/mailroom-dkim/*/*",
        "The key of example.test",
        "stat -c %a /etc/amavis/mailroom-dkim/example.test/mailroom.pem | grep -c 640",
    ),
    "the host's letters by the strangers' road": (
        "postconf -P pickup/unix/content_filter=",
        "The filter of the host's own mail",
        "postconf -Ph pickup/unix/content_filter | grep -c 10027",
    ),
    "the mail open to all": ("chmod 777 /home/mail", "Directory of the mail", "stat -c %a /home/mail | grep -c 750"),
}


def test_what_is_put_beside_ours_is_named(mailserver: Host, target: Target, count: Count) -> None:
    """One prediction and one look of the checks see all of it, each by its own words; a run without it says nothing."""
    assert NAMED not in applied(MAILSERVER, "--dry").output
    clean = checks.run(target, only=["*.nothing_beside"])
    assert {one.verdict for one in clean} == {"pass"}, [(one.id, one.evidence) for one in clean]
    for name, one in NAMES.items():
        assert mailserver.run(one.done).returncode == 0, name
    try:
        output = pyinfra(MAILSERVER, "--dry").output
        lines = [line for line in output.splitlines() if NAMED in line]
        seen = {one.id: one for one in checks.run(target, only=["*.nothing_beside"])}
    finally:
        for one in NAMES.values():
            mailserver.run(one.back)
    said = [name for name, one in NAMES.items() if sum(one.said in line for line in lines) == 1]
    unseen = [name for name, one in NAMES.items() if name not in said or seen[one.seen].verdict not in ("warn", "fail")]
    count(
        "drift",
        "beside ours",
        mailserver.suite,
        injected=len(NAMES),
        put_back=0,
        named=len(said),
        refused=0,
        unseen=len(unseen),
    )
    assert not unseen, (unseen, lines, seen)
    assert all(seen[one.seen].remedy for one in NAMES.values())
    applied(MAILSERVER)  # daemons older than their files
    last = applied(MAILSERVER)
    assert last.changes == 0 and NAMED not in last.output, last.changed


def test_what_is_ours_is_put_back(mailserver: Host, count: Count) -> None:
    for name, (done, _, _) in PUT_BACK.items():
        assert mailserver.run(done).returncode == 0, name
    run = pyinfra(MAILSERVER)
    named = [name for name, (_, operation, _) in PUT_BACK.items() if any(operation in one for one in run.changed)]
    back = [
        name for name, (_, _, proof) in PUT_BACK.items() if re.match("[1-9]", mailserver.run(f"{proof} || true").stdout)
    ]
    unseen = sorted(set(PUT_BACK) - (set(named) & set(back)))
    figures = {
        "injected": len(PUT_BACK),
        "put_back": len(back),
        "named": len(named),
        "refused": 0,
        "unseen": len(unseen),
    }
    count("drift", "in ours", mailserver.suite, **figures)
    assert run.code == 0 and not unseen, (unseen, run.output[-3000:])
    assert applied(MAILSERVER).changes == 0


FOREIGN = {
    "a directory with data": (
        "mkdir -p /srv/photos; echo x >/srv/photos/one",
        "mail_home /srv/photos exists already",
        "rm -r /srv/photos",
    ),
    "a certificate": (
        "mkdir -p /etc/postfix/certs; openssl req -new -x509 -days 90 -newkey rsa:2048 -nodes -subj /O=Operator/CN=x"
        " -keyout /etc/postfix/certs/key.pem -out /etc/postfix/certs/cert.pem 2>/dev/null",
        "is the certificate of CN=x,O=Operator",
        "rm -r /etc/postfix",
    ),
    "a map": (
        "mkdir -p /etc/postfix/pgsql; echo x >/etc/postfix/pgsql/senders.cf",
        "/etc/postfix/pgsql/senders.cf",
        "true",
    ),
    "a group": (
        "groupadd -g 200 vmail; usermod -aG vmail nobody",
        "would read all mail: nobody",
        "gpasswd -d nobody vmail; groupdel vmail",
    ),
    "a link": (
        "echo 'root: me' >/etc/aliases.mine; ln -s aliases.mine /etc/aliases",
        "/etc/aliases is a symbolic link to",
        "rm /etc/aliases*",
    ),
}


def test_what_is_not_ours_is_refused(lab_host: LabHost, count: Count) -> None:
    """All at once, each by name, before the first change: the host keeps its bytes. It is the lab's client, which is bare."""
    host = lab_host("trixie", "client")
    for name, (done, _, _) in FOREIGN.items():
        assert host.run(done).returncode == 0, name
    try:
        inventory = Path(os.environ["MAILROOM_LAB_DIR"]) / "foreign.py"
        inventory.write_text(f"mail = [('client', {inventory_data(host.record)!r})]\n")
        before = fingerprint(host)
        run = pyinfra(MAILSERVER, "--data", "mail_home=/srv/photos", MAILROOM_INVENTORY=str(inventory.resolve()))
        after = fingerprint(host)
    finally:
        for _, _, back in FOREIGN.values():
            host.run(back)
    refused = [name for name, (_, said, _) in FOREIGN.items() if said in run.output]
    unseen = len(FOREIGN) - len(refused)
    count(
        "drift", "not ours", "trixie", injected=len(FOREIGN), put_back=0, named=0, refused=len(refused), unseen=unseen
    )
    assert run.code == 1 and not unseen and after == before, run.output
    assert "nothing was changed on this host" in run.output
