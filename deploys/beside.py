"""Settings, services, rights and rows beside ours that may overrule or bypass them: a run names each with the remedy, and changes
none (docs/ours.md). Values are not shown: they may be secrets.
"""

import re
from collections.abc import Iterator
from typing import Any

from deploys.data import MailData
from deploys.told import Told, each
from facts.mail_host import MailHost
from operations import accounts, amavis, dovecot, postfix, relay, release
from operations.dovecot import CONF, foreign_settings
from operations.postgresql import rights

# Parameters that decide who may send, where mail goes, who gets a copy, and who is told. A step may set one of them; a clean host
# has no others.
_DECIDING = """always_bcc sender_bcc_maps recipient_bcc_maps
    smtpd_client_restrictions smtpd_helo_restrictions smtpd_sender_restrictions smtpd_relay_restrictions
    smtpd_recipient_restrictions smtpd_data_restrictions smtpd_end_of_data_restrictions smtpd_etrn_restrictions
    smtpd_restriction_classes smtpd_delay_reject smtpd_relay_before_recipient_restrictions smtpd_reject_unlisted_recipient
    smtpd_reject_unlisted_sender smtpd_sasl_auth_enable smtpd_sasl_type smtpd_sasl_path smtpd_sasl_exceptions_networks
    smtpd_authorized_xclient_hosts smtpd_authorized_xforward_hosts smtpd_command_filter smtpd_proxy_filter
    smtpd_milters non_smtpd_milters milter_header_checks smtpd_tls_security_level smtpd_tls_auth_only smtpd_upstream_proxy_protocol
    relay_domains relay_recipient_maps relay_transport relayhost fallback_relay smtp_fallback_relay
    default_transport local_transport virtual_transport mailbox_transport mailbox_transport_maps mailbox_command mailbox_command_maps
    fallback_transport fallback_transport_maps luser_relay local_recipient_maps transport_maps
    sender_dependent_relayhost_maps sender_dependent_default_transport_maps default_filter_nexthop
    virtual_alias_maps virtual_alias_domains virtual_mailbox_domains virtual_mailbox_maps
    canonical_maps sender_canonical_maps recipient_canonical_maps smtp_generic_maps local_header_rewrite_clients
    header_checks body_checks mime_header_checks nested_header_checks smtp_header_checks
    content_filter receive_override_options notify_classes debug_peer_list soft_bounce permit_mx_backup_networks
    authorized_submit_users authorized_verp_clients"""
DECIDING = frozenset(_DECIDING.split())
# Overrides that only tune are the operator's.
TUNING = re.compile(r"^(syslog_name|.*_(limits?|timeout|time|interval|loglevel|delay|size|weight|banner|rate))$")
STOCK_SERVICE = "smtp/inet"
STOCK_OVERRIDES = ("relay/unix/syslog_name", "relay/unix/smtp_fallback_relay")
AMAVIS = "/etc/amavis/conf.d/"
_PARTS = """01-debian 05-domain_id 05-node_id 15-av_scanners 15-content_filter_mode 20-debian_defaults 21-ubuntu_defaults
    25-amavis_helpers 30-template_localization 40-policy_banks 50-user"""
AMAVIS_PARTS = frozenset(_PARTS.split())
LOOPBACK = ("127.", "::1", "localhost", "samehost")


def beside(there: MailHost, checked: MailData, kept: Told) -> list[str]:
    """Each thing that is not mailroom's and may work against it, a sentence with the remedy; [] on a clean host."""
    return [
        *_dovecot(there, kept),
        *_main_cf(there, kept),
        *_services(there, kept),
        *_overrides(there, kept),
        *_amavis(there, kept),
        *_access(there),
        *_database(there),
        *_transports(there, checked, kept),
        *_sources(there),
        *(
            f"{path} overrules how its daemon runs; if it is not meant, remove it and run: systemctl daemon-reload"
            for path in there.units_of_others
        ),
        *_readers(there, checked),
    ]


def each_of(kept: Told, operation: Any, argument: str) -> set[str]:
    """What one operation was given as one of its arguments, each time."""
    return {given[argument] for given in each(kept, operation)}


def _dovecot(there: MailHost, kept: Told) -> Iterator[str]:
    names = {given["block"] for given in each(kept, dovecot.block)}
    text = there.text(CONF) or ""
    if "# >>> mailroom" not in text:  # nothing of ours is in it yet: `foreign` judges such a file
        return
    for what in foreign_settings(text, names):
        yield f"{CONF}, {what} is outside mailroom's blocks, and the last of two settings counts; remove it"


def _main_cf(there: MailHost, kept: Told) -> Iterator[str]:
    ours = {name for given in each(kept, postfix.main_cf) for name in given["settings"]}
    if each_of(kept, relay.no_road, "transport") & {there.main_cf.get("default_transport", "")}:
        ours |= relay.SETTINGS  # an earlier run's: this one takes them away
    for name in sorted(DECIDING - ours):
        if there.main_cf.get(name):
            yield f"main.cf sets {name}, which may bypass mailroom's settings; if it is not meant: postconf -X {name}"


def _services(there: MailHost, kept: Told) -> Iterator[str]:
    ours = {given["service"] for given in each(kept, postfix.master_cf)} | {STOCK_SERVICE}
    for service, entry in there.master_cf.items():
        words = entry.split()
        if service not in ours and (words[1] == "inet" or words[7:8] == ["smtpd"]):
            yield f"master.cf has a service {service} that takes mail beside mailroom's; if it is not meant: postconf -MX {service}"
        elif service == STOCK_SERVICE and words[7:8] != ["smtpd"]:
            yield f"master.cf runs {words[7]} as {service}, where mailroom means smtpd"


def _overrides(there: MailHost, kept: Told) -> Iterator[str]:
    ours = {f"{given['service']}/{name}" for given in each(kept, postfix.overrides) for name in given["settings"]}
    for given in each(kept, postfix.no_overrides):  # an earlier run's, which this one takes away
        named = {f"{given['service']}/{name}": value for name, value in given["settings"].items()}
        ours |= {name for name, value in named.items() if there.overrides.get(name) == value}
    services = {given["service"] for given in each(kept, postfix.master_cf)} | {STOCK_SERVICE}
    gone = each_of(kept, relay.no_service, "service")
    for name in there.overrides:
        if name.rpartition("/")[0] in gone:
            continue
        if name.rpartition("/")[0] not in services and "/inet/" in name:  # `_services` names such a service as a whole
            continue
        if name not in ours and name not in STOCK_OVERRIDES and not TUNING.match(name.rpartition("/")[2]):
            yield (
                f"master.cf has an override {name} that mailroom did not make, and it overrules main.cf; "
                f"if it is not meant: postconf -PX {name}"
            )


def _amavis(there: MailHost, kept: Told) -> Iterator[str]:
    ours = {given["dest"] for given in each(kept, amavis.part)}
    last = max(ours, default="")
    for path in sorted(path for path in there.files if path.startswith(AMAVIS) and path not in ours):
        name = path.removeprefix(AMAVIS)
        if name not in AMAVIS_PARTS and "mailroom" not in name and re.fullmatch(r"[\w-]+", name):
            order = (
                "is read after mailroom's parts and overrules them" if path > last else "is no part of the package's"
            )
            yield f"{path} {order}; remove it, or move the settings that have to stay to 50-user"
    for where in there.welcomed:
        yield f"{where} welcomes a sender by an address that anybody can forge; use welcomelist_auth or whitelist_auth"


def _access(there: MailHost) -> Iterator[str]:
    for rule in there.sql.get("hba") or ():
        where = f"{rule.get('file_name') or there.sql.get('hba_file')}, line {rule['line_number']}"
        address = str(rule.get("address") or "")
        if rule.get("error"):
            yield f"{where} cannot be read by PostgreSQL: {rule['error']}"
        elif rule["auth_method"] in ("trust", "password"):
            how = "without a password" if rule["auth_method"] == "trust" else "with an unprotected password"
            yield f"{where} lets in {how} (method {rule['auth_method']}); use scram-sha-256, or peer on a local line"
        elif rule.get("mapped"):
            yield f"{where} maps Unix users to roles of other names (map=, pg_ident.conf); make sure that none becomes postgres"
        elif address and not address.startswith(LOOPBACK) and rule["auth_method"] != "reject" and _reaches(rule):
            yield f"{where} lets {address} connect to the database mail; name the database that the line is meant for"


def _reaches(rule: dict[str, Any]) -> bool:
    return bool({"all", "mail", "sameuser", "samerole", "replication"} & set(rule.get("database") or ()))


def _database(there: MailHost) -> Iterator[str]:
    own = {"", "postgres", "mailreader"}
    for name in ("users", "transports", "aliases", "password_fingerprints"):
        table = there.sql.get("tables", {}).get(name, {})
        acls = [table.get("acl", ""), *(one.partition(" ")[2] for one in table.get("column_acl", ()))]
        for who in sorted({who for acl in acls for who in rights(acl)} - own):
            yield f"the role {who} has rights on the table {name} of the database mail; if it is not meant: REVOKE ALL ON {name} FROM {who}"
    for what in there.sql.get("hidden") or ():
        yield f"the database mail has {what}, which acts beside mailroom's tables and rights; if it is not meant, drop it"


def _transports(there: MailHost, checked: MailData, kept: Told) -> Iterator[str]:
    ours = {given["transport"] for given in each(kept, accounts.transports)}
    for domain, row in there.sql.get("transports", {}).items():
        if domain in checked.domains and row["transport"] not in ours:
            yield (
                f"the table transports sends mail for {domain} elsewhere than to this server's mailboxes, and mailroom keeps that; "
                f"if it is not meant: DELETE FROM transports WHERE domain = '{domain}', and run again"
            )


def _readers(there: MailHost, checked: MailData) -> Iterator[str]:
    for name in sorted(set(there.members.get(checked.mail_owner, ())) - {checked.mail_owner}):
        group = checked.mail_owner
        yield f"the user {name} is in the group {group} and may read all mail; if it is not meant: gpasswd -d {name} {group}"


def _sources(there: MailHost) -> Iterator[str]:
    """A name that is another release from one day on: then an ordinary `apt upgrade`, by night perhaps, begins Debian's upgrade."""
    if loose := release.loose(there):
        yield (
            f"apt's sources name {', '.join(loose)}: on the day of a new release an ordinary upgrade installs parts of it, and "
            f"Dovecot may not start; name {there.system.get('codename')} there (docs/upgrade.md)"
        )
