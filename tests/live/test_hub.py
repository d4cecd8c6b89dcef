"""The hub of a class of two: how one signs in, what one has there, and that no way leads to the other.

MAILROOM_CLASS=long (`make classes`): a hub takes minutes to be made. All is tried from inside real servers, and each way on one's own
things first.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from classroom.hub import facts, handout, opening, tokens
from lab import Host, state
from tests.live import ways
from tests.live.browsing import Browser, Learner
from tests.live.classes import classroom, in_a_room, told

LONG = os.environ.get("MAILROOM_CLASS") == "long"
pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(not LONG, reason="a hub takes minutes: make classes"),
]
REFUSED = (401, 403, 404)


@pytest.fixture(scope="module")
def room(labs_folder: Path) -> Iterator[Path]:
    with in_a_room(labs_folder / "hub") as folder:
        told("up", "--name", "Ada", "--name", "Ben")
        told("hub", "up")
        yield folder


def hub() -> Host:
    return facts.there()


def browser(room: Path) -> Browser:
    return Browser(facts.local(), room / "hub/certificate.pem")


def enter(room: Path, name: str) -> Learner:
    one = browser(room)
    answer = one.sign_in(name, tokens.known()[name])
    assert (answer.status_code, answer.headers["Location"]) == (302, "/hub/spawn")
    one.start()
    one.run(
        "import socket, threading\n"
        f"open('/tmp/of-{name}', 'w').write('a secret'); open('/dev/shm/of-{name}', 'w').write('a secret')\n"
        f"listener = socket.socket(socket.AF_UNIX); listener.bind('\\0of-{name}'); listener.listen()"
    )
    file = one.run("from ipykernel import get_connection_file; print(get_connection_file())").strip()
    port = json.loads(one.run(f"print(open({file!r}).read())"))["shell_port"]
    pid = hub().run(f"systemctl show -P MainPID jupyter-{name}-singleuser").stdout.strip()
    record = state.record(name)
    known = {
        "name": name, "user": f"learner-{name}", "pid": pid, "zmq": port, "kernel": one.kernel,
        "ssh_port": record["ssh_port"], "address": record["address"],
    }  # fmt: skip
    return Learner(name, one, known)


@pytest.fixture(scope="module")
def ada(room: Path) -> Learner:
    return enter(room, "ada")


@pytest.fixture(scope="module")
def ben(room: Path) -> Learner:
    return enter(room, "ben")


def test_a_token_lets_in_its_learner_and_no_other(room: Path) -> None:
    known = tokens.known()
    assert browser(room).sign_in("ada", known["ada"].lower().replace("-", " ")).status_code == 302
    for name, token in (("ada", known["ben"]), ("ada", ""), ("nobody", known["ada"]), ("root", "")):
        assert browser(room).sign_in(name, token).status_code == 403
    assert browser(room).get("/user/ada/lab").url.startswith(f"{facts.local()}/hub/login")


def test_a_learner_has_the_notebooks_and_reaches_the_own_host(ada: Learner) -> None:
    assert "00-the-factory-and-its-host.ipynb" in ada.browser.run("import os; print(os.listdir())")
    shown = ada.browser.run("from runbook import *\nprint(fqdn)\nrun('hostname -f')")
    assert "mx.ada.class.example" in shown
    assert "learner-ada" in ada.browser.run("!ssh -F $MAILROOM_LAB_DIR/ssh_config world id -un")
    refused = ada.browser.run("!python -m lab rewind ada bare")
    assert "on the machine of whoever teaches" in refused and "python -m classroom rewind" in refused


@pytest.mark.parametrize("way", ways.CELLS)
def test_no_cell_reaches_what_is_the_others(ada: Learner, ben: Learner, way: str) -> None:
    mine = {"mine": ada.known["user"], "me": ada.name}
    own = ada.browser.run(ways.CELLS[way].format(**ada.known, **mine))
    assert own.strip() and "Traceback" not in own, f"it does not even work on one's own: {own}"
    others = ada.browser.run(ways.CELLS[way].format(**ben.known, **mine))
    assert "Traceback" in others, f"{way}: {others}"
    assert re.search(r"FileNotFound|PermissionError|ProcessLookup|Refused|denied|HTTP Error 40[34]|refused", others), (
        others
    )


@pytest.mark.parametrize(("method", "path", "sent"), ways.REQUESTS, ids=[f"{one[0]} {one[1]}" for one in ways.REQUESTS])
def test_no_request_reaches_what_is_the_others(ada: Learner, ben: Learner, method: str, path: str, sent: Any) -> None:
    token = ada.browser.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()
    bearer = Browser(ada.browser.address, Path(ada.browser.certificate))

    def asked(learner: Learner) -> list[int]:
        words: dict[str, Any] = {"allow_redirects": True} | ({"json": sent} if sent is not None else {})
        where = path.format(**learner.known)
        by_cookie = ada.browser.ask(method, where, **words)
        by_token = bearer.ask(method, where, headers={"Authorization": f"token {token}"}, **words)
        assert learner is ada or "factory" not in by_cookie.text + by_token.text
        return [by_cookie.status_code, by_token.status_code]

    assert [one for one in asked(ada) if one in (200, 201)], "it does not even work on one's own"
    assert all(one in REFUSED for one in asked(ben))


def test_no_cell_runs_in_the_others_kernel(ada: Learner, ben: Learner) -> None:
    assert ada.browser.run("print(6 * 7)") == "42\n"
    thief = browser(Path(ada.browser.certificate).parents[1])
    thief.session.cookies.update(ada.browser.session.cookies)
    thief.name, thief.kernel = "ben", ben.browser.kernel
    with pytest.raises((websocket.WebSocketBadStatusException, OSError)) as refused:
        thief.run("print(6 * 7)")
    assert any(str(code) in str(refused.value) for code in REFUSED), refused.value


def test_a_link_among_the_notebooks_leads_to_ones_own_only(ada: Learner, ben: Learner) -> None:
    for one in (ada, ben):
        notebook = f"/home/{one.known['user']}/notebooks/00-the-factory-and-its-host.ipynb"
        ada.browser.run(f"import os; os.symlink({notebook!r}, 'of-{one.name}.ipynb')")
    assert "The factory and its host" in ada.browser.get("/user/ada/files/of-ada.ipynb").text
    there = ada.browser.get("/user/ada/files/of-ben.ipynb")
    assert there.status_code in REFUSED and "The factory" not in there.text


def test_all_processes_that_a_learner_sees_are_their_own(ada: Learner, ben: Learner) -> None:
    code = "import os; print({os.stat(f'/proc/{one}').st_uid for one in os.listdir('/proc') if one.isdigit()} == {os.getuid()})"
    assert ada.browser.run(code) == "True\n"
    assert "learner-ben" in hub().run("ps -eo user:32").stdout, "he is there"
    assert ada.browser.run("import os; print(os.listdir('/home'))") == "['learner-ada']\n"


def test_there_is_no_network_but_the_doors(ada: Learner, ben: Learner) -> None:
    address = hub().address
    code = """
import os, socket
open_ = []
for where, ports in {wheres!r}.items():
    for port in ports:
        try:
            socket.create_connection((where, port), 3).close()
            open_.append((where, port))
        except OSError:
            pass
print(open_)"""
    own, others = ada.known["ssh_port"], ben.known["ssh_port"]
    doors = {"127.0.0.1": [own, 8081, others, 443, 22, 9000, 9001, 9002]}
    doors |= {
        where: [22, 25, 443]
        for where in (ada.known["address"], ben.known["address"], address, state.record("world")["address"])
    }
    assert ada.browser.run(code.format(wheres=doors)) == f"[('127.0.0.1', {own}), ('127.0.0.1', 8081)]\n"
    assert hub().run("ip -br link").stdout.count("\n") > 1, "the hub itself has one"


@pytest.mark.parametrize("file", ways.HUBS)
def test_the_hubs_own_files_are_roots(ada: Learner, ben: Learner, file: str) -> None:
    assert hub().run(["test", "-s", file], check=False).returncode == 0, "it is not even there"
    said = ada.browser.run(f"print(len(open({file!r}, 'rb').read()))")
    assert "PermissionError" in said or "FileNotFoundError" in said


@pytest.mark.parametrize("command", ways.ESCAPES)
def test_nobody_becomes_somebody_else(ada: Learner, ben: Learner, command: str) -> None:
    line = command.format(**ben.known)
    said = ada.browser.run(f"import subprocess; print('ended with', subprocess.run({line!r}, shell=True).returncode)")
    assert "ended with" in said and "ended with 0" not in said, said
    if "ended with 127" in said:  # there is none: not for anybody
        assert hub().run(["sh", "-c", f"command -v {line.split()[0]}"], check=False).returncode, said
    assert hub().run("systemctl is-active jupyter-ben-singleuser").stdout == "active\n"


def test_no_learner_is_an_administrator(ada: Learner) -> None:
    assert ada.browser.get("/hub/home").status_code == 200
    for path in ("/hub/admin", "/hub/api/proxy", "/hub/api/services", "/hub/metrics"):
        assert ada.browser.get(path).status_code in REFUSED, path
    listed = ada.browser.get("/hub/api/users")
    assert listed.status_code in REFUSED or [one["name"] for one in listed.json()] == ["ada"]
    for method, path in (("POST", "/hub/api/users/eve"), ("DELETE", "/hub/api/users/ben"), ("POST", "/hub/api/shutdown"),
                         ("DELETE", "/hub/api/users/ben/server")):  # fmt: skip
        assert ada.browser.ask(method, path, json={}).status_code in REFUSED, path


def test_no_token_and_no_password_is_in_a_log_or_in_an_argument(room: Path, ada: Learner, ben: Learner) -> None:
    secrets = [*tokens.known().values(), *(tokens.digest(one) for one in tokens.known().values())]
    for name in ("ada", "ben"):
        secrets += json.loads((room / f"learners/{name}/secrets.json").read_text()).values()
    text = hub().run("journalctl --no-pager; cat /var/log/nginx/*; cat /proc/[0-9]*/cmdline 2>/dev/null || :").stdout
    assert "POST /hub/login" in text and not [one for one in secrets if one in text]
    assert all((room / "hub" / one).stat().st_mode & 0o77 == 0 for one in ("tokens.json", "key.pem", "handout.html"))


def test_the_handout_has_a_card_for_each(room: Path) -> None:
    page = Path(told("hub", "handout")["handout"]).read_text()
    for name, token in tokens.known().items():
        assert token in page and f">{name}<" in page
    assert page.count("<svg") == 2 and handout.link("https://a", "ada", "T").startswith("https://a/hub/login#")


def test_again_changes_nothing_and_a_hub_that_restarts_ends_no_work(ada: Learner) -> None:
    assert told("hub", "up")["changed"] == []
    ada.browser.run("kept = 1")
    hub().run("systemctl restart mailroom-hub")
    told("hub", "up")
    assert ada.browser.run("print(kept)") == "1\n"


def test_a_reset_host_is_reached_again(ada: Learner) -> None:
    assert told("reset", "ada")["ok"]
    assert "mx.ada.class.example" in ada.browser.run("!ssh -F $MAILROOM_LAB_DIR/ssh_config ada hostname -f")


def test_open_lets_in_at_that_address_and_closes_again(room: Path) -> None:
    async def tried() -> int:
        ports: list[int] = []
        serving = asyncio.create_task(opening.serve("127.0.0.2", 0, int(facts.local().rsplit(":", 1)[1]), ports.append))
        while not ports:
            await asyncio.sleep(0.05)
        address = f"https://127.0.0.2:{ports[0]}/hub/login"

        def asked() -> int:
            return requests.get(
                address, verify=False, timeout=60
            ).status_code  # the certificate is for the address of the cards

        status = await asyncio.to_thread(asked)
        serving.cancel()
        await asyncio.wait([serving])
        with pytest.raises(requests.ConnectionError, match="refused"):
            await asyncio.to_thread(asked)
        return status

    assert asyncio.run(tried()) == 200


def test_a_lost_card_is_worth_nothing_any_more(room: Path, ada: Learner) -> None:
    old = tokens.known()["ada"]
    told("hub", "renew", "ada")
    assert tokens.known()["ada"] != old
    assert browser(room).sign_in("ada", old).status_code == 403
    assert ada.browser.get("/hub/home").url.startswith(f"{facts.local()}/hub/login")
    ada.browser.session.cookies.clear()
    assert ada.browser.sign_in("ada", tokens.known()["ada"]).status_code == 302


def test_the_notebooks_can_be_kept(room: Path, ada: Learner, tmp_path: Path) -> None:
    told("hub", "keep", str(tmp_path / "all.tar.gz"))
    listed = subprocess.run(
        ["tar", "-tzf", str(tmp_path / "all.tar.gz")], capture_output=True, text=True, check=True
    ).stdout
    assert "./learner-ada/notebooks/00-the-factory-and-its-host.ipynb" in listed
    assert "id_ed25519" not in listed
    again = classroom("hub", "keep", str(tmp_path / "all.tar.gz"))
    assert again.returncode == 2 and "nothing was written" in again.stderr


def test_who_leaves_the_class_leaves_the_hub(room: Path, ben: Learner) -> None:
    told("remove", "ben")
    assert hub().run("id learner-ben; ls -d /home/learner-ben /run/netns/ben", check=False).stdout == ""
    assert "ben" not in hub().run("ls /etc/systemd/system; cat /etc/nginx/nginx.conf").stdout
    assert browser(room).sign_in("ben", "X").status_code == 403


def test_down_takes_the_hub_and_leaves_the_hosts(room: Path) -> None:
    assert told("hub", "down") == {"removed": True}
    assert "hub" not in {one["name"] for one in state.described()} and not (room / "hub").exists()
    assert Host("ada", state.record("ada")).run("hostname").stdout
