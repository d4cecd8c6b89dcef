"""A headless Chromium, spoken to by its own protocol (https://chromedevtools.github.io/devtools-protocol/): one page of it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import websocket

from lab import tools

CHROMIUM = {"chromium": ["chromium", "fonts-dejavu-core"]}  # it brings no font of equal widths
KEYS = {"Enter": 13, "Tab": 9, "Escape": 27, "s": 83}
CONTROL, SHIFT = 2, 8


class Page:
    """One tab. `js` evaluates in it; what a person does is `press` and `click`."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.count = socket, 0
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)  # a page without focus hears no keys

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def js(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str, seconds: float = 30.0) -> Any:
        """The value of an expression, as soon as it is true."""
        end = time.monotonic() + seconds
        while not (value := self.js(expression)):
            assert time.monotonic() < end, f"not within {seconds:.0f} s: {expression}"
            time.sleep(0.1)
        return value

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def press(self, key: str, modifiers: int = 0) -> None:
        code = KEYS[key]
        text = {"text": "\r"} if key == "Enter" else {}
        given = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", **given, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **given)

    def click(self, element: str) -> None:
        """With the mouse, in the middle of what this expression gives."""
        place = self.js(
            f"(e => {{e.scrollIntoView({{block: 'center', behavior: 'instant'}}); const r = e.getBoundingClientRect();"
            f" return [r.left + Math.min(r.width / 2, 20), r.top + r.height / 2]}})({element})"
        )
        for what in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=what, x=place[0], y=place[1], button="left", buttons=1, clickCount=1
            )

    def size(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def dark(self, dark: bool) -> None:
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=media)

    def shot(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextlib.contextmanager
def page() -> Iterator[Page]:
    """A new browser with nothing in it, for as long as the block runs. It reaches this machine and nothing else."""
    tools.need(CHROMIUM, "to see the notebooks as a person does")
    profile = Path(tempfile.mkdtemp(prefix="mailroom-chromium-"))
    command = [
        "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0",
        "--remote-allow-origins=*", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    socket = None
    try:
        socket = connected(profile / "DevToolsActivePort")
        yield Page(socket)
    finally:
        if socket:
            socket.close()
        ended(process)
        shutil.rmtree(profile, ignore_errors=True)


def ended(process: subprocess.Popen[bytes], patience: float = 30.0) -> None:
    """All of its group is gone: asked first, killed if it does not hear."""
    for word in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, word)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)


def connected(told: Path, patience: float = 60.0) -> Any:
    """A connection to its one page, once it has said at which port it listens."""
    end = time.monotonic() + patience
    while True:
        with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
            port = told.read_text().splitlines()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                target = next(one for one in json.load(answer) if one["type"] == "page")
            return websocket.create_connection(target["webSocketDebuggerUrl"], timeout=60, suppress_origin=True)
        assert time.monotonic() < end, "Chromium did not start"
        time.sleep(0.1)
