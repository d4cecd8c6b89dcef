"""Break-it exercises, for lab hosts: break something on purpose, find it with verify(), repair it with mend()."""

from dataclasses import dataclass

from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble

SQL = "/etc/dovecot/dovecot-sql.conf"
AUTH, HATCH = "/var/spool/postfix/private/auth", "/var/spool/postfix/private/dovecot-lmtp"
CERTS = "/etc/postfix/certs"
ORDERS = "/etc/amavis/conf.d/62-mailroom-clamav"


@dataclass(frozen=True)
class Breakage:
    riddle: str  # what the learner is told
    verify: str  # the step whose proof finds it
    harm: str
    cure: str


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
        # the same certificate with the same key, valid until now; the host's own pair is put aside
        f"cp -a {CERTS} {CERTS}.whole && openssl x509 -in {CERTS}.whole/cert.pem -signkey {CERTS}.whole/key.pem -days 0 "
        f"-out {CERTS}/cert.pem && systemctl restart postfix dovecot",
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


@stoppable("It may be broken on {host} already, or half broken.", 'mend("{name}") puts it right in any case.')
def break_it(name: str = "") -> html.Shown:
    """Break one thing; without a name, the list of what can be broken. Trouble: no such name. NotAllowed: no lab host."""
    if not name:
        riddles = [(key, one.riddle) for key, one in BREAKAGES.items()]
        return html.Table(["break_it(…)", "what people will tell you"], riddles)
    one = find(name)
    _on_lab(one.harm)
    return html.Note(one.riddle, f'Find out why. verify("{one.verify}") knows; mend("{name}") is the way out.', "warn")


@stoppable("It may not be mended on {host} yet.", "{call} again; harmless where nothing is broken.")
def mend(name: str) -> html.Note:
    """Undo break_it(name); harmless where it is not broken."""
    _on_lab(find(name).cure)
    return html.Note("Mended.", f'verify("{find(name).verify}") has the proof.', "good")


def find(name: str) -> Breakage:
    if name not in BREAKAGES:
        raise Trouble(f"Nothing here is called {name!r}.", remedy=f"break_it() lists: {', '.join(BREAKAGES)}")
    return BREAKAGES[name]


def _on_lab(script: str) -> None:
    where.lab_only(where.place(), "Breaking things on purpose")
    done = remote.execute(script)
    if done.code:
        raise NotReady("That could not be done.", done.both, "factory() shows what is there; the chapter comes first")
