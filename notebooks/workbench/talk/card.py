"""The settings card of `python -m postmaster card`, for a notebook."""

from collections.abc import Sequence
from contextlib import closing

from checks.clients import card as cards
from checks.clients.card import Card, Way
from checks.engine.verdicts import Failed
from notebooks.workbench.host import where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.message.letters import full
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady
from postmaster import card as desk
from postmaster.model import NotFound

SECURITY = {cards.TLS: "SSL/TLS", cards.STARTTLS: "STARTTLS"}  # in the words of the clients' dialogues


class Shown(html.Shown):
    """The card as one hands it over the counter: what to type in, what to compare, what to open."""

    def __init__(self, card: Card) -> None:
        self.card = card

    def __str__(self) -> str:
        return desk.told(self.card)

    def body(self) -> str:
        card, said = self.card, dict(desk.rows(self.card))
        pairs = card.fingerprint.split(":")
        prints = "\n".join(":".join(pairs[n : n + 8]) for n in range(0, len(pairs), 8))
        columns = [
            ("incoming mail", self.server(card.incoming)),
            ("outgoing mail", self.server(card.outgoing)),
            (
                "fingerprint (SHA-256)",
                f"<pre>{prints}</pre>{listed(['signed by ' + said['signed by'][0], *said['certificate']])}",
            ),
            ("the firewall", listed(said["firewall"])),
        ]
        inner = "".join(
            f"<div class=col><div class=t>{name}</div><div class=in>{text}</div></div>" for name, text in columns
        )
        head = f"<b class=h>Settings for a mail client: {html.escape(card.user)}</b>"
        warnings = "".join(f"<div class=warn>! {html.escape(one)}</div>" for one in card.warnings)
        return html.box(f'{head}<div class="cols n4">{inner}</div>{warnings}', "warn" if card.warnings else "good")

    def server(self, ways: Sequence[Way]) -> str:
        first, *others = ways
        rows = {
            "server": first.server,
            "port": first.port,
            "security": SECURITY[first.security],
            "user name": self.card.user,
            "password": "normal password" if self.card.authentication else "none is taken yet",
        }
        more = "".join(html.dim(f"or port {way.port}, {SECURITY[way.security]}") for way in others)
        return (
            html.table([], [[f"<span class=dim>{key}</span>", html.escape(value)] for key, value in rows.items()])
            + more
        )


def listed(texts: Sequence[str]) -> str:
    return "".join(f"<div>{html.escape(text)}</div>" for text in texts)


@stoppable()
def card(who: str = "foo") -> Shown:
    """What a person types into a mail client, as the host itself has it, and the fingerprint to compare before accepting.

    NotReady: the host has no such account, or nobody can read or send there yet.
    """
    try:
        with closing(where.place().target()) as target:
            return Shown(desk.of(target, full(who)))
    except (NotFound, Failed, OSError) as error:
        raise NotReady("There is no card yet.", str(error), 'verify("dovecot.listener")', "notebook 04, 4.16") from None
