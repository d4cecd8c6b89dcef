"""Which files and settings count."""

import re

from checks.engine import Failed, Target, Warned, claim, negative

NEEDS = "ssh"


@claim(
    "The distribution's settings are switched off", remedy="Put a hash before !include conf.d/*.conf in dovecot.conf."
)
def off(target: Target) -> str:
    lines = map(str.strip, target.read("/etc/dovecot/dovecot.conf").splitlines())
    if wrong := [line for line in lines if re.match(r"!include.*(conf\.d/|local\.conf)", line)]:
        raise Failed("; ".join(wrong))
    return "neither conf.d nor local.conf is included"


@negative(
    "No setting of dovecot.conf stands outside of mailroom's blocks",
    remedy="Take the line out: of two settings the last one counts; docs/ours.md.",
)
def nothing_beside(target: Target) -> str:
    found, depth, block, seen = [], 0, "", set()
    for number, line in enumerate(map(str.strip, target.read("/etc/dovecot/dovecot.conf").splitlines()), 1):
        if mark := re.fullmatch(r"# (>>>|<<<) mailroom: (.+)", line):
            block = mark[2] if mark[1] == ">>>" and mark[2] not in seen else ""
            seen.add(mark[2])
        if not line or line.startswith("#"):
            continue
        if (
            not block
            and depth == 0
            and not re.match(
                r"dovecot_(config|storage)_version\b|!include_try /usr/share/dovecot/protocols\.d/|dict \{$|\}$", line
            )
        ):
            found.append(f"line {number}: {line.split('=')[0].strip()}")
        depth = max(0, depth + line.endswith("{") - line.startswith("}"))
    if found:
        raise Warned(", ".join(found[:5]))
    return f"{len(seen)} blocks, and the package's own lines"


@negative("Unix users cannot log in to IMAP by their own passwords", remedy="Only the SQL passdb may be there.")
def no_pam(target: Target) -> str:
    # 2.3 says `driver = pam`, 2.4 `passdb pam {`.
    found = target.shell("doveconf -n 2>/dev/null | grep -E '(driver = |passdb )(pam|shadow|passwd)'", may_fail=True)
    if found:
        raise Failed(found)
    return "no PAM, shadow or passwd among doveconf's passdbs"
