"""The marks of chapter 5: what each step leaves in Dovecot's configuration, in Postfix's, and beside them."""

from __future__ import annotations

from notebooks.workbench.step.marks.kinds import PACKAGES, Landmark, dovecot_block

SIEVE = "/etc/dovecot/sieve"
CLOCK = (
    "cat /etc/chrony/sources.d/mailroom.sources; grep -hE '^(makestep|pool|server)' /etc/chrony/chrony.conf; "
    'echo "# chrony: $(systemctl is-active chrony)"; chronyc -n sources | grep -E \'^[\\^#]\' | sed "s/^/# /"'
)
DELIVERY = """echo '# main.cf'; postconf lmtp_destination_recipient_limit lmtp_destination_concurrency_limit smtputf8_enable
echo '# master.cf'; postconf -M lmtp/unix | awk '{print $1, $2, $3, $4, $5, $6, $7, $8, $9}'
echo '-- in the database'; ask "SELECT format('%s: %s', domain, transport) FROM transports ORDER BY 1" mail"""


def with_files(mark: Landmark, *names: str) -> Landmark:
    """What stands in dovecot.conf, and after it the scripts that go with it."""
    shown = "; ".join(
        f"if test -s {SIEVE}/{name}; then echo; echo '# {name}'; cat {SIEVE}/{name}; fi" for name in names
    )
    return Landmark(mark.done, f"{mark.now}; {shown}", mark.needs, mark.settings)


def block(name: str, effective: str, *needs: str) -> Landmark:
    return dovecot_block(name, effective, "sieve.install", *needs)


LANDMARKS = {
    "sieve.clock": Landmark("command -v chronyd && test -d /etc/chrony/sources.d", CLOCK, settings=True),
    "sieve.install": Landmark(
        "command -v sievec && test -x /usr/lib/dovecot/lmtp",
        PACKAGES.format(names="dovecot-lmtpd dovecot-sieve dovecot-managesieved"),
        ("dovecot.install",),
    ),
    "sieve.lmtp": block(
        "lmtp", "postmaster_address hostname lda_mailbox_autocreate lda_original_recipient_header", "dovecot.passdb"
    ),
    "sieve.delivery": Landmark(
        '[ "$(postconf -h lmtp_destination_recipient_limit)" = 1 ]',
        DELIVERY,
        ("postgresql.delivery", "sieve.lmtp"),
        settings=True,
    ),
    "sieve.sieve": block("sieve", "-n | grep -A4 -i sieve", "sieve.lmtp"),
    "sieve.spam": with_files(
        block("spam", "-n | grep -A2 -i sieve_before", "sieve.sieve", "dovecot.mailboxes"), "spam.sieve"
    ),
    "sieve.managesieve": block("managesieve", "protocols", "sieve.sieve"),
    "sieve.vacation": with_files(block("vacation", "-n | grep -i vacation", "sieve.sieve"), "examples/vacation.sieve"),
    "sieve.learning": with_files(
        block("learning", "-n | grep -i imapsieve", "sieve.sieve", "amavis.spamassassin"),
        "learn-spam.sieve",
        "learn-ham.sieve",
    ),
    "sieve.debugging": block("debugging", "-a | grep -E '^(mail_debug|log_debug)'"),
    "sieve.restart": Landmark(
        "block debugging",
        "systemctl is-active dovecot postfix chrony; ss -Hlnt 'sport = :143 or sport = :993 or sport = :4190'",
        ("dovecot.install", "sieve.install"),
    ),
}
