"""What the hub is made of, brought there: packages, a virtual environment, and this checkout's code.

A lab host reaches Debian's mirror and nothing else. So pip of this machine downloads what requirements.lock of this folder names, by its
sums, and pip of the hub installs it from there, by the same sums.
"""

import hashlib
import io
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

from classroom.people import ClassError
from lab import Host, names, state
from lab.progress import busy

LOCK = Path(__file__).parent / "requirements.lock"
PYTHON = "3.13"  # Debian 13's
ROOT = "/opt/mailroom"
PYTHON_THERE = f"{ROOT}/.venv/bin/python"
PACKAGES = "iproute2 nginx openssh-client python3 python3-venv"
# All that a learner's notebooks, terminals and exercises call; of the inventories, the lab's alone.
CODE = ("checks", "classroom", "deploys", "docs", "facts", "group_data", "inventories", "inventory.py", "lab", "notebooks",
        "operations", "postmaster")  # fmt: skip
GLIBC = (41, 36, 34, 28, 24, 17, 12, 5)  # of manylinux: what a wheel may ask for


def packages(host: Host) -> None:
    missing = f"dpkg-query -W -f '${{db:Status-Abbrev}}' {PACKAGES} 2>/dev/null | grep -qv '^\\(ii \\)*$' || ! command -v nginx"
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -qq"
    install = f"{apt} update && {apt} install --no-install-recommends {PACKAGES} >/dev/null"
    with busy("installing the hub's packages"):
        host.run(f"if {missing} >/dev/null; then {install}; fi", timeout=600)


def wheels() -> Path:
    """The folder with all that the lock names, downloaded once for all classes of this machine."""
    folder = names.cache() / "hub" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    if (folder / "all").exists():
        return folder
    machine = platform.machine()
    tags = [f"manylinux_2_{minor}_{machine}" for minor in GLIBC] + [f"manylinux2014_{machine}", "any"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--requirement", str(LOCK), "--dest", str(folder)]
    command += ["--python-version", PYTHON, "--implementation", "cp"]
    command += [word for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)]
    command += [word for tag in tags for word in ("--platform", tag)]
    with busy("downloading JupyterHub and what it needs, once for this machine"):
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        why = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "pip gave no reason")
        raise ClassError(f"The hub's packages could not be downloaded: {why}", "The same command again goes on.")
    (folder / "all").touch()
    return folder


def environment(host: Host) -> None:
    """The virtual environment on the hub, by the lock."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if host.run(f"cat {ROOT}/.venv/lock 2>/dev/null", check=False).stdout == digest:
        return
    source = wheels()
    pip = f"{ROOT}/.venv/bin/pip install --quiet --disable-pip-version-check --no-index --find-links /var/tmp/wheels"
    with busy("installing JupyterHub on the hub"):
        send(host, "/var/tmp/wheels", {file.name: file for file in source.iterdir()} | {LOCK.name: LOCK})
        host.run(
            f"set -e; rm -rf {ROOT}/.venv; python3 -m venv {ROOT}/.venv; {pip} setuptools\n"
            # two come as source, and there is no index that pip could have their builder from
            f"{pip} --no-build-isolation --require-hashes --requirement /var/tmp/wheels/{LOCK.name}\n"
            f"rm -rf /var/tmp/wheels; printf %s {digest} >{ROOT}/.venv/lock",
            timeout=900,
        )


def code(host: Host) -> bool:
    """This checkout's own code on the hub, as git knows it. Whether it was another one."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *CODE], cwd=names.ROOT, capture_output=True, text=True, check=False
    )
    files = {name: names.ROOT / name for name in listed.stdout.split("\0") if name and (names.ROOT / name).is_file()}
    if listed.returncode or not files:
        why = listed.stderr.strip() or "git knows no files here"
        raise ClassError(
            f"git does not say what belongs to this checkout: {why}", "A hub needs a checkout made by git."
        )
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(name.encode() + b"\0" + file.read_bytes())
    if host.run(f"cat {ROOT}/code 2>/dev/null", check=False).stdout == digest.hexdigest():
        return False
    with busy("bringing the code to the hub"):
        host.run(f"mkdir -p {ROOT} && cd {ROOT} && rm -rf {' '.join(CODE)} code")
        send(host, ROOT, files)
        compiled = (
            f"{ROOT}/.venv/bin/python -m compileall -q {' '.join(f'{ROOT}/{one}' for one in CODE if one != 'docs')}"
        )
        host.run(f"{compiled} >/dev/null; printf %s {digest.hexdigest()} >{ROOT}/code", timeout=300)
    return True


def send(host: Host, to: str, files: dict[str, Path]) -> None:
    """Files below a folder of the hub: root's, and everybody may read them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, file in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = file.stat().st_size, 0o755 if file.stat().st_mode & 0o100 else 0o644
            entry.mtime = int(file.stat().st_mtime)
            with file.open("rb") as opened:
                tar.addfile(entry, opened)
    command = [
        "ssh",
        "-F",
        str(state.path("ssh_config")),
        host.name,
        f"mkdir -p {to} && tar -x -C {to} --no-same-owner",
    ]
    subprocess.run(command, input=packed.getvalue(), check=True)
