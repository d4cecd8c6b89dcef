"""Each file of deploys/templates is used, and what comes out of it is one of its kind, with all data and on all systems."""

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploys import platforms, texts
from deploys.told import by_step
from facts.mail_host import MailHost
from tests.unit.test_steps import UNFILLED, known, variants

TEMPLATES = Path(texts.__file__).with_name("templates")
EVERY = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file())
SECTIONS = {
    ".service": {"Unit": "Description", "Service": "ExecStart"},
    ".socket": {"Unit": "Description", "Socket": "ListenStream", "Install": "WantedBy"},
    ".timer": {"Unit": "Description", "Timer": "OnUnitActiveSec", "Install": "WantedBy"},
    ".path": {"Unit": "Description", "Path": "DirectoryNotEmpty", "Install": "WantedBy"},
}


@pytest.fixture(scope="module")
def rendered() -> Iterator[dict[str, set[str]]]:
    """What the steps make of each template."""
    found: dict[str, set[str]] = {}
    render = texts.render

    def keep(source: str | Path, names: dict[str, object]) -> str:
        text = render(source, names)
        if isinstance(source, Path):
            found.setdefault(str(source), set()).add(text)
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "render", keep)
        for values in variants():
            for system in platforms.different():
                by_step(known(values), system, MailHost())
    yield found


def test_every_template_is_used(rendered: dict[str, set[str]]) -> None:
    assert sorted(rendered) == EVERY


@pytest.mark.parametrize("name", EVERY)
def test_what_comes_out_is_one_of_its_kind(name: str, rendered: dict[str, set[str]]) -> None:
    for text in rendered[name]:
        assert not UNFILLED.search(text), text
        assert text.endswith("\n") and not text.startswith("\n")
        kind = Path(name).suffix
        if kind == ".sh":
            assert text.startswith("#!/bin/sh\n")
            understood("sh", "-n", text=text)
        elif kind == ".pl" and shutil.which("perl"):
            # parts of Amavis's configuration use its variables and constants, which are not here
            understood(
                "perl",
                "-c",
                text=text.replace("use strict;", "no strict;", Path(name).parent.name in ("amavis", "believed")),
            )
        elif kind in SECTIONS:
            sections = unit(text)
            assert set(SECTIONS[kind]) <= set(sections) <= {*SECTIONS[kind], "Install"}
            assert all(setting in sections[section] for section, setting in SECTIONS[kind].items())
        elif name in ("systemd/mailroom-supervised.conf", "amavis/clamav-daemon.conf"):
            assert {"Unit"} <= set(unit(text)) <= {"Unit", "Service"}
        elif kind == ".conf":
            opened = re.findall(r"^[^#\n%]*\{$", text, re.MULTILINE)
            assert len(opened) == len(re.findall(r"^ *\}$", text, re.MULTILINE)), "a section of Dovecot's is not closed"


@pytest.mark.parametrize("folder", ["operations", "facts"])
def test_sh_can_read_what_operations_and_facts_send(folder: str) -> None:
    programs = list((TEMPLATES.parents[1] / folder).glob("*.sh"))
    assert programs
    for program in programs:
        understood("sh", "-n", text=program.read_text())


def understood(*command: str, text: str) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def unit(text: str) -> dict[str, list[str]]:
    """The settings of each section; a setting may be there several times."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return {name: list(parser[name]) for name in parser.sections()}
