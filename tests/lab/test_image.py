"""Where an image is made from the registry's, nothing of the work is left over. No registry is asked: the tests reach none."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab import LabError, image
from lab.engine import Engine


@dataclass(frozen=True)
class Broken(Engine):
    """An engine on which one command fails; it keeps what it was asked."""

    fails: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *args: str, check: bool = True, stdin: str | None = None) -> str:
        self.asked.append(args)
        if check and args[0] == self.fails:
            raise LabError(f"{args[0]} failed")
        return "made" if args[0] == "create" else ""


@pytest.mark.parametrize(("fails", "removed"), [("create", ["rmi"]), ("export", ["rm", "rmi"]), ("", ["rm", "rmi"])])
def test_what_was_made_on_the_way_goes(tmp_path: Path, fails: str, removed: list[str]) -> None:
    engine = Broken("podman", fails)
    if fails:
        with pytest.raises(LabError, match=f"{fails} failed"):
            image.from_registry(engine, "trixie", tmp_path / "tar")
    else:
        image.from_registry(engine, "trixie", tmp_path / "tar")
    unpacked = engine.asked[0][2]
    left = {"rm": ("rm", "made"), "rmi": ("rmi", unpacked)}
    assert engine.asked[-len(removed) :] == [left[one] for one in removed]
