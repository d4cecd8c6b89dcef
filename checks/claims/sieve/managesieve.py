"""ManageSieve on 4190: a user's own scripts, over TLS and with the own password alone (RFC 5804)."""

import base64
import socket

from checks.clients import host, mail, managesieve, tls
from checks.engine import LAST, Failed, Target, claim, negative

SCRIPT = 'require "fileinto";\nif header :is "X-Mailroom" "check" { fileinto "Junk"; }\n'
BROKEN = 'require "fileinto";\nkeep;\nfileinto "Junk"\n'


@claim("ManageSieve answers on port 4190", needs="dovecot", provides="managesieve")
def listens(target: Target) -> str:
    return host.listens(target, managesieve.PORT, "dovecot")


@claim(
    "STARTTLS on 4190 shows the mail host's certificate",
    needs="managesieve imap-tls",
    remedy="ssl = required in dovecot.conf.",
)
def verified(target: Target) -> str:
    return tls.verified(target, managesieve.PORT)


@claim(
    "{bar} puts a script there, makes it the active one, and takes it away",
    needs="login managesieve",
    remedy="journalctl -u dovecot | grep managesieve",
)
def uploads(target: Target) -> str:
    with managesieve.session(target, 1) as client:
        for done in (client.putscript(managesieve.NAME, SCRIPT), client.setactive(managesieve.NAME)):
            if not done:
                raise Failed(client.words())
        active, _ = client.listscripts()
        if active != managesieve.NAME or "X-Mailroom" not in (client.getscript(managesieve.NAME) or ""):
            raise Failed(f"{active} is active")
        if (
            not client.setactive("")
            or not client.deletescript(managesieve.NAME)
            or managesieve.NAME in str(client.listscripts())
        ):
            raise Failed(f"it cannot be taken away: {client.words()}")
    return "PUTSCRIPT, SETACTIVE, GETSCRIPT, DELETESCRIPT"


@negative(
    "A broken script is refused, with its line",
    needs="login managesieve",
    remedy="journalctl -u dovecot | grep managesieve",
)
def broken(target: Target) -> str:
    with managesieve.session(target, 1) as client:
        if client.putscript(managesieve.NAME, BROKEN):
            raise Failed("taken")
        words = client.words()
    # the missing semicolon shows at the end of the script
    if "line 4" not in words and "line 3" not in words:
        raise Failed(f"refused, but without its line: {words}")
    return words


@negative(
    "Without TLS no password is asked for, and none is taken",
    needs="elsewhere managesieve",
    remedy="ssl = required in dovecot.conf.",
)
def starttls(target: Target) -> str:
    # Nobody's password: this line does cross the network in the clear.
    plain = base64.b64encode(b"\0nobody\0nothing").decode()
    with (
        socket.create_connection(
            target.vantage.endpoint(target.address, managesieve.PORT), timeout=mail.PATIENCE
        ) as sock,
        sock.makefile("rb") as lines,
    ):
        greeting = managesieve.answer(lines)
        if any(line.upper().startswith('"SASL" "') and line.upper() != '"SASL" ""' for line in greeting):
            raise Failed(f"it offers {next(line for line in greeting if 'SASL' in line)} before STARTTLS")
        sock.sendall(f'AUTHENTICATE "PLAIN" "{plain}"\r\n'.encode())
        last = managesieve.answer(lines)[-1]
    if not last.startswith("NO") or "ENCRYPT-NEEDED" not in last:
        raise Failed(f"AUTHENTICATE in the clear: {last}")
    return last


@negative("A client that wants another host is warned", needs="managesieve", remedy=tls.RENEW)
def other_name(target: Target) -> str:
    return tls.other_name_refused(target, managesieve.PORT)


@negative(
    "A wrong password is refused there too",
    needs="elsewhere login managesieve",
    order=LAST,
    remedy="Only the SQL passdb may be there: doveconf -n passdb.",
)
def wrong_password(target: Target) -> str:
    client = managesieve.Client(target)
    try:
        if client.connect(target.foo, "not-the-password", starttls=True):
            raise Failed("logged in with a wrong password")
        if b"AUTHENTICATIONFAILED" not in client.errcode + client.errmsg and b"uthentication" not in client.errmsg:
            raise Failed(f"refused, but with: {client.words()}")
        return client.words()
    finally:
        client.sock.close()


@negative("4190 refuses what a stolen key would open later", needs="managesieve", remedy=tls.DOVECOT_SUITES)
def forward_secrecy(target: Target) -> str:
    return tls.suites_refused(target, f"{tls.ANONYMOUS}:{tls.WEAK}", 4190)
