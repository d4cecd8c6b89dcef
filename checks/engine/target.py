"""The server that is checked: its names, who may log in, and how to reach it."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import paramiko

from checks.engine import ssh
from checks.engine.vantage import Direct, Vantage, Via
from checks.engine.verdicts import CannotStart, Failed, Skipped

T = TypeVar("T")


@dataclass
class Target:
    hostname: str  # the name that clients verify, whatever socket they come through
    address: str
    domain: str
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssh_host: str = ""
    ssh_config: Path | None = None
    via: str = "direct"
    helo: str = "client.example.net"  # what our SMTP client calls itself
    hint: str = ""  # what to do when the host we ask from is not there
    also_ports: tuple[int, ...] = ()  # listeners of the host that are meant to be there
    mail_owner: str = "vmail"
    mail_home: str = "/home/mail"
    certificate: str = "/etc/postfix/certs/cert.pem"
    key: str = "/etc/postfix/certs/key.pem"
    database: str = "mail"
    role: str = "mailreader"
    _vantage: Vantage | None = field(default=None, repr=False)
    _ssh: paramiko.SSHClient | None = field(default=None, repr=False)
    _ssh_error: str = field(default="", repr=False)
    _read: dict[str, str] = field(default_factory=dict, repr=False)
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    def account(self, number: int) -> tuple[str, str]:
        """Address and password of the first (0: foo) or second (1: bar) account."""
        ours = [(a, p) for a, p in self.accounts.items() if a.endswith("@" + self.domain)]
        if not ours:
            raise Skipped(f"no account of {self.domain} was given (--accounts-file)")
        return ours[min(number, len(ours) - 1)]

    def secret(self, name: str) -> str:
        if not self.secrets.get(name):
            raise Skipped(f"no password for {name} was given (--secrets-file)")
        return self.secrets[name]

    @property
    def vantage(self) -> Vantage:
        if self._vantage is None:
            try:
                direct = self.via in ("", "direct")
                self._vantage = Direct() if direct else Via(self.via, self.ssh_config)
            except CannotStart as error:
                raise CannotStart(f"{error} {self.hint}".rstrip()) from error
        return self._vantage

    @property
    def is_elsewhere(self) -> bool:
        """Whether our connections come from an address that is not the server's own."""
        return not self.ssh_host or self.via != self.ssh_host

    @property
    def server(self) -> paramiko.SSHClient:
        """SSH to the mail host itself."""
        if not self.ssh_host:
            raise Skipped("no SSH to the mail host was given (--ssh-host)")
        if self._ssh_error:  # said once already
            raise Skipped(self._ssh_error)
        if self._ssh is None:
            try:
                self._ssh = ssh.connect(self.ssh_host, self.ssh_config)
            except CannotStart as error:
                self._ssh_error = str(error)
                raise Failed(self._ssh_error) from error
        return self._ssh

    def shell(self, command: str, *, may_fail: bool = False, timeout: float = 15.0) -> str:
        """What a command prints on the mail host; a failing one is a failed check."""
        code, output = ssh.execute(self.server, command, timeout)
        if code and not may_fail:
            raise Failed(f"`{command}` ended with {code}: {output or 'no output'}")
        return output

    def read(self, path: str) -> str:
        """A file of the mail host, read once."""
        if path not in self._read:
            self._read[path] = self.shell(f"cat -- {shlex.quote(path)}")
        return self._read[path]

    def once(self, command: str) -> str:
        """What a command prints on the mail host, whatever its exit code; run once."""
        if command not in self._read:
            self._read[command] = self.shell(command, may_fail=True)
        return self._read[command]

    def keep(self, name: str, make: Callable[[], T]) -> T:
        """What `make` finds, or why it failed: made once in a run, for all checks that look at it."""
        if name not in self._kept:
            try:
                self._kept[name] = make()
            except (Failed, Skipped) as error:
                self._kept[name] = error
        found = self._kept[name]
        if isinstance(found, (Failed, Skipped)):
            raise found
        return cast(T, found)

    def scrub(self, text: str) -> str:
        """The text without any secret we know, in plain or as AUTH PLAIN would carry it."""
        for user, secret in [*self.accounts.items(), *self.secrets.items()]:
            if secret:
                plain = base64.b64encode(f"\0{user}\0{secret}".encode()).decode()
                text = text.replace(secret, "[secret]").replace(plain, "[secret]")
        return text

    def close(self) -> None:
        """Drop connections and what was read, so that a later run looks again."""
        if self._vantage is not None:
            self._vantage.close()
        if self._ssh is not None:
            self._ssh.close()
        self._vantage = self._ssh = None
        self._ssh_error = ""
        self._read.clear()
        self._kept.clear()


def domain_of(hostname: str) -> str:
    return hostname.partition(".")[2]


def read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise CannotStart(f"Cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        # not the decoder's text: it could quote a secret
        raise CannotStart(f"{path} is not JSON; write it anew.") from error
    if not isinstance(found, dict):
        raise CannotStart(f"{path} should hold one JSON object: names and their values.")
    return found
