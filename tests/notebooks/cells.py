"""The notebooks as a test reads them: their code cells, parsed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
CHAPTERS = {
    "postfix": "01-postfix-the-conveyor-belt",
    "postgresql": "02-postgresql-the-bookkeeper",
    "amavis": "03-amavis-the-trusty-workers",
    "dovecot": "04-dovecot-the-front-desk",
    "sieve": "05-sieve-the-desk-sorts",
    "believed": "06-believed-by-the-world",
}
BEATS = ("show", "plan", "apply", "verify", "settled")
ALL = sorted(FOLDER.glob("[0-9][0-9]-*.ipynb"))


def load(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: Any) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def beats(notebook: Any) -> list[tuple[str, str]]:
    """Each call of a beat with its step, as they stand: [("show", "postfix.host_name"), …]."""
    found = []
    for source in code(notebook):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BEATS:
                (step,) = node.args
                assert isinstance(step, ast.Constant), f"a step is named in full: {source}"
                found.append((node.func.id, str(step.value)))
    return found


def runbook_names() -> set[str]:
    """What `from runbook import *` brings. Read, not imported: importing it looks for a host."""
    body = ast.parse((FOLDER / "runbook.py").read_text()).body
    names = {
        one.asname or one.name for node in body if isinstance(node, ast.ImportFrom | ast.Import) for one in node.names
    }
    for node in body:
        if isinstance(node, ast.Assign):
            names |= {one.id for one in ast.walk(node.targets[0]) if isinstance(one, ast.Name)}
    return {name for name in names if not name.startswith("_")}
