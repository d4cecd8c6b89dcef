"""Texts that somebody publishes in the world's DNS, as a domain's owner does at the registrar."""

from ipaddress import IPv4Network

from lab import hosts, names, network, places, state, world
from lab.engine import find
from lab.errors import LabError


def publish(name: str, text: str) -> None:
    """A text record in the world's DNS, as a domain's owner has it at the registrar; with an empty text it goes.

    LabError: the lab has no world, or the name or the text cannot be there.
    """
    publish_all({name: text})


def publish_all(texts: dict[str, str]) -> None:
    """Several of them at once, by name."""
    texts = {name.lower().removesuffix("."): text for name, text in texts.items()}
    for name, text in texts.items():
        if not names.RECORD.fullmatch(name) or not names.TEXT.fullmatch(text):
            raise LabError(
                f"{name!r} with {text!r} is no record.",
                "A name like _dmarc.example.test; a text in ASCII, without quotes and \\.",
            )
    places.may_publish(texts)
    engine = find()
    with state.locked(names.home()):  # the records are everybody's
        found = {host: one.host for host, one in hosts.find_all(engine).items()}
        there = world.find(found)
        if not there:
            raise LabError("The lab has no world, so nobody would see it.", "Run first: python -m lab add world")
        kept = state.published() | texts
        text = state.as_json({key: value for key, value in kept.items() if value})
        state.write("records.json", text, folder=names.home())
        subnet = str(IPv4Network(f"{there['address']}/24", strict=False))
        hosts.tell(engine, there, network.write_zones(subnet, found))
