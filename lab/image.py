"""The bare Debian that every host starts from: made once per suite, shared by all checkouts."""

import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import names, standin, tools, world
from lab.engine import Engine
from lab.errors import LabError
from lab.progress import busy, say

GUEST = Path(__file__).resolve().parent / "guest"
PACKAGES = ["ca-certificates", "dbus", "iproute2", "libpam-systemd", "netbase", "openssh-server", "procps"]
PACKAGES += ["systemd-sysv"]
WEEK = 7 * 24 * 3600


def made_of(suite: str) -> tuple[str, list[str], list[Path]]:
    """The Debian below, its packages, and the folders whose `setup` makes a host of it, in this order."""
    if suite in names.STAND_INS:
        return standin.BASE, [*PACKAGES, *standin.PACKAGES], [GUEST, standin.FOLDER]
    if suite == names.WORLD:
        return world.BASE, [*PACKAGES, *world.PACKAGES], [GUEST, world.FOLDER]
    return suite, PACKAGES, [GUEST]


def recipe(suite: str) -> str:
    """A digest of all that the image is made from: another recipe makes another image, beside the old one."""
    _, packages, makers = made_of(suite)
    digest = hashlib.sha256(f"{suite} {packages}".encode())
    for folder in makers:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.parent.name != "__pycache__":  # a test has imported what is in a tree
                digest.update(f"{path.relative_to(folder)}".encode() + path.read_bytes())
    return digest.hexdigest()[:10]


def reference(suite: str) -> str:
    """The image's name and tag."""
    return f"localhost/mailroom-base:{suite}-{recipe(suite)}"


def ensure(engine: Engine, suite: str) -> str:
    """The base image's name, built first where it is not there yet."""
    if not engine.ok("image", "inspect", reference(suite)):
        with one_at_a_time(f"image-{suite}"):
            if not engine.ok("image", "inspect", reference(suite)):
                build(engine, suite)
    return reference(suite)


@contextmanager
def one_at_a_time(what: str) -> Iterator[None]:
    """Two checkouts may come up at once: the second waits and then finds the work done."""
    names.cache().mkdir(parents=True, exist_ok=True)
    with (names.cache() / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(engine: Engine, suite: str) -> None:
    tar = tarball(suite)
    if not tar.exists():
        make_rootfs(engine, suite, tar)
    mirrors = f"LABEL mailroom.mirrors={','.join(mirrors_in(tar))}"
    with busy(f"importing the {suite} image"):
        engine.run("import", "--change", 'CMD ["/sbin/init"]', "--change", mirrors, str(tar), reference(suite))


def tarball(suite: str) -> Path:
    """The root file system in the cache."""
    return names.cache() / f"{suite}-{recipe(suite)}.tar"


def make_rootfs(engine: Engine, suite: str, tar: Path) -> None:
    tar.parent.mkdir(parents=True, exist_ok=True)
    say(f"making a bare {suite}, once; this takes up to a minute (kept in {tar.parent})")
    for old in names.cache().glob(f"{suite}-*.tar*"):
        if old.stat().st_mtime < time.time() - WEEK:  # of another recipe, or left by a killed run
            old.unlink()
    work = tar.with_suffix(f".tar.{os.getpid()}")  # renamed when complete: a killed run leaves no half image
    try:
        if suite == standin.YUM_ONLY:
            if not tarball("el9").exists():
                make_rootfs(engine, "el9", tarball("el9"))
            standin.without_dnf(tarball("el9"), work)
        elif tools.have_mmdebstrap():
            from_mirror(suite, work)
        elif suite in names.STAND_INS:
            raise LabError(f"{suite} is made with mmdebstrap only.", "Install it, or use a Debian suite.")
        else:
            from_registry(engine, suite, work)
        work.rename(tar)
    finally:
        work.unlink(missing_ok=True)


def from_mirror(suite: str, tar: Path) -> None:
    """With mmdebstrap, from the Debian mirror that this machine uses."""
    release, packages, makers = made_of(suite)
    command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}"]
    command += ["--format=tar", "--quiet", "--skip=cleanup/apt/lists,cleanup/apt/cache"]
    command += [f"--dpkgopt={GUEST / 'tree/etc/dpkg/dpkg.cfg.d/lab'}"]
    command += [f"--aptopt={GUEST / 'tree/etc/apt/apt.conf.d/90lab'}"]
    for folder in makers:
        inside = f"/tmp/mailroom-{folder.name}"
        command += [f'--customize-hook=mkdir "$1{inside}"']
        command += [f"--customize-hook=sync-in {shlex.quote(str(folder))} {inside}"]
        command += [f'--customize-hook=chroot "$1" sh {inside}/setup {inside}/tree']
        command += [f'--customize-hook=rm -r "$1{inside}"']
    with busy(f"mmdebstrap {suite}"):
        done = subprocess.run([*command, release, str(tar)], text=True, capture_output=True, check=False)
    if done.returncode:
        raise LabError(
            f"mmdebstrap could not make {suite}: {done.stderr.strip()[-600:]}",
            "Check that this machine reaches its Debian mirror, then run the command again.",
        )


def mirrors_in(tar: Path) -> list[str]:
    """The host names in the image's own apt sources: all that its hosts may reach."""
    command = ["tar", "--extract", "--to-stdout", "--file", str(tar), "--wildcards", "*etc/apt/sources.list*"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    return sorted(set(re.findall(r"\bhttps?://([^/\s:]+)", done.stdout)))


def mirrors(found: dict[str, Any]) -> list[str]:
    """The mirrors of an image or a container, as `Engine.inspect` describes it."""
    labels = found["Config"].get("Labels") or {}
    return [name for name in labels.get("mailroom.mirrors", "").split(",") if name]


def forget(engine: Engine) -> None:
    """Drop every base image, of older recipes too."""
    reference = "reference=localhost/mailroom-base"
    for one in engine.run("images", "--quiet", "--filter", reference).split():
        engine.run("rmi", one, check=False)


def from_registry(engine: Engine, suite: str, tar: Path) -> None:
    """Without mmdebstrap: the same recipe on the official debian image."""
    release, packages, makers = made_of(suite)
    unpacked = f"{reference(suite)}-registry"
    say(f"no mmdebstrap here: building on the registry's debian:{release}")
    with tempfile.TemporaryDirectory() as folder, busy(f"building the {suite} image"):
        for maker in makers:
            shutil.copytree(maker, Path(folder) / "lab" / maker.name)
        setups = [f"sh /tmp/lab/{maker.name}/setup /tmp/lab/{maker.name}/tree" for maker in makers]
        (Path(folder) / "Dockerfile").write_text(
            f"FROM debian:{release}\nCOPY lab /tmp/lab\nENV DEBIAN_FRONTEND=noninteractive\n"
            "RUN cp /tmp/lab/guest/tree/etc/dpkg/dpkg.cfg.d/lab /etc/dpkg/dpkg.cfg.d/ && apt-get update"
            f" && apt-get install --yes --no-install-recommends {' '.join(packages)}"
            f" && {' && '.join(setups)} && rm -r /tmp/lab\n"
        )
        engine.run("build", "--tag", unpacked, folder)
        try:
            container = engine.run("create", unpacked)
            try:
                engine.run("export", "--output", str(tar), container)
            finally:
                engine.run("rm", container, check=False)
        finally:
            engine.run("rmi", unpacked, check=False)
