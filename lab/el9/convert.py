"""Debian packages made into RPMs under the names of the Red Hat family. Runs in the image being built, never on a host.

usage: convert.py DEBS RPMS REPOSITORY: DEBS is a folder of .deb files, RPMS the folder of what each RPM is to be
(see `rpms/`), REPOSITORY where the RPMs go. The payload is Debian's; names, configuration, units and scriptlets are ours.
"""

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Which Debian packages an RPM is made of. What is not named here and begins with "lib" is an RPM by its own name.
PARTS = {
    "dovecot": ("dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-pop3d"),
    "dovecot-pgsql": ("dovecot-pgsql",),
    "libpq": ("libpq5",),
    "postfix": ("postfix",),
    "postfix-pgsql": ("postfix-pgsql",),
    "postgresql": ("postgresql-client-15",),
    "postgresql-server": ("postgresql-15",),
}
# Without a payload: on a Red Hat host they come from packages of these names, here they are Debian's and there already.
EMPTY = ("almalinux-release", "ca-certificates", "openssl", "policycoreutils-python-utils")
INSTALLED = (
    "almalinux-release",
    "ca-certificates",
    "openssl",
    "rootfs",
)  # not policycoreutils: that is for dnf to bring
REQUIRES = {"dovecot-pgsql": ("dovecot",), "postfix-pgsql": ("postfix",), "postgresql-server": ("postgresql",)}
# The just-in-time compiler is a package of its own there too; manuals, and how Debian starts things.
UNWANTED = re.compile(
    r"llvmjit|/bitcode/|^usr/share/(doc|man|lintian|bug|locale|apport)/|^etc/(init\.d|default|ufw|rsyslog\.d|ppp|network|"
    r"dhcp|resolvconf|insserv\.conf\.d|pam\.d|logcheck)|systemd/|^usr/share/dovecot/protocols\.d"
)


def run(*words: str, stdin: str = "") -> str:
    return subprocess.run(words, input=stdin, text=True, check=True, stdout=subprocess.PIPE).stdout


def elf(what: str, files: list[Path]) -> list[str]:
    """What the libraries and programs among these files provide or require, as RPM writes it."""
    real = [path for path in files if not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF"]
    found = run("/usr/lib/rpm/elfdeps", f"--{what}", stdin="".join(f"{path}\n" for path in real))
    return sorted(set(found.splitlines()))


def unpack(deb: Path, into: Path) -> None:
    """A package's files, all below /usr: lib/ and sbin/ of the root are links there."""
    with tempfile.TemporaryDirectory() as folder:
        run("dpkg-deb", "--extract", str(deb), folder)
        for source in sorted(Path(folder).rglob("*")):
            inside = str(source.relative_to(folder))
            if UNWANTED.search(inside) or (source.is_dir() and not source.is_symlink()):
                continue
            place = re.sub(r"^(lib64|lib|sbin|bin)/", r"usr/\1/", inside)
            (into / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, into / place)
            if ".so" in source.name and not (into / place).is_symlink():
                (into / place).chmod(0o755)  # as Red Hat's are, and as RPM wants them to find what they need


def build(name: str, version: str, root: Path, rpms: Path, repository: Path, provides: list[str]) -> None:
    """One RPM of a tree of files, with the scriptlets `rpms/NAME.pre` and `rpms/NAME.post` if there are any."""
    files = [path for path in sorted(root.rglob("*")) if path.is_symlink() or not path.is_dir()]
    spec = [f"Name: {name}", f"Version: {version.replace('-', '_')}", "Release: 1.el9"]
    spec += [f"Summary: {name}, as a lab has it", "License: see the Debian package", "AutoReqProv: no"]
    spec += [f"Provides: {one}" for one in [*provides, *elf("provides", files)]]
    spec += [f"Requires: {one}" for one in [*REQUIRES.get(name, ()), *elf("requires", files)]]
    spec += ["%description", "Debian's files under the name of a Red Hat package, for a lab."]
    for part in ("pre", "post"):
        if (script := rpms / f"{name}.{part}").exists():
            spec += [f"%{part}", script.read_text()]
    spec.append("%files")
    for path in files:  # what stands in /etc is the administrator's once it is there
        mark = "%config(noreplace) " if path.is_relative_to(root / "etc") else ""
        spec.append(f'{mark}"/{path.relative_to(root)}"')
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "spec").write_text("\n".join(spec) + "\n")
        options = [f"_rpmdir {repository}", f"_topdir {work}", "__os_install_post %{nil}", "_binary_payload w1.gzdio"]
        options += ["_build_id_links none"]
        defines = [word for option in options for word in ("--define", option)]
        run("rpmbuild", "-bb", "--quiet", *defines, "--buildroot", str(root), f"{work}/spec")


def main() -> None:
    debs, rpms, repository = map(Path, sys.argv[1:])
    there = {path.name.partition("_")[0]: path for path in debs.glob("*.deb")}
    named = {part for parts in PARTS.values() for part in parts}
    libraries = {name: (name,) for name in there if name.startswith("lib") and name not in named}
    for name, parts in {**PARTS, **libraries}.items():
        version = run("dpkg-deb", "--field", str(there[parts[0]]), "Version").strip()
        upstream = re.sub(r"^\d+:|[-+~].*$", "", version)
        with tempfile.TemporaryDirectory() as root:
            for part in parts:
                unpack(there[part], Path(root))
            if (ours := rpms / name).is_dir():
                shutil.copytree(ours, root, dirs_exist_ok=True, symlinks=True)
            build(name, upstream, Path(root), rpms, repository, [])
    every = [path for folder in ("/usr/lib", "/usr/lib64") for path in Path(folder).rglob("*.so*") if path.is_file()]
    for name in (*EMPTY, "rootfs"):
        with tempfile.TemporaryDirectory() as root:
            # everything that the Debian below provides, so that dnf resolves what is missing for real
            provides = [*elf("provides", every), "rtld(GNU_HASH)", "/bin/sh"] if name == "rootfs" else []
            build(name, "9", Path(root), rpms, repository, provides)
    run("rpm", "--install", "--justdb", *(str(next(repository.rglob(f"{name}-9-*.rpm"))) for name in INSTALLED))
    run("createrepo_c", "--quiet", str(repository))
    print(f"{len(list(repository.rglob('*.rpm')))} RPMs for {platform.machine()}")


if __name__ == "__main__":
    main()
