"""What the host's own tools print is read, and what they do not usually print is said."""

import pytest

from checks.clients import host
from checks.engine.target import Target
from checks.engine.verdicts import Failed
from tests.checks import servers

FILE = "640 root postfix regular empty file:/etc/a: b"
LISTENER = 'LISTEN 0      100             0.0.0.0:25         0.0.0.0:*    users:(("master",pid=7,fd=13))'
HIDDEN = "LISTEN 0      4096               [::]:22            [::]:*                                  "


@pytest.fixture
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A target whose commands print this."""
    made = servers.target()
    monkeypatch.setattr(made, "shell", lambda command, **_: request.param)
    return made


@pytest.mark.parametrize("target", [f"{FILE}\n0 vmail vmail directory:/srv"], indirect=True)
def test_files(target: Target) -> None:
    empty, closed = host.files(target, "ls")
    assert (empty.path, empty.mode, empty.group, empty.kind) == ("/etc/a: b", "640", "postfix", "regular empty file")
    assert (str(closed), closed.open_to_group) == ("0 vmail:vmail", False)


@pytest.mark.parametrize(
    "target", ["sudo: unable to resolve host mx1", "rw root root directory:/srv", ""], indirect=True
)
def test_a_line_that_is_no_file_is_a_failure(target: Target) -> None:
    with pytest.raises(Failed, match=r"has no mode and owner in it: (sudo|rw|\(nothing\))"):
        host.file(target, "/etc/a")


@pytest.mark.parametrize("target", [f"{FILE}\n\nsudo: unable to resolve host mx1"], indirect=True)
def test_nor_is_one_in_a_list(target: Target) -> None:
    with pytest.raises(Failed, match=r"has no mode and owner in it: \(nothing\)"):
        host.files(target, "ls")


@pytest.mark.parametrize("target", [f"{LISTENER}\n{HIDDEN}"], indirect=True)
def test_listeners(target: Target) -> None:
    assert host.listeners(target) == [("0.0.0.0", 25, "master"), ("[::]", 22, "")]


@pytest.mark.parametrize("target", [f"{LISTENER}\nCannot open netlink socket"], indirect=True)
def test_a_line_that_is_no_listener_is_a_failure(target: Target) -> None:
    with pytest.raises(Failed, match="no listener: Cannot open"):
        host.listeners(target)
