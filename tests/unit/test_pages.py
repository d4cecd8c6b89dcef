"""README and docs/ promise nothing that is not there: proofs, steps, links, commands."""

import importlib
import re
from pathlib import Path

import pytest

from tests.pages import ROOT, holds, rows

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize(
    ("page", "at_least"), [("security.md", 20), ("ours.md", 20), ("differences.md", 60)], ids=lambda value: str(value)
)
def test_each_row_names_its_proof_and_each_proof_exists(page: str, at_least: int) -> None:
    found = rows(page)
    assert len(found) >= at_least
    for row in found:
        names = re.findall(r"`([^`]+)`", row[-1])
        assert names, row
        assert not [name for name in names if not holds(name)], row


def test_what_is_not_defended_is_said() -> None:
    assert "## Not defended against" in (ROOT / "docs/security.md").read_text()


def test_each_difference_names_a_step_of_its_chapter() -> None:
    for line, today, ours, why, step, _ in rows("differences.md"):
        assert line and ours and (today or why), line
        chapter, _, name = step.strip("`").partition(".")
        steps = importlib.import_module(f"deploys.chapters.{chapter}").STEPS
        assert name in {one.__name__ for one in steps}, step


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 110


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_is_there(page: Path) -> None:
    """Targets of make, modules of ours, deploys and steps that a page tells its reader to run."""
    text = "\n".join(re.findall(r"`[^`]+`|^```.*?^```", page.read_text(), re.MULTILINE | re.DOTALL))
    targets = set(re.findall(r"^([\w./$()-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) | {".venv/.installed"}
    assert set(re.findall(r"(?:^|`)make ([a-z.][\w./-]*)", text, re.MULTILINE)) <= targets
    for module in set(
        re.findall(r"python -m ((?:bench|checks|classroom|deploys|lab|notebooks|postmaster)[\w.]*)", text)
    ):
        found = ROOT / module.replace(".", "/")
        assert found.with_suffix(".py").exists() or (found / "__main__.py").exists(), module
    for deploy in set(re.findall(r"inventory\.py (?:--dry )?([\w./]+)", text)):
        file = ROOT / deploy if deploy.endswith(".py") else ROOT / f"{deploy.rpartition('.')[0].replace('.', '/')}.py"
        assert file.exists() or file.with_suffix("").is_dir(), deploy
