"""Another key takes over while letters go out: each of them holds, by one of the two records. OpenDKIM judges."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Host
from lab.cli import main
from tests.live.passports import postmaster
from tests.live.support import MAILSERVER, applied
from tests.live.test_signatures import KEYS, verdict
from tests.live.traffic import ALICE, out_there, read, submitted

FOLDER = f"{KEYS}/example.test"
FIRST = "mailroom._domainkey.example.test"
pytestmark = pytest.mark.usefixtures("no_mail")


def desk(*words: str) -> tuple[int, str]:
    done = postmaster("dkim", *words)
    return done.returncode, done.stdout + done.stderr


def keys() -> tuple[int, dict[str, dict[str, Any]], dict[str, Any]]:
    """The exit code, the keys of example.test by their role, and the domain's row."""
    done = postmaster("dkim", "--json")
    (row,) = json.loads(done.stdout)["domains"]
    return done.returncode, {one["role"]: one for one in row["keys"]}, row


@pytest.fixture
def as_it_was(mailserver: Host, world: Host) -> Iterator[None]:
    """The keys and the world's DNS are put back, whatever was done with them."""
    mailserver.run(f"cp -a {FOLDER} /root/keys.before")
    yield
    names = {name[:-4] for name in mailserver.run(f"ls {FOLDER}").stdout.split() if name.startswith("m2")}
    mailserver.run(
        f"rm -rf {FOLDER}; mv /root/keys.before {FOLDER}; systemctl reset-failed amavis; systemctl restart amavis"
    )
    for name in names:
        main(["publish", f"{name}._domainkey.example.test"])
    assert applied(MAILSERVER).changes == 0


@pytest.mark.usefixtures("as_it_was", "published")
def test_a_key_is_rotated_under_traffic(mailserver: Host, world: Host) -> None:
    before = mailserver.run(f"sha256sum {FOLDER}/*").stdout
    assert desk("switch")[0] == desk("retire")[0] == 0 and mailserver.run(f"sha256sum {FOLDER}/*").stdout == before

    code, said = desk("rotate")
    name, selector = re.findall(r"^((\S+)\._domainkey\.example\.test)\. 3600 IN TXT \"v=DKIM1; p=", said, re.MULTILINE)[
        0
    ]
    assert code == 0 and re.fullmatch(r"m\d{8}", selector), said
    assert desk("rotate")[1].count(f"{name}.") == 1, "a second one was made"
    made = mailserver.run(f"stat -c '%a %U:%G' {FOLDER}/{selector}.pem; ls {FOLDER}").stdout.split()
    assert made[:2] == ["640", "root:amavis"] and set(made[2:]) == {"mailroom.pem", f"{selector}.pem", "signing"}

    code, said = desk("switch")
    assert code == 1 and "nothing was changed" in said and f"{name}: there is none" in said, said
    text = "".join(
        re.findall(r'"([^"]*)"', next(row for row in desk("rotate")[1].splitlines() if row.startswith(name)))
    )
    assert main(["publish", name, text[:-9]]) == 0
    assert desk("switch")[0] == 1 and keys()[1]["signs"]["selector"] == "mailroom"
    assert main(["publish", name]) == main(["publish", name, text]) == 0
    assert applied(MAILSERVER).changes == 0, "a run after `rotate`"
    printed = postmaster("dns", "print").stdout
    assert f"{name}. 3600 IN TXT" in printed and f"{FIRST}. 3600 IN TXT" in printed

    marks, done = [submitted(mailserver, ALICE)], threading.Event()

    def write() -> None:
        while not done.wait(2):  # logins of one address: 60 a minute, and no test is alone in its minute
            marks.append(submitted(mailserver, ALICE))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        code, said = desk("switch")
    finally:
        done.set()
        writer.join()
    assert code == 0 and f"{selector} signs now" in said, said
    marks.append(submitted(mailserver, ALICE))
    paths = [out_there(world, mark) for mark in marks]
    signed = [re.search(r"\bs=([a-z0-9]+);", read(world, path)) for path in paths]
    assert [one[1] for one in signed if one][:: len(paths) - 1] == ["mailroom", selector]
    for path in paths:
        said = verdict(world, path, (FIRST, name))
        assert "succeeded" in said, said

    code, found, row = keys()
    assert code == 0 and found["signs"]["selector"] == selector and found["old"]["selector"] == "mailroom", row
    assert desk("switch")[0] == 0 and keys()[1]["signs"] == found["signs"]
    assert applied(MAILSERVER).changes == 0, "a run after `switch`"
    code, said = desk("retire")
    assert (
        code == 1 and "Too early; nothing was changed" in said and f"not before {found['old']['keep'][:10]}" in said
    ), said

    # as if it were long ago; the file's own time stays, or Amavis would count as older than it
    long_ago = "1!s/[^ ]*$/2026-01-02T00:00:00Z/; s/ [^ ]*Z/ 2026-01-01T00:00:00Z/"
    mailserver.run(
        f"cd {FOLDER} && touch -r signing /root/time && sed -i '{long_ago}' signing && touch -r /root/time signing"
    )
    code, said = desk("retire")
    assert f"{FIRST}. TXT" in said and "mailroom.pem is gone" in said, said
    assert mailserver.run(f"ls {FOLDER}").stdout.split() == [f"{selector}.pem", "signing"]
    assert applied(MAILSERVER).changes == 0, "a run after `retire`"
    assert "Take the record" in keys()[2]["next"]


@pytest.mark.usefixtures("as_it_was", "published")
def test_a_switch_that_was_cut_off_is_finished_and_two_at_once_do_no_harm(mailserver: Host, world: Host) -> None:
    both = [threading.Thread(target=desk, args=("rotate",)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    (made,) = [
        name for name in mailserver.run(f"ls {FOLDER}").stdout.split() if name not in ("mailroom.pem", "signing")
    ]
    selector = made.removesuffix(".pem")
    assert main(["publish", f"{selector}._domainkey.example.test", keys()[1]["next"]["want"]]) == 0
    mailserver.run("printf 'eve since noon' >/run/mailroom.lock")
    holder = mailserver.run("setsid flock -o /run/mailroom.lock sleep 60 >/dev/null 2>&1 </dev/null & echo $!").stdout
    try:
        code, said = desk("switch")
    finally:
        mailserver.run(f"kill {holder}")
    assert code == 1 and "eve since noon is changing" in said and "nothing was changed" in said, said
    assert keys()[1]["signs"]["selector"] == "mailroom"

    # killed right behind the rename: the file says another key, and Amavis has not heard of it
    mailserver.run(
        f'sleep 1; cd {FOLDER}; umask 027; {{ echo {selector} $(date -u +%FT%TZ); sed "1s/$/ $(date -u +%FT%TZ)/" signing; }} >n'
        " && chgrp amavis n && mv n signing"
    )
    assert "cut off" in keys()[2]["next"] and "dkim switch" in desk("retire")[1]
    code, said = desk("switch")
    assert code == 0 and "cut off" in said and keys()[2]["next"].startswith("Leave the record of mailroom"), said
    path = out_there(world, submitted(mailserver, ALICE))
    assert f"s={selector};" in read(world, path)
