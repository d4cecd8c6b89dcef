"""Port 587, where users hand in mail; and no other service that takes any."""

import re

from checks.clients import host, mail
from checks.engine import Failed, Target, claim, negative

# Overrides in master.cf, by the service they stand under; what only tunes (a limit, a name in the log) does not matter.
SUBMITTING = """syslog_name smtpd_tls_wrappermode smtpd_tls_security_level smtpd_sasl_auth_enable smtpd_sasl_type smtpd_sasl_path
    smtpd_relay_restrictions smtpd_sender_restrictions milter_macro_daemon_name content_filter smtpd_milters
    milter_default_action smtpd_tls_mandatory_exclude_ciphers tls_high_cipherlist local_header_rewrite_clients always_add_missing_headers
    notify_classes"""
VERIFYING = "smtp_dns_support_level smtp_host_lookup smtp_tls_security_level smtp_tls_policy_maps smtp_tls_CAfile"
OURS = {
    "smtp/inet": """content_filter smtpd_proxy_filter smtpd_proxy_options smtpd_command_filter smtpd_forbid_bare_newline
        cleanup_service_name notify_classes""",
    "cleanup/unix": "virtual_alias_maps",
    "cleanup-strangers/unix": "message_drop_headers",
    "cleanup-checked/unix": "message_drop_headers",
    "pickup/unix": "receive_override_options content_filter",
    "smtp/unix": VERIFYING,
    "relay/unix": VERIFYING,
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


@claim("Submission answers on port 587", needs="smtp", provides="submission", remedy="See `submission` in master.cf.")
def listens(target: Target) -> str:
    found = host.listens(target, 587, "postfix")
    with mail.smtp(target, 587, secure=False):
        return found


@negative(
    "No other service of master.cf takes mail, and none has other rules than mailroom's",
    needs="ssh",
    remedy="postconf -MX the service or -PX the override, if it is not meant; docs/ours.md.",
)
def nothing_beside(target: Target) -> str:
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


@negative(
    "Without TLS, submission takes neither mail nor password",
    needs="elsewhere submission",
    remedy="smtpd_tls_security_level=encrypt for submission in master.cf.",
)
def tls_demanded(target: Target) -> str:
    with mail.smtp(target, 587, secure=False) as session:
        if session.has_extn("auth"):
            raise Failed("EHLO lists AUTH before STARTTLS")
        sent = mail.expect(session.docmd("MAIL", f"FROM:<{target.stranger}>"), "530 5.7.0", what="MAIL")
        # Nobody's password: this line does cross the network in the clear.
        auth = mail.log_in(session, "nobody", "nothing")
    return f"{sent}; {mail.expect(auth, '530 5.7.0', '538 5.7.0', '538 5.7.11', what='AUTH')}"
