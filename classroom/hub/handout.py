"""The handout: a page to print, with a card for each learner to cut out. Whoever has a card can sign in by it."""

from html import escape
from pathlib import Path
from urllib.parse import quote, urlsplit

import segno

from classroom.hub import certificate, tokens
from classroom.people import Learner
from lab import state

FILE = "handout.html"
STYLE = (Path(__file__).parent / "handout.css").read_text()


def link(address: str, name: str, token: str) -> str:
    """The page on which a learner signs in. Behind the # it is for the browser alone: no server and no log gets it."""
    return f"{address}/hub/login#{quote(f'{name}/{token}')}"


def write(learners: list[Learner], address: str) -> Path:
    """The page, in the hub's folder and for its owner only."""
    state.write(FILE, page(learners, address), mode=0o600, folder=tokens.folder())
    return tokens.folder() / FILE


def page(learners: list[Learner], address: str) -> str:
    issued, proof = tokens.known(), certificate.fingerprint(tokens.folder())
    cards = "".join(card(one, address, issued[one.name], proof) for one in learners if one.name in issued)
    local = urlsplit(address).hostname in ("127.0.0.1", "localhost")
    note = (
        "This address leads to the machine that runs the class, from itself only. "
        "For cards that other machines can use: <code>python -m classroom hub up --address https://NAME:8443</code>"
        if local
        else f"{len(learners)} cards. Print, cut, and give each to its learner alone: who has a card can sign in by it."
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="referrer" content="no-referrer"><title>Cards of the class</title><style>{STYLE}</style><body>'
        f'<p class="note{" local" if local else ""}">{note}</p><main>{cards}</main></body></html>\n'
    )


def card(learner: Learner, address: str, token: str, proof: str) -> str:
    code = segno.make(link(address, learner.name, token), error="m", micro=False)
    picture = code.svg_inline(
        scale=4, border=2, dark="#000", light="#fff", omitsize=True, title=f"Sign in as {learner.name}"
    )
    half = len(proof) // 2 + 1
    return (
        f"<article><h2>{escape(learner.called)}</h2>{picture}"
        f"<dl><dt>Address</dt><dd>{escape(address)}</dd><dt>Name</dt><dd>{escape(learner.name)}</dd>"
        f'<dt>Token</dt><dd class="token">{token}</dd></dl>'
        "<p>Your browser warns of the certificate once, since the class has made it itself. Go on only if the SHA-256 fingerprint "
        f"that it shows is this one:</p><code>{proof[:half]}<br>{proof[half:]}</code></article>"
    )
