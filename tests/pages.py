"""README and docs/ as a test reads them: the rows of their tables, and whether a proof that they name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import checks

ROOT = Path(__file__).parents[1]
CELLS = re.compile(r"(?<!\\)\|")  # a | inside a cell is written \|


def rows(page: str) -> list[list[str]]:
    """The cells of each row of a page's tables, heads left out."""
    lines = (ROOT / "docs" / page).read_text().splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.startswith("|---")}
    return [
        [cell.strip() for cell in CELLS.split(line)[1:-1]]
        for number, line in enumerate(lines)
        if line.startswith("| ") and number not in heads
    ]


def defined(path: Path) -> set[str]:
    return {
        node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


def holds(proof: str) -> bool:
    """Whether this check, or this test below tests/, exists."""
    path, _, function = proof.removeprefix("tests/").partition("::")
    if not path.endswith(".py"):
        return proof in {one.id for one in checks.selected()}
    return (ROOT / "tests" / path).exists() and (not function or function in defined(ROOT / "tests" / path))
