"""Which steps are done on the host: what their own dry runs say, all of them in one question to pyinfra."""

from dataclasses import dataclass

from notebooks.workbench.host import snapshots, where, worker
from notebooks.workbench.show import progress
from notebooks.workbench.show.errors import NotReady
from notebooks.workbench.step import steps


@dataclass(frozen=True)
class DryRun:
    missing: list[str]  # steps that this one stands on
    chapters: list[str]  # those of which all is missing
    never: list[str]  # this step, where it was never done; of one that only restarts daemons, those before it
    undone: list[str]  # operations that would change something; not asked where something is missing
    unasked: list[str]  # operations of which only PostgreSQL could tell, and it does not answer
    done: bool
    refused: str = ""  # why pyinfra does nothing at all on this host


AWAY = "PostgreSQL does not answer, so nobody can tell about: "


def ask(*only: str) -> dict[str, DryRun]:
    """Of these steps, or of all that this host can have. Raises NotReady where pyinfra refuses the host as a whole."""
    snapshots.wait()
    here = where.place()
    with progress.Progress(f"asking pyinfra what is on {here.name}", delay=0.5) as shown:
        try:
            found = worker.ask("dry_run", tick=shown.tick, host=here.name, steps=list(only))
        except worker.Refused as refused:
            raise NotReady(f"pyinfra refuses {here.name}.", str(refused)) from None
    return {step: DryRun(**one) for step, one in found["steps"].items()}


def need(step: steps.Step) -> DryRun:
    """The step's dry run. Raises NotReady, naming what to run, when something that it stands on is missing."""
    try:
        found = ask(step.id)[step.id]
    except NotReady as refused:  # the host as a whole
        return DryRun([], [], [], [], [], False, f"{refused.what} {refused.why}")
    if not found.missing:
        return found
    what = f"Step {step.number} ({step.id}) has nothing to stand on yet; nothing was changed."
    raise NotReady(what, *(_chapters(found.chapters) if found.chapters else _steps(found.missing)))


def never(step: steps.Step, found: DryRun) -> NotReady:
    """What is to be said of a step that was never done, where its outcome is asked for."""
    first = steps.find(found.never[0])
    why = f"Nothing that {first.id} writes is on {where.place().name}, so there is nothing to prove."
    return NotReady(f"Step {step.number} ({step.id}) has not been done yet.", why, _applies(found.never), first.place)


def _chapters(missing: list[str]) -> tuple[str, str, str]:
    """Why, the remedy and where: whole chapters are missing. To build them is to begin anew with those that come later."""
    here, last = where.place(), [one for one in steps.every() if one.chapter == missing[-1]][-1]
    numbers = ", ".join(str(steps.CHAPTERS[one]) for one in missing)
    why = f"Chapter {numbers} is missing" if len(missing) == 1 else f"Chapters {numbers} are missing"
    remedy = (
        f'rewind("{last.id}") builds {"it" if len(missing) == 1 else "them"}; what came later is then to be done again'
    )
    if not here.lab:
        remedy = (
            "In a terminal: pyinfra inventory.py deploys/dovecot.py (chapters 1, 2, 4), or deploys/mailserver.py (all)"
        )
    return f"{why} on {here.name}.", remedy, last.place


def _steps(missing: list[str]) -> tuple[str, str, str]:
    are = "are" if missing[1:] else "is"
    return (
        f"{', '.join(missing)} {are} not done on {where.place().name}.",
        _applies(missing),
        steps.find(missing[0]).place,
    )


def _applies(missing: list[str]) -> str:
    if len(missing) <= 3:
        return ", then ".join(f'apply("{one}")' for one in missing)
    return f'apply("{missing[0]}"), then in the same way: {", ".join(missing[1:])}'
