"""A learner at the hub, as their browser is: signed in by the card, with a server, and cells that run in a kernel of it."""

from __future__ import annotations

import json
import ssl
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import websocket


class Browser:
    """Trusts this certificate alone."""

    def __init__(self, address: str, certificate: Path) -> None:
        self.address, self.certificate = address, str(certificate)
        self.session = requests.Session()
        self.session.verify, self.session.trust_env = self.certificate, False  # else a variable has other authorities
        self.name = self.kernel = ""

    def get(self, path: str, **words: Any) -> requests.Response:
        return self.ask("GET", path, **words)

    def ask(self, method: str, path: str, **words: Any) -> requests.Response:
        """With the XSRF cookie of the longest path that is above this one, as a page's own script sends it."""
        above = [one for one in self.session.cookies if one.name == "_xsrf" and path.startswith(one.path)]
        best = max(above, key=lambda one: len(one.path), default=None)
        headers = words.pop("headers", {})
        if best and method != "GET":
            headers = {"X-XSRFToken": str(best.value)} | headers
        return self.session.request(method, self.address + path, headers=headers, timeout=60, **words)

    def sign_in(self, name: str, token: str) -> requests.Response:
        """What is answered to name and token; redirects are not followed."""
        self.get("/hub/login")
        xsrf = next(one.value for one in self.session.cookies if one.name == "_xsrf")
        form = {"username": name, "password": token, "_xsrf": xsrf}
        self.name = name
        return self.session.post(f"{self.address}/hub/login", data=form, allow_redirects=False, timeout=60)

    def start(self, patience: float = 400) -> float:
        """Have the own server started; how many seconds that took."""
        begun = time.monotonic()
        self.get("/hub/spawn")
        while not self.get(f"/user/{self.name}/api/status").ok:
            if time.monotonic() > begun + patience:
                raise TimeoutError(f"the server of {self.name} did not start: {self.get('/hub/home').text[-500:]}")
            time.sleep(1)
            self.get(f"/user/{self.name}/lab")  # goes by the hub, which signs in to the server
        return time.monotonic() - begun

    def run(self, code: str, patience: float = 120) -> str:
        """What a cell prints, in a kernel of the own server; a traceback, where it raised, and its value."""
        if not self.kernel:
            made = self.ask("POST", f"/user/{self.name}/api/kernels", json={"name": "python3"})
            made.raise_for_status()
            self.kernel = made.json()["id"]
        path = f"/user/{self.name}/api/kernels/{self.kernel}/channels"
        socket = websocket.create_connection(
            f"wss://{urlsplit(self.address).netloc}{path}",
            cookie="; ".join(f"{one.name}={one.value}" for one in self.session.cookies if path.startswith(one.path)),
            origin=self.address,
            sslopt={"ca_certs": self.certificate, "cert_reqs": ssl.CERT_REQUIRED},
            timeout=patience,
        )
        asked = uuid.uuid4().hex
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        header = {
            "msg_id": asked,
            "msg_type": "execute_request",
            "version": "5.3",
            "username": "",
            "session": uuid.uuid4().hex,
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        said = ""
        try:
            socket.send(json.dumps(message))
            while True:
                heard = json.loads(socket.recv())
                kind, content = heard["msg_type"], heard["content"]
                if heard["parent_header"].get("msg_id") != asked:
                    continue
                if kind == "stream":
                    said += content["text"]
                elif kind in ("execute_result", "display_data"):
                    said += content["data"].get("text/plain", "")
                elif kind == "error":
                    said += "\n".join(content["traceback"])
                elif kind == "status" and content["execution_state"] == "idle":
                    return said
        finally:
            socket.close()


@dataclass
class Learner:
    """One who has signed in and runs cells, and what root knows of their server."""

    name: str
    browser: Browser
    known: dict[str, Any]
