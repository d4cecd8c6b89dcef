"""Postfix runs with all of this: a first message, no complaint, and no setting of somebody else's."""

from checks.clients import host, incoming, mail, tls
from checks.engine import Target, Warned, claim, negative

# A finished host has none of these in main.cf: they decide who may send, where mail goes, who gets a copy.
NEVER = """always_bcc sender_bcc_maps recipient_bcc_maps smtpd_client_restrictions smtpd_helo_restrictions
    smtpd_end_of_data_restrictions smtpd_authorized_xclient_hosts smtpd_authorized_xforward_hosts
    smtpd_command_filter smtpd_sasl_exceptions_networks relayhost fallback_relay smtp_fallback_relay
    default_transport virtual_transport mailbox_transport mailbox_transport_maps mailbox_command_maps fallback_transport
    fallback_transport_maps luser_relay sender_dependent_relayhost_maps sender_dependent_default_transport_maps
    canonical_maps sender_canonical_maps recipient_canonical_maps smtp_generic_maps header_checks body_checks mime_header_checks
    nested_header_checks smtp_header_checks debug_peer_list soft_bounce permit_mx_backup_networks"""
RELAYED = {"relayhost", "default_transport"}  # but for chapter 6's relay, which has a name of its own


@claim("Postfix takes a first letter from a stranger", needs="elsewhere ssh smtp postgresql", remedy=mail.TRACE)
def first_mail(target: Target) -> str:
    mark, message = mail.compose(target, target.stranger, f"postmaster@{target.hostname}")
    answer = mail.bring(target, "", f"postmaster@{target.hostname}", message)
    # It goes on to the postmaster's mailbox, which chapter 2 makes. Until then it waits in the
    # queue, for nobody and under a new id (local(8) sends it on): take it out, wherever it is.
    # Only what has been put off: what is in incoming or active may be delivered while it is taken out.
    # https://www.postfix.org/postqueue.1.html
    queued = """postqueue -j | sed -nE 's/.*"queue_name": "deferred", "queue_id": "([^"]+)".*/\\1/p'"""
    left = target.shell(
        f"end=$(($(date +%s) + {mail.DELIVERY:.0f})); while [ $(date +%s) -lt $end ]; do "
        f"file=$({incoming.files(target.mail_home, mark)} | head -n 1); "
        f'[ -n "$file" ] && {mail.REMOVED} && exit; '
        f"for id in $({queued}); do "
        f"postcat -qh $id 2>/dev/null | grep -qF -- '{mark}' && postsuper -d $id && exit; "
        "done; sleep 0.2; done; echo lost",
        may_fail=True,
        timeout=mail.DELIVERY + 10,
    )
    if left.endswith("lost"):
        raise Warned(f"{answer}, but it is neither in a mailbox nor in the queue")
    return answer


@claim("Postfix answers on port 25", provides="smtp")
def listens(target: Target) -> str:
    found = host.listens(target, 25, "postfix")
    with mail.smtp(target):
        return found


@claim("Postfix is started again when it dies", needs="ssh smtp", remedy=host.REVIVED)
def revived(target: Target) -> str:
    return host.revived(target, "cat /var/spool/postfix/pid/master.pid")


@negative(
    "No other setting of main.cf decides who may send, or who gets a copy",
    needs="ssh",
    remedy="postconf -X the parameter, if it is not meant; docs/ours.md.",
)
def nothing_beside(target: Target) -> str:
    lines = [line.partition("=") for line in target.shell("postconf -n").splitlines()]
    there = {name.strip(): value.strip() for name, _, value in lines}
    meant = RELAYED if there.get("default_transport") == "mailroom-relay" else set()
    if found := [name for name in NEVER.split() if there.get(name) and name not in meant]:
        raise Warned(f"main.cf sets {', '.join(found)}")
    return f"none of {len(set(NEVER.split()) - meant)} parameters is set"


@negative("No old certificate is still in Postfix's memory", needs="ssh smtp", remedy="systemctl restart postfix")
def certificate_loaded(target: Target) -> str:
    return tls.loaded(target, 25)


@negative("Postfix has not complained since it was started", needs="ssh smtp", remedy="journalctl -u 'postfix*' -p err")
def no_errors(target: Target) -> str:
    return host.complaints(target, "postfix", r"(fatal|panic|error): ")
