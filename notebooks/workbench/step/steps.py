"""The steps of the chapters, as data: which there are, in which order, and how people name them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from notebooks.workbench.host import where
from notebooks.workbench.show.errors import Trouble

CHAPTERS = {"postfix": 1, "postgresql": 2, "amavis": 3, "dovecot": 4, "sieve": 5, "believed": 6}
NOTEBOOKS = {
    "postfix": "01-postfix-the-conveyor-belt",
    "postgresql": "02-postgresql-the-bookkeeper",
    "amavis": "03-amavis-the-trusty-workers",
    "dovecot": "04-dovecot-the-front-desk",
    "sieve": "05-sieve-the-desk-sorts",
    "believed": "06-believed-by-the-world",
}


@dataclass(frozen=True)
class Step:
    chapter: str
    name: str
    title: str  # "Chapter 4: TLS", as pyinfra prints it and as its snapshot is called
    doc: str
    article: str
    position: int  # in its chapter, from 1
    today: dict[str, str]
    now: str  # shell that prints what is on the host for it
    compared: bool  # whether that has lines like those of today's text

    @property
    def id(self) -> str:
        return f"{self.chapter}.{self.name}"

    @property
    def number(self) -> str:
        return f"{CHAPTERS[self.chapter]}.{self.position}"

    @property
    def boundary(self) -> bool:
        """Whether a lab host is kept after it: packages take a minute, all steps between together some seconds."""
        last = max(one.position for one in every() if one.chapter == self.chapter)
        return self.name == "install" or self.position == last

    @property
    def short(self) -> str:
        return self.title.partition(": ")[2]

    @property
    def place(self) -> str:
        """Where it is told: "chapter 4, TLS (04-dovecot-the-front-desk, 4.5)"."""
        return f"chapter {CHAPTERS[self.chapter]}, {self.short} ({NOTEBOOKS.get(self.chapter, self.chapter)}, {self.number})"

    @property
    def operation(self) -> str:
        """What one types after `pyinfra inventory.py`."""
        return f"deploys.chapters.{self.id}"

    @property
    def link(self) -> str:
        return "; ".join(re.findall(r"https?://\S+", self.doc))


def every() -> list[Step]:
    """All steps of all chapters that exist, in the article's order."""
    return [Step(**one) for one in where.place().steps]


def find(name: str, among: Sequence[Step] | None = None) -> Step:
    """A step by "dovecot.tls", "4.5", its title, or its chapter and its name: "chapter 2, maps". Of all steps, unless given."""
    among = every() if among is None else among
    for step in among:
        known = (step.id, step.title, f"chapter {CHAPTERS[step.chapter]}, {step.name}")
        if plain(name) in map(plain, known) or name == step.number:
            return step
    chapter = name.partition(".")[0]
    if numbered := re.match(r"chapter (\d)", name.lower()):
        chapter = next((one for one, number in CHAPTERS.items() if str(number) == numbered[1]), "")
    there = [step.id for step in among if step.chapter == chapter] or sorted({step.chapter for step in among})
    raise Trouble(f"There is no step {name!r}.", remedy=f"There are: {', '.join(there)}")


def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
