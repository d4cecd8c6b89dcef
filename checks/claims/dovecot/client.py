"""A mail client that has been given the settings card, and nothing else."""

from imapclient.exceptions import LoginError

from checks.clients import card, mail, pinned
from checks.clients.card import Card
from checks.engine import LAST, Failed, Target, Warned, claim, negative, once_a_run

NEEDS = "ssh imap submission submissions"
IMPOSTOR = "Find out who answers there: openssl s_client -connect HOST:993, from where you asked; is it a proxy, or another host?"


@claim(
    "A client with the card's settings alone logs in, sends and reads",
    remedy="python -m postmaster card shows the settings; does the name lead to this host, and does a firewall let the ports in?",
)
def works(target: Target) -> str:
    told, (user, password) = settings(target), target.account(0)
    here(target, told)
    trusting = pinned.Pinned(told.server, told.fingerprint)
    mark, message = mail.compose(target, user, user)
    for way in told.outgoing[1:]:
        with pinned.sender(target, way, trusting, user, password):
            pass
    for way in told.incoming[1:]:
        with pinned.reader(target, way, trusting, user, password):
            pass
    with pinned.reader(target, told.incoming[0], trusting, user, password) as client:
        try:
            with pinned.sender(target, told.outgoing[0], trusting, user, password) as session:
                session.sendmail(user, [user], message)
            if not mail.find(client, "INBOX", mark):
                raise Failed(f"sent on {told.outgoing[0].port}, and not there on {told.incoming[0].port}")
        finally:
            mail.remove(client, "INBOX", mark)
    return f"{', '.join(f'{way.port} {way.security}' for way in (*told.incoming, *told.outgoing))}; by the fingerprint"


@claim("The card has all that a client asks for, and no warning", remedy="See the steps tls, certificate and listener.")
def whole(target: Target) -> str:
    told = settings(target)
    if told.warnings or "PLAIN" not in told.authentication:
        raise Failed("; ".join(told.warnings) or f"AUTH: {' '.join(told.authentication) or 'none'}")
    return f"{len(told.ports)} ports, {' '.join(told.authentication)}, {told.fingerprint[:23]}…"


@negative("No impostor stands between a client and the card's ports", needs="elsewhere", remedy=IMPOSTOR)
def no_impostor(target: Target) -> str:
    told = settings(target)
    here(target, told)
    for way in (*told.incoming, *told.outgoing):
        pinned.compared(target, way, pinned.Pinned(told.server, told.fingerprint))
    return f"{told.fingerprint[:23]}… on {', '.join(map(str, told.ports))}"


@negative(
    "A user name without its domain is refused",
    needs="elsewhere login",
    order=LAST,
    remedy="Take auth_default_realm (2.3) or auth_default_domain (2.4) out of dovecot.conf.",
)
def wrong_name(target: Target) -> str:
    told, (user, password) = settings(target), target.account(0)
    here(target, told)
    name = user.partition("@")[0]
    try:
        with pinned.reader(target, told.incoming[0], pinned.Pinned(told.server, told.fingerprint), name, password):
            raise Failed(f"{name} logged in without a domain")
    except LoginError as error:
        return mail.words(error)


@once_a_run
def settings(target: Target) -> Card:
    return card.read(target, target.foo)


def here(target: Target, told: Card) -> None:
    """Raises Warned where the card's name cannot be found from here, though its host answers by its address."""
    port = told.incoming[0].port
    if (why := target.vantage.probe(told.server, port)) and not target.vantage.probe(target.address, port):
        raise Warned(
            f"{told.server}, port {port}: {why}; {target.address} does answer",
            f"A client finds the server by its name: DNS has to lead {told.server} to it.",
        )
