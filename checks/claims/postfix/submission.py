"""What stands beside mailroom's settings and may overrule them or go around them: named, with the remedy (docs/ours.md)."""

from __future__ import annotations

import re

from checks import applied
from checks.model import Failed, Warned, check
from checks.sql import NEEDS, as_postgres
from checks.target import Target

# A finished host has none of these in main.cf: they decide who may send, where mail goes, who gets a copy.
NEVER = """always_bcc sender_bcc_maps recipient_bcc_maps smtpd_client_restrictions smtpd_helo_restrictions
    smtpd_end_of_data_restrictions smtpd_authorized_xclient_hosts smtpd_authorized_xforward_hosts
    smtpd_command_filter smtpd_sasl_exceptions_networks relayhost fallback_relay smtp_fallback_relay
    default_transport virtual_transport mailbox_transport mailbox_transport_maps mailbox_command_maps fallback_transport
    fallback_transport_maps luser_relay sender_dependent_relayhost_maps sender_dependent_default_transport_maps
    canonical_maps sender_canonical_maps recipient_canonical_maps smtp_generic_maps header_checks body_checks mime_header_checks
    nested_header_checks smtp_header_checks debug_peer_list soft_bounce permit_mx_backup_networks"""
# Overrides in master.cf, by the service they stand under; what only tunes (a limit, a name in the log) does not matter.
SUBMITTING = """syslog_name smtpd_tls_wrappermode smtpd_tls_security_level smtpd_sasl_auth_enable smtpd_sasl_type smtpd_sasl_path
    smtpd_relay_restrictions smtpd_sender_restrictions milter_macro_daemon_name content_filter smtpd_milters
    milter_default_action smtpd_tls_mandatory_exclude_ciphers tls_high_cipherlist local_header_rewrite_clients always_add_missing_headers
    notify_classes"""
OURS = {
    "smtp/inet": """content_filter smtpd_proxy_filter smtpd_proxy_options smtpd_command_filter smtpd_forbid_bare_newline
        cleanup_service_name notify_classes""",
    "cleanup/unix": "virtual_alias_maps",
    "cleanup-strangers/unix": "message_drop_headers",
    "cleanup-checked/unix": "message_drop_headers",
    "pickup/unix": "receive_override_options content_filter",
    "submission/inet": SUBMITTING,
    "submissions/inet": SUBMITTING,
    "smtp-amavis/unix": "smtp_send_xforward_command smtp_dns_support_level smtp_tls_security_level disable_mime_output_conversion",
    "127.0.0.1:10025/inet": """content_filter smtpd_proxy_filter receive_override_options mynetworks smtpd_client_restrictions
        smtpd_helo_restrictions smtpd_sender_restrictions smtpd_relay_restrictions smtpd_recipient_restrictions
        smtpd_data_restrictions smtpd_authorized_xforward_hosts smtpd_tls_security_level smtpd_milters
        smtpd_end_of_data_restrictions smtpd_command_filter smtpd_sasl_auth_enable smtpd_helo_required smtpd_forbid_bare_newline
        strict_rfc821_envelopes queue_minfree local_header_rewrite_clients cleanup_service_name""",
}
TUNING = re.compile(r"syslog_name|.*_(limits?|timeout|time|interval|loglevel|delay|size|weight|banner|rate)")
PARTS = """01-debian 05-domain_id 05-node_id 15-av_scanners 15-content_filter_mode 20-debian_defaults 21-ubuntu_defaults
    25-amavis_helpers 30-template_localization 40-policy_banks 50-user"""


@check(
    "postfix.restart.nothing_beside",
    "No other setting of main.cf decides who may send, or who gets a copy",
    negative=True,
    needs=("ssh",),
    remedy="postconf -X the parameter, if it is not meant; docs/ours.md.",
)
def main_cf(target: Target) -> str:
    lines = [line.partition("=") for line in target.shell("postconf -n").splitlines()]
    there = {name.strip(): value.strip() for name, _, value in lines}
    if found := [name for name in NEVER.split() if there.get(name)]:
        raise Warned(f"main.cf sets {', '.join(found)}")
    return f"none of {len(NEVER.split())} parameters is set"


@check(
    "postfix.submission.nothing_beside",
    "No other service of master.cf takes mail, and none has other rules than mailroom's",
    negative=True,
    needs=("ssh",),
    remedy="postconf -MX the service or -PX the override, if it is not meant; docs/ours.md.",
)
def master_cf(target: Target) -> str:
    entries = [line.split() for line in target.shell("postconf -M").splitlines()]
    found = [
        f"service {name}"
        for name, kind, command in ((words[0], words[1], words[7]) for words in entries)
        if f"{name}/{kind}" not in OURS and (kind == "inet" or command == "smtpd")
    ]
    for line in target.shell("postconf -P").splitlines():
        service, _, name = line.partition(" =")[0].rpartition("/")
        if service != "relay/unix" and name not in OURS.get(service, "").split() and not TUNING.fullmatch(name):
            found.append(f"override {service}/{name}")
    if found:
        raise Failed(", ".join(found))
    return f"{len(entries)} services, and mailroom's overrides alone"


@check(
    "dovecot.includes.nothing_beside",
    "No setting of dovecot.conf stands outside of mailroom's blocks",
    negative=True,
    needs=("ssh",),
    remedy="Take the line out: of two settings the last one counts; docs/ours.md.",
)
def dovecot_conf(target: Target) -> str:
    found, depth, block, seen = [], 0, "", set()
    for number, line in enumerate(map(str.strip, target.read("/etc/dovecot/dovecot.conf").splitlines()), 1):
        if mark := re.fullmatch(r"# (>>>|<<<) mailroom: (.+)", line):
            block = mark[2] if mark[1] == ">>>" and mark[2] not in seen else ""
            seen.add(mark[2])
        if not line or line.startswith("#"):
            continue
        if (
            not block
            and depth == 0
            and not re.match(
                r"dovecot_(config|storage)_version\b|!include_try /usr/share/dovecot/protocols\.d/|dict \{$|\}$", line
            )
        ):
            found.append(f"line {number}: {line.split('=')[0].strip()}")
        depth = max(0, depth + line.endswith("{") - line.startswith("}"))
    if found:
        raise Warned(", ".join(found[:5]))
    return f"{len(seen)} blocks, and the package's own lines"


@check(
    "postgresql.access.nothing_beside",
    "No line of pg_hba.conf lets anybody in without a password, or from elsewhere at the mail",
    negative=True,
    needs=NEEDS,
    remedy="Take the line out, then SELECT pg_reload_conf(); docs/ours.md.",
)
def pg_hba(target: Target) -> str:
    found = as_postgres(
        target,
        "SELECT 'line ' || line_number || ': ' || coalesce(error, auth_method) FROM pg_hba_file_rules WHERE error IS NOT NULL "
        "OR auth_method IN ('trust', 'password') OR EXISTS (SELECT FROM unnest(options) AS o WHERE o LIKE 'map=%') "
        "OR (address !~ '^(127\\.|::1|localhost|samehost)' AND auth_method <> 'reject' "
        "AND database && ARRAY['all', 'mail', 'sameuser', 'samerole', 'replication'])",
    )
    if found:
        raise Failed(", ".join(found.splitlines()))
    return as_postgres(target, "SELECT count(*) || ' lines' FROM pg_hba_file_rules")


@check(
    "postgresql.tables.nothing_beside",
    "Nobody but the role has rights on the tables, and nothing works behind them",
    negative=True,
    needs=NEEDS,
    remedy="REVOKE the rights, or drop what works there, if it is not meant; docs/ours.md.",
)
def tables(target: Target) -> str:
    inside = f"cd / && runuser -u postgres -- psql -XAtd {target.database} -v ON_ERROR_STOP=1"
    names = "('users', 'transports', 'aliases')"
    granted = target.shell(
        f"{inside} <<'EOF'\n"
        "WITH acl AS (SELECT relname, relacl AS a FROM pg_class UNION ALL SELECT relname || '.' || attname, attacl FROM "
        "pg_attribute JOIN pg_class AS c ON c.oid = attrelid) "
        "SELECT DISTINCT coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC') || ' on ' || relname "
        f"FROM acl, aclexplode(a) WHERE split_part(relname, '.', 1) IN {names} AND grantee <> 'postgres'::regrole "
        f"AND (grantee = 0 OR grantee <> '{target.role}'::regrole OR privilege_type <> 'SELECT' OR relname LIKE '%.%')\nEOF"
    )
    behind = target.shell(
        f"{inside} <<'EOF'\n"
        "SELECT 'function ' || p.oid::regproc FROM pg_proc AS p WHERE prosecdef AND pronamespace::regnamespace::text NOT IN "
        "('pg_catalog', 'information_schema') UNION ALL "
        f"SELECT 'trigger ' || tgname FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid WHERE NOT tgisinternal AND relname IN {names} "
        f"UNION ALL SELECT 'table ' || c.oid::regclass FROM pg_class AS c WHERE relname IN {names} "
        "AND relkind IN ('r', 'v', 'm', 'f', 'p') "
        "AND relnamespace <> 'public'::regnamespace UNION ALL SELECT 'default rights' FROM pg_default_acl UNION ALL "
        "SELECT 'settings of a role' FROM pg_db_role_setting WHERE setdatabase <> 0 "
        f"OR setrole = '{target.role}'::regrole\nEOF"
    )
    if granted:
        raise Failed(f"rights of {', '.join(granted.splitlines())}")
    if behind:
        raise Warned(", ".join(behind.splitlines()))
    return f"{target.role} may SELECT, and nobody else anything"


@check(
    "postgresql.delivery.nothing_beside",
    "No row of transports leads our domains' mail to another server",
    negative=True,
    needs=NEEDS,
    remedy="DELETE the row from transports and run the deploy again, if it is not meant.",
)
def transports(target: Target) -> str:
    inside = f"cd / && runuser -u postgres -- psql -XAtd {target.database}"
    rows = target.shell(f"{inside} -c 'SELECT domain, transport FROM transports'").splitlines()
    if found := [row for row in rows if row.partition("|")[2] not in ("virtual:", "lmtp:unix:private/dovecot-lmtp")]:
        raise Warned(", ".join(row.partition("|")[0] for row in found))
    return f"{len(rows)} domains, delivered here"


@check(
    "amavis.amavis.nothing_beside",
    "No file overrules Amavis's settings, and no sender is welcome by his address alone",
    negative=True,
    needs=("ssh",),
    remedy="Take the file out, or move its lines to 50-user; for senders there is welcomelist_auth.",
)
def workers(target: Target) -> str:
    applied.filtering(target)
    names = target.shell("ls /etc/amavis/conf.d").split()
    found = [
        name for name in names if re.fullmatch(r"[\w-]+", name) and "mailroom" not in name and name not in PARTS.split()
    ]
    found += target.shell(
        "grep -nsE '^[[:space:]]*(whitelist|welcomelist)_from[[:space:]]' /etc/spamassassin/*.cf | cut -d: -f1,2",
        may_fail=True,
    ).split()
    if found:
        raise Warned(", ".join(found))
    return f"{len(names)} parts, the package's and mailroom's"


@check(
    "host.ports.nothing_beside",
    "No drop-in of somebody else's changes what the mail server's daemons run",
    negative=True,
    needs=("ssh",),
    remedy="Look whether it has to; if not, remove it and run systemctl daemon-reload.",
)
def units(target: Target) -> str:
    found = target.shell(
        "for unit in postfix postfix@ postgresql postgresql@ dovecot amavis clamav-daemon chrony; do for path in "
        "/etc/systemd/system/$unit.service /etc/systemd/system/$unit.service.d/*.conf "
        "/etc/systemd/system/$unit*-main.service.d/*.conf; do "
        "case $path in */mailroom*|*/extend.conf) ;; *) "
        "[ -f $path ] && [ ! -L $path ] && grep -lE "
        "'^ *(Exec[A-Za-z]+|User|Group|Environment[A-Za-z]*|Root[A-Za-z]+|Bind[A-Za-z]*) *=' $path ;; "
        "esac; done; done | sort -u",
        may_fail=True,
    )
    if found:
        raise Warned(", ".join(found.split()))
    return "the packages' units, and mailroom's drop-ins"
