"""The server that is checked: its names, who may log in, and how to reach it."""

import base64
import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import paramiko

from checks.engine import ssh
from checks.engine.vantage import Direct, Vantage, Via
from checks.engine.verdicts import CannotStart, Failed, Finding, Skipped

T = TypeVar("T")
# A program of Dovecot's or Postfix's that cannot read its configuration
UNREAD = re.compile(r"^(dove\w+|post\w+): [Ff]atal: ", re.MULTILINE)


def named(text: str, foo: str = "foo", bar: str = "bar") -> str:
    """A check's title or remedy with the names of the two accounts in it."""
    return text.replace("{foo}", foo).replace("{bar}", bar)


@dataclass
class Target:
    """A server, and the ways to it, opened when needed; `close` drops them. Passwords are by address and by role."""

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
    world: str = ""  # the lab's Internet, whose certificate authority no system trusts by itself
    domains: tuple[str, ...] = ()  # all of its mail domains, where they are known
    _vantage: Vantage | None = field(default=None, repr=False)
    _ssh: paramiko.SSHClient | None = field(default=None, repr=False)
    _ssh_error: str = field(default="", repr=False)
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def account(self, number: int) -> tuple[str, str]:
        """Address and password of the first (0: foo) or second (1: bar) account of the domain, or of the only one."""
        ours = [(a, p) for a, p in self.accounts.items() if a.endswith("@" + self.domain)]
        if not ours:
            raise Skipped(f"no account of {self.domain} was given (--accounts-file)")
        return ours[min(number, len(ours) - 1)]

    @property
    def foo(self) -> str:
        """The address of the first account, by its name in the article."""
        return self.account(0)[0]

    @property
    def bar(self) -> str:
        return self.account(1)[0]

    def two_accounts(self, why: str) -> None:
        """Raises Skipped where there is one: what then shows nothing of others, is not proven."""
        if self.foo == self.bar:
            raise Skipped(f"there is one account, and {why}", "Add a second account.")

    @property
    def stranger(self) -> str:
        """An address out there, from which we write."""
        return f"stranger@{self._not_ours('example.net', 'example.com')}"

    @property
    def unasked(self) -> str:
        """An author out there, of a domain that asks for nothing (DMARC): RFC 2606 reserved all names below this one. That of
        `stranger` asks to refuse what nothing proves, in the lab as on the Internet."""
        return "stranger@elsewhere.example"

    @property
    def elsewhere(self) -> str:
        """An address out there, to which nobody may write through this server without a login."""
        return f"somebody@{self._not_ours('example.org', 'example.com')}"

    def _not_ours(self, *names: str) -> str:
        """The first of these names, which are nobody's (RFC 2606), that the server does not take as its own, as in an example."""
        return next((name for name in names if name not in (self.domain, *self.domains)), "elsewhere.example")

    def named(self, text: str) -> str:
        """A title or a remedy with our accounts' names in the place of {foo} and {bar}; without accounts, the article's."""
        known = any(account.endswith(f"@{self.domain}") for account in self.accounts)
        return named(text, *[one.partition("@")[0] for one in ((self.foo, self.bar) if known else ())])

    def secret(self, name: str) -> str:
        if not self.secrets.get(name):
            raise Skipped(f"no password for {name} was given (--secrets-file)")
        return self.secrets[name]

    @property
    def vantage(self) -> Vantage:
        """Where we ask from. Raises CannotStart where that host cannot be reached."""
        if self._vantage is None:
            try:
                self._vantage = Direct() if self.via in ("", "direct") else Via(self.via, self.ssh_config)
            except CannotStart as error:
                raise CannotStart(f"{error} {self.hint}".rstrip()) from error
        return self._vantage

    @property
    def server(self) -> paramiko.SSHClient:
        """SSH to the mail host itself. Raises Failed the first time that it cannot be had, then Skipped."""
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
        """What a command prints on the mail host, errors included. Raises Failed when it fails, or after `timeout` seconds."""
        code, output = ssh.execute(self.server, command, timeout)
        if code and not may_fail:
            # Whatever the check is about, it could not look: its own remedy would mislead.
            unread = (
                f"Fix what {broken[1]} names, on the host: it cannot read its configuration."
                if (broken := UNREAD.search(output))
                else ""
            )
            raise Failed(f"`{command}` ended with {code}: {output or 'no output'}", unread)
        return output

    def read(self, path: str) -> str:
        """The text of a file of the mail host, read once."""
        return self.once(f"cat -- {shlex.quote(path)}", may_fail=False)

    def once(self, command: str, *, may_fail: bool = True) -> str:
        """What a command prints on the mail host, whatever its exit code; run once."""
        if command not in self._kept:
            self._kept[command] = self.shell(command, may_fail=may_fail)
        return str(self._kept[command])

    def roots(self) -> str:
        """The certificates of the lab's own authority, "" outside of a lab."""
        if "roots" not in self._kept:
            text = ""
            if self.world:
                client = ssh.connect(self.world, self.ssh_config)
                try:
                    text = ssh.execute(client, "cat /etc/mailroom-authority/roots.pem 2>/dev/null")[1]
                finally:
                    client.close()
            self._kept["roots"] = text
        return str(self._kept["roots"])

    def scrub(self, text: str) -> str:
        """The text without any secret we know, in plain or as AUTH PLAIN would carry it."""
        for user, secret in [*self.accounts.items(), *self.secrets.items()]:
            if secret:
                plain = base64.b64encode(f"\0{user}\0{secret}".encode()).decode()
                text = text.replace(secret, "[secret]").replace(plain, "[secret]")
        return text

    def close(self) -> None:
        """Drop connections and what was read, so that a later run looks again."""
        for one in (self._vantage, self._ssh):
            if one is not None:
                one.close()
        self._vantage, self._ssh, self._ssh_error = None, None, ""
        self._kept.clear()


def once_a_run(make: Callable[[Target], T]) -> Callable[[Target], T]:
    """What `make` finds, or why it failed: made once in a run, for all checks that look at it."""

    @wraps(make)
    def kept(target: Target) -> T:
        if make not in target._kept:
            try:
                target._kept[make] = make(target)
            except Finding as error:
                target._kept[make] = error
        found = target._kept[make]
        if isinstance(found, Finding):
            raise found
        return cast(T, found)

    return kept


def domain_of(hostname: str) -> str:
    return hostname.partition(".")[2]


def read_json(path: Path) -> dict[str, Any]:
    """The one object of a JSON file. Raises CannotStart, without a word of what is in it."""
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
