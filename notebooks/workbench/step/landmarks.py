"""Which steps have been done on the host, and what stands there for one: asked over SSH, changing nothing."""

from __future__ import annotations

import shlex

from notebooks.workbench.host import remote, where
from notebooks.workbench.step import steps
from notebooks.workbench.step.marks import LANDMARKS
from notebooks.workbench.step.marks.kinds import HELPERS


def filled(script: str) -> str:
    """Shell with this host's names in it."""
    data = where.place().data
    values = {
        "FQDN": where.place().fqdn,
        "CERT": data["tls_certificate"],
        "KEY": data["tls_key"],
        "OWNER": data["mail_owner"],
        "HOME": data["mail_home"],
    }
    for name, value in values.items():
        script = script.replace(f"@{name}@", shlex.quote(value))
    return script


def done(*only: str) -> set[str]:
    """The steps, of these or of all, whose marks are on the host; asked in one command."""
    asked = {step: LANDMARKS[step] for step in only or LANDMARKS if step in LANDMARKS}
    tests = [f"if ( {mark.done} ) >/dev/null; then echo {step}; fi" for step, mark in asked.items()]
    return set(remote.execute(HELPERS + filled("\n".join(tests))).out.split())


def now(step: steps.Step) -> str:
    """What stands on the host for this step, as its own programs print it; "" where there is nothing yet."""
    mark = LANDMARKS.get(step.id)
    return remote.execute(HELPERS + filled(mark.now)).out.strip("\n") if mark else ""


def missing(step: steps.Step) -> list[str]:
    """What has to be done before this step, in order; [] when it can be done."""
    wanted = needs(step.id)
    built = done(*wanted) if wanted else set()
    return [need for need in wanted if need not in built]


def needs(step: str) -> list[str]:
    """All that a step stands on, in order."""
    found: list[str] = []
    for need in LANDMARKS[step].needs if step in LANDMARKS else ():
        found += [*needs(need), need]
    return list(dict.fromkeys(found))
