"""The letters of the postal union, and what became of each."""

from dataclasses import asdict, dataclass
from typing import Any

from classroom.people import Learner

# A state, its sign, and its colour. "" is the sender's own column.
SIGNS = {
    "arrived": ("✓", "green"),
    "waiting": ("…", "yellow"),
    "refused": ("✖", "bold red"),
    "unsent": ("–", "bold red"),
    "lost": ("?", "bold red"),
    "": ("·", "dim"),
}


@dataclass
class Letter:
    """One letter, and what became of it: a key of SIGNS, and why in words."""

    sender: str
    recipient: str
    message_id: str
    state: str = "waiting"
    why: str = ""


@dataclass
class Post:
    learners: list[Learner]
    letters: list[Letter]
    seconds: float = 0.0

    @property
    def arrived(self) -> int:
        return sum(letter.state == "arrived" for letter in self.letters)

    def state(self, sender: str, recipient: str) -> str:
        return next((one.state for one in self.letters if (one.sender, one.recipient) == (sender, recipient)), "")

    def reasons(self) -> dict[str, list[str]]:
        """Why letters did not arrive, and which: {"no mail server yet: …": ["ada → ben", …]}."""
        found: dict[str, list[str]] = {}
        for one in self.letters:
            if one.state != "arrived":
                found.setdefault(one.why, []).append(f"{one.sender} → {one.recipient}")
        return found

    def as_dict(self) -> dict[str, Any]:
        counts = {"arrived": self.arrived, "of": len(self.letters), "seconds": round(self.seconds, 1)}
        return {**counts, "letters": [asdict(one) for one in self.letters]}
