"""The project's JupyterLab in a browser: a notebook in it, its cells run as a person runs them, and what there is to see."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.browser.chromium import CONTROL, SHIFT, Page, ended
from tests.notebooks import cells

ROOT = cells.FOLDER.parent
# All cells are in the page at once, so that one can ask for any of them.
SETTINGS = {"@jupyterlab/notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none"}'}
# Of the code cell `cell`: what nobody should see.
LOOK = """(cell => {
  const outputs = [...cell.querySelectorAll('.jp-OutputArea-output')], found = [], says = output => output.innerText.slice(0, 300);
  for (const output of outputs) {
    if (/jupyter.(stderr|error)$/.test(output.dataset.mimeType)) found.push('an error: ' + says(output));
    if (/Traceback/.test(output.innerText)) found.push('a stack trace: ' + says(output));
    if (output.querySelector('mjx-container, .MathJax, math')) found.push('read as TeX: ' + says(output));
    const right = output.getBoundingClientRect().right + 1;
    for (const part of output.querySelectorAll('.mr *')) {
      const style = getComputedStyle(part), box = part.getBoundingClientRect();
      if (part.closest('.wide')?.scrollWidth > part.closest('.wide')?.clientWidth + 1 && innerWidth < 1000) continue; // to be scrolled
      if (box.width && box.right > right) found.push('sticks out: ' + part.textContent.slice(0, 80));
      if (!/visible/.test(style.overflowX) && part.scrollWidth > part.clientWidth + 1 && part.clientWidth)
        found.push('cut off: ' + part.textContent.slice(0, 80));
    }
  }
  const source = cell.querySelector('.cm-scroller');
  if (source && source.scrollWidth > source.clientWidth + 1) found.push('the cell is cut off');
  return found;
})"""
# What a cell shows as HTML, letter by letter.
SEEN = """[...document.querySelectorAll('.jp-Cell')].map(cell =>
  [...cell.querySelectorAll('.jp-OutputArea-output .mr')].map(one => one.textContent))"""
# The same of the notebook as it was saved: what was meant.
MEANT = """fetch('/api/contents/%s?content=1&token=%s').then(r => r.json()).then(saved => saved.content.cells.map(cell =>
  (cell.outputs || []).filter(one => one.data && one.data['text/html']).map(one => new DOMParser().parseFromString(
    [one.data['text/html']].flat().join(''), 'text/html').querySelector('.mr').textContent)))"""


class Notebook:
    """One notebook, open in JupyterLab."""

    def __init__(self, page: Page, url: str, token: str, name: str) -> None:
        self.page, self.name, self.token = page, name, token
        page.open(f"{url}/lab/tree/{name}?token={token}&reset")
        page.wait("document.querySelector('#jp-main-statusbar')?.innerText.includes('Idle')", 90)
        page.wait("document.querySelectorAll('.jp-Notebook .jp-Cell').length > 5")
        self.kinds = page.js(
            "[...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(e => e.classList.contains('jp-CodeCell'))"
        )
        page.click("document.querySelector('.jp-Notebook .jp-Cell .jp-InputArea-editor, .jp-Notebook .jp-Cell')")
        page.press("Escape")

    def walk(self, patience: float = 180.0) -> list[str]:
        """Run all cells with Shift+Enter, one after another; what there was to see that should not be."""
        found = []
        for number, is_code in enumerate(self.kinds):
            self.page.press("Enter", SHIFT)
            if is_code:
                self.page.wait(f"/\\d/.test({self.cell(number)}.querySelector('.jp-InputPrompt').innerText)", patience)
                source = self.page.js(f"{self.cell(number)}.querySelector('.cm-content').innerText")
                found += [f"{self.name}: {source!r}: {one}" for one in self.look(number)]
        return found

    def cell(self, number: int) -> str:
        return f"document.querySelectorAll('.jp-Notebook .jp-Cell')[{number}]"

    def look(self, number: int) -> list[str]:
        return list(self.page.js(f"{LOOK}({self.cell(number)})"))

    def look_at_all(self) -> list[str]:
        return [one for number, is_code in enumerate(self.kinds) if is_code for one in self.look(number)]

    def differences(self) -> list[tuple[str, str]]:
        """What a person sees beside what was meant, wherever that is not the same."""
        self.page.click("document.querySelector('.jp-Notebook .jp-InputPrompt')")  # the quiz keeps keys to itself
        self.page.press("s", CONTROL)
        self.page.wait("!document.querySelector('.lm-TabBar-tab.lm-mod-current.jp-mod-dirty')")
        seen, meant = self.page.js(SEEN), self.page.js(MEANT % (self.name, self.token))
        assert sum(map(len, seen)) > 5 and len(seen) == len(meant)
        return [
            (one, other)
            for pair in zip(seen, meant, strict=True)
            for one, other in zip(*pair, strict=True)
            if one != other
        ]

    def shots(self, folder: Path) -> None:
        """Pictures of all of it, light and dark, wide and narrow."""
        for width in (1280, 600):
            for dark in (False, True):
                self.page.size(width, 1600)
                self.page.dark(dark)
                time.sleep(1.5)
                scroller = "document.querySelector('.jp-WindowedPanel-outer')"
                height = self.page.js(f"{scroller}.scrollHeight")
                for number, top in enumerate(range(0, height, 1400)):
                    self.page.js(f"{scroller}.scrollTop = {top}")
                    time.sleep(0.2)
                    self.page.shot(folder / f"{self.name[:2]}-{width}-{'dark' if dark else 'light'}-{number:02}.png")
        self.page.dark(False)


@contextlib.contextmanager
def server(folder: Path) -> Iterator[tuple[str, str]]:
    """JupyterLab as `make notebooks` starts it, with a workbook and settings of its own; its address and token."""
    token, said = secrets.token_hex(16), folder / "jupyterlab.log"
    for name, text in SETTINGS.items():
        file = folder / "settings" / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    own = {
        "MAILROOM_WORKBOOK": folder / "workbook",
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
    }
    words = ["--no-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--IdentityProvider.token={token}"]
    with said.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "notebooks.workbook", *words],
            cwd=ROOT,
            env={**os.environ, **{name: str(path) for name, path in own.items()}},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 60
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", said.read_text())):
            assert time.monotonic() < end and process.poll() is None, said.read_text()
            time.sleep(0.2)
        yield found[0], token
    finally:
        ended(process)


def prepend(file: Path, source: str) -> None:
    """A learner's own cell, before all others."""
    import nbformat

    notebook: Any = nbformat.read(file, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, file)
