"""Who imports whom: no circles, and the arrows of CONTRIBUTING run one way."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = (
    "deploys",
    "operations",
    "facts",
    "checks",
    "notebooks",
    "postmaster",
    "classroom",
    "lab",
    "bench",
    "inventories",
)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")}


def imports(module: str) -> set[str]:
    """The modules of ours that it names, wherever in it: an import inside a function is one, too."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports by dots"
            # `from package import name`: the module of that name, or else what the package itself defines
            found |= {
                full if (full := f"{node.module}.{one.name}") in MODULES else str(node.module) for one in node.names
            }
    return found & set(MODULES)


GRAPH = {module: imports(module) for module in MODULES}


def test_there_is_no_circle() -> None:
    assert len(GRAPH) > 200 and sum(map(len, GRAPH.values())) > 500, "the graph is not read"
    TopologicalSorter(GRAPH).prepare()  # CycleError names the circle


def test_no_claim_imports_a_claim() -> None:
    claims = [
        module for module in GRAPH if module.startswith("checks.claims.") and MODULES[module].name != "__init__.py"
    ]
    assert len(claims) > 40
    # what the claims of a chapter share is their package's
    wrong = {module: GRAPH[module] & set(claims) for module in claims}
    assert not {module: found for module, found in wrong.items() if found}


@pytest.mark.parametrize(
    ("below", "may"),
    [
        ("facts", "facts"),
        ("operations", "operations facts"),
        ("deploys", "deploys operations facts"),
        ("checks", "checks"),
        ("postmaster", "postmaster checks"),
        ("classroom", "classroom postmaster notebooks checks deploys lab"),
        ("lab", "lab"),
        ("inventories", "inventories lab"),
    ],
)
def test_arrows_run_one_way(below: str, may: str) -> None:
    """A check that used our own facts would only prove that we agree with ourselves."""
    out = {
        f"{module} -> {one}"
        for module in GRAPH
        if module.partition(".")[0] == below
        for one in GRAPH[module]
        if one.partition(".")[0] not in may.split()
    }
    assert not out
