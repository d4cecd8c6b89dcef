"""Break-it exercises, for lab hosts: break something on purpose, find it with verify(), mend it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from notebooks.workbench.host import remote, where
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble

SQL = "/etc/dovecot/dovecot-sql.conf"
AUTH = "/var/spool/postfix/private/auth"
CERTS = "/etc/postfix/certs"


@dataclass(frozen=True)
class Breakage:
    riddle: str  # what the learner is told
    verify: str  # the step whose proof finds it
    harm: str
    cure: str


HATCH = "/var/spool/postfix/private/dovecot-lmtp"
ORDERS = "/etc/amavis/conf.d/62-mailroom-clamav"

BREAKAGES = {
    "postgresql": Breakage(
        "Nobody can log in any more, and mail for us waits.",
        "postgresql.restart",
        "systemctl stop postgresql 'postgresql@*'",
        "systemctl start postgresql",
    ),
    "socket": Breakage(
        "People can read their mail, but nobody can send.",
        "dovecot.listener",
        f"chown root:root {AUTH} && chmod 0600 {AUTH}",
        "systemctl restart dovecot",
    ),
    "certificate": Breakage(
        "Every mail client warns about the server today. Yesterday it did not.",
        "postfix.certificate",
        f"umask 077; cp -a {CERTS} {CERTS}.whole && cat >{CERTS}/both && sed -n '/KEY/,/KEY/p' {CERTS}/both >{CERTS}/key.pem && "
        f"sed -n '/CERT/,/CERT/p' {CERTS}/both >{CERTS}/cert.pem && rm {CERTS}/both && systemctl restart postfix dovecot",
        f"[ ! -d {CERTS}.whole ] || {{ rm -rf {CERTS} && mv {CERTS}.whole {CERTS} && systemctl restart postfix dovecot; }}",
    ),
    "password": Breakage(
        "Dovecot runs, PostgreSQL runs, and still nobody can log in.",
        "dovecot.sql",
        f"cp -a {SQL} {SQL}.whole && sed -i -E 's/(password ?= ?).*/\\1not-the-password/' {SQL} && systemctl restart dovecot",
        f"[ ! -f {SQL}.whole ] || {{ mv {SQL}.whole {SQL} && systemctl restart dovecot; }}",
    ),
    "scanner": Breakage(
        "Mail comes in, and reaches nobody. Nothing was refused.",
        "amavis.workers",
        "systemctl stop clamav-daemon.socket clamav-daemon.service",
        "systemctl start clamav-daemon.socket clamav-daemon.service && { postqueue -f || true; }",
    ),
    "orders": Breakage(
        "Nobody has noticed anything. That is the trouble with this one.",
        "amavis.clamav",
        f"cp -a {ORDERS} /root/62.whole && sed -i '/failure_is_fatal/d' {ORDERS} && systemctl restart amavis",
        f"[ ! -f /root/62.whole ] || {{ mv /root/62.whole {ORDERS} && systemctl restart amavis; }}",
    ),
    "hatch": Breakage(
        "People can read and send, but nobody gets new letters.",
        "sieve.lmtp",
        f"chown root:root {HATCH} && chmod 0600 {HATCH}",
        "systemctl restart dovecot && { postqueue -f || true; }",
    ),
}


def break_it(name: str = "") -> html.Shown:
    """Break one thing; without a name, the list of what can be broken."""
    if not name:
        return html.Table(
            ["break_it(…)", "what people will tell you"], [(key, one.riddle) for key, one in BREAKAGES.items()]
        )
    one = find(name)
    _on_lab(one.harm, stdin=_expired_pair() if name == "certificate" else "")
    return html.Note(one.riddle, f'Find out why. verify("{one.verify}") knows; mend("{name}") is the way out.', "warn")


def mend(name: str) -> html.Note:
    """Undo break_it(name); harmless where nothing is broken."""
    _on_lab(find(name).cure)
    return html.Note("Mended.", f'verify("{find(name).verify}") has the proof.', "good")


def find(name: str) -> Breakage:
    if name not in BREAKAGES:
        raise Trouble(f"Nothing here is called {name!r}.", remedy=f"break_it() lists: {', '.join(BREAKAGES)}")
    return BREAKAGES[name]


def _on_lab(script: str, stdin: str = "") -> None:
    where.lab_only(where.place(), "Breaking things on purpose")
    done = remote.execute(script, stdin=stdin)
    if done.code:
        raise NotReady("That could not be done.", done.both, "factory() shows what is there; the chapter comes first")


def _expired_pair() -> str:
    """A key and a certificate that ended yesterday. Made here, for the lab; the host's own pair is put aside."""
    here = where.place()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, here.fqdn)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=31)).not_valid_after(
        now - datetime.timedelta(days=1)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(here.fqdn)]), critical=False)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (private + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)).decode()
