"""Whom Dovecot lets in: those in the database."""

from concurrent.futures import ThreadPoolExecutor
from shlex import quote

from imapclient.exceptions import IMAPClientError, LoginError

from checks.clients import host, mail
from checks.engine import LAST, Failed, Target, claim, negative


@claim(
    "Dovecot finds {foo} in the database, and {foo}'s mail on the disk",
    needs="ssh postgresql dovecot-sql imap",
    remedy="doveadm user {foo}@…, and journalctl -u dovecot.",
)
def finds(target: Target) -> str:
    found = target.shell(f"doveadm user {quote(target.foo)}")
    place = [
        line.split(maxsplit=1)[1] for line in found.splitlines() if line.startswith("mail") and target.mail_home in line
    ]
    if not place:
        raise Failed(f"no mail below {target.mail_home}: {found}")
    return place[0]


# Between `includes` and `passdb` Dovecot has nobody to ask: it listens, shows its certificate on
# 993, and then says "BYE Auth process broken". So this is a service of its own.
@claim("Dovecot greets, and offers STARTTLS", needs="dovecot", provides="imap", remedy=host.STATUS.format("dovecot"))
def greets(target: Target) -> str:
    try:
        with mail.imap_bare(target) as client:
            if not client.has_capability("STARTTLS"):
                raise Failed("143 does not offer STARTTLS", "ssl = required in dovecot.conf.")
            return client.welcome.decode(errors="replace")
    except (IMAPClientError, OSError) as error:
        raise Failed(mail.words(error) + host.last_words(target, "dovecot")) from error


@negative(
    "A wrong password is refused; so is an unknown user, alike",
    needs="elsewhere postgresql dovecot-sql imap imap-tls",
    order=LAST,
    remedy="Only the SQL passdb may be there: doveconf -n passdb.",
)
def wrong_password(target: Target) -> str:
    users = [target.foo, f"no-such-user@{target.domain}"]
    # At the same time: the server lets each failed login wait, on purpose.
    with ThreadPoolExecutor() as pool:
        known, unknown = pool.map(lambda user: attempt(target, user), users)
    if known != unknown:
        raise Failed(f"a known user hears {known!r}, an unknown one {unknown!r}")
    if not known.startswith("[AUTHENTICATIONFAILED]"):
        raise Failed(f"refused, but with: {known}")
    return known


def attempt(target: Target, user: str) -> str:
    with mail.imap(target) as client:
        try:
            client.login(user, "not-the-password")
        except LoginError as error:
            return mail.words(error)
    raise Failed(f"{user} logged in with a wrong password")
