"""python -m classroom.hub.inside.furnish: makes the hub what it is told on standard input, as root. Prints what has changed.

Told are `files` (path: text and mode), `units` (name: text), `learners` (name: Unix user, and place: the files of a learner's folder), and
`code`: whether mailroom's own is new. Users, units and homes of those who are not told go. It does nothing twice.
"""

import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

UNITS = Path("/etc/systemd/system")
PREFIX = "learner-"


def run(*words: str) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def put(file: Path, text: str, mode: int) -> bool:
    """Whether the file was another one. It is never readable by others in between."""
    if file.is_file() and not file.is_symlink() and (file.stat().st_mode & 0o777, file.read_text()) == (mode, text):
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    new.chmod(mode)
    new.rename(file)
    return True


def files(told: dict[str, list[Any]]) -> list[str]:
    return [path for path, (text, mode) in told.items() if put(Path(path), text, mode)]


def learner(name: str, one: dict[str, Any]) -> list[str]:
    """The Unix user, whom nobody is let in as, and the place: a lab's folder with one mail host in it (lab/places.py)."""
    user, changed = one["user"], []
    if user not in {entry.pw_name for entry in pwd.getpwall()}:
        run("useradd", "--create-home", "--shell", "/usr/sbin/nologin", "--user-group", user)
        changed.append(f"user {user}")
    entry = pwd.getpwnam(user)
    Path(entry.pw_dir).chmod(0o700)
    # By the learner: what is in their home is theirs, and a link of theirs would lead root to wherever they like.
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, f"{entry.pw_dir}/class/learners/{name}"],
        input=json.dumps(one["place"]), user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], umask=0o077,
        check=True, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    return changed + [f"{user}: {file}" for file in json.loads(done.stdout)]


def place(folder: Path) -> None:
    """A part of the above: the files of a place, as the learner."""
    print(json.dumps([name for name, (text, mode) in json.load(sys.stdin).items() if put(folder / name, text, mode)]))


def units(told: dict[str, str]) -> list[str]:
    """Which were other ones. Those of learners who have gone are stopped, and go."""
    gone = [one.name for kind in ("way", "door") for one in UNITS.glob(f"mailroom-{kind}-*") if one.name not in told]
    if gone:
        run("systemctl", "disable", "--quiet", "--now", *gone)
        for name in gone:
            (UNITS / name).unlink(missing_ok=True)
    changed = [name for name, text in told.items() if put(UNITS / name, text, 0o644)]
    if changed or gone:
        run("systemctl", "daemon-reload")
    sockets = [name for name in told if name.endswith(".socket")]
    run("systemctl", "enable", "--quiet", *sockets)
    again = [name for name in changed if name.endswith(".socket")]
    if again:
        # a socket cannot be opened anew while its service has it
        run("systemctl", "stop", *(name.replace(".socket", ".service") for name in again))
        run("systemctl", "restart", *again)
    run("systemctl", "start", *sockets)
    return changed + [f"{name} gone" for name in gone]


def leave(users: set[str]) -> list[str]:
    """Those who are no longer in the class: their servers, networks, users and homes."""
    gone = [one for one in pwd.getpwall() if one.pw_name.startswith(PREFIX) and one.pw_name not in users]
    for one in gone:
        name = one.pw_name.removeprefix(PREFIX)
        subprocess.run(["systemctl", "stop", f"jupyter-{name}-singleuser", f"mailroom-room@{name}"], check=False)
        run("userdel", one.pw_name)
        shutil.rmtree(one.pw_dir, ignore_errors=True)
    return [f"user {one.pw_name} gone" for one in gone]


def main() -> None:
    told = json.load(sys.stdin)
    changed = files(told["files"])
    for name, one in told["learners"].items():
        changed += learner(name, one)
    changed += leave({one["user"] for one in told["learners"].values()})
    changed += units(told["units"])
    web = [one for one in changed if one.startswith(("/etc/nginx/", "/etc/mailroom-hub/key", "/etc/mailroom-hub/cert"))]
    if web:
        run("nginx", "-q", "-t")
    run("systemctl", "enable", "--quiet", "nginx", "mailroom-hub")
    run("systemctl", "start", "nginx")
    if web:
        run("systemctl", "reload", "nginx")
    new = told["code"] or {"/etc/mailroom-hub/learners.json", "mailroom-hub.service"} & set(changed)
    run("systemctl", "restart" if new else "start", "mailroom-hub")  # the learners' servers go on
    print(json.dumps(changed))


if __name__ == "__main__":
    place(Path(sys.argv[1])) if sys.argv[1:] else main()
