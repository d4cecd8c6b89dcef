"""docs/security.md claims nothing that no check and no test stands for."""

import ast
import re
from pathlib import Path

import checks

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| attack")]


def defined(path: Path) -> set[str]:
    return {
        node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


def test_each_claim_names_its_proof_and_each_proof_exists() -> None:
    known = {one.id for one in checks.selected()}
    for row in ROWS:
        names = re.findall(r"`([^`]+)`", row.split("|")[3])
        assert names, row
        for name in names:
            path, _, function = name.partition("::")
            if path.startswith("tests/"):
                assert (ROOT / path).exists(), name
                assert not function or function in defined(ROOT / path), name
            else:
                assert name in known, name


def test_what_is_not_defended_is_said() -> None:
    assert len(ROWS) > 20 and "## Not defended against" in PAGE
