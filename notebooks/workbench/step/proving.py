"""verify: the claims of a step and their negatives, made by the checks, from outside."""

import checks
from checks.engine.report import SIGNS
from checks.engine.verdicts import Verdict
from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotVerified
from notebooks.workbench.step import dry_run, steps


@stoppable("The configuration of {host} was not changed. A test letter may be left in a mailbox.", "{call} again.")
def verify(name: str) -> html.Findings:
    """Prove the step, or raise NotVerified with what, why, the remedy, and where it is explained.

    NotReady: the step was never done, or one that it stands on is missing.
    """
    step, here = steps.find(name), where.place()
    remote.session().close()  # a host that cannot be reached says so by itself
    found = as_wanted(step)
    own = [check.id for check in checks.for_step(step.id)]
    results = [found, *(_ask(here, own) if own else [])]
    good = sum(one.verdict == "pass" for one in results)
    rows = [
        (SIGNS[one.verdict], "must not" if one.kind == "negative" else "works", one.title, one.evidence)
        for one in results
    ]
    proof = html.Findings(f"Step {step.number} on {here.name}: {good} of {len(results)} proven", rows)
    failed = [one for one in results if one.verdict == "fail"]
    if failed:
        if progress.in_notebook():  # the table; the exception that follows says what to do
            from IPython.display import display

            display(proof)
        raise failure(step, failed)
    return proof


def as_wanted(step: steps.Step) -> checks.Result:
    """The first line of each proof: the step's own dry run. A daemon that was stopped is no matter of it, but of the checks."""
    found = dry_run.need(step)
    if found.never:
        raise dry_run.never(step, found)
    verdict: Verdict = "fail" if found.refused or found.undone else "skip" if found.unasked else "pass"
    evidence = found.refused or f"its dry run would change {', '.join(found.undone) or 'nothing'}"
    if found.unasked:
        would = f"{evidence}; " if found.undone else ""
        evidence = f"{would}{dry_run.AWAY}{', '.join(found.unasked)}"
    about = (step.id, steps.CHAPTERS[step.chapter], step.name, "claim", "The host is as this step wants it")
    return checks.Result(*about, verdict, evidence, f'apply("{step.id}")' if found.undone else "")


def _ask(here: where.Place, ids: list[str]) -> list[checks.Result]:
    results: list[checks.Result] = []
    with progress.Progress(f"asking {here.name} from {here.client or 'here'}", delay=0.5) as shown:

        def keep(one: checks.Result) -> None:
            results.append(one)
            shown.say(one.title)

        checks.run(here.target(), ids, on_result=keep)
    return results


def failure(step: steps.Step, failed: list[checks.Result]) -> NotVerified:
    """The failing checks as one trouble; the first is what others stand on. The dry run says how, so it comes last."""
    first, *others = sorted(failed, key=lambda one: one.id == step.id)
    also = [f"{one.title}: {one.evidence}" for one in others]
    remedies = dict.fromkeys(one.remedy for one in failed if one.remedy)
    told = next((one for one in steps.every() if one.id == f"{first.id.split('.')[0]}.{first.step}"), step)
    return NotVerified(
        f"Not so: {first.title} [{first.id}]",
        "\n".join([first.evidence, *also]),
        "\n".join(remedies) or f'apply("{told.id}") and read its log',
        told.place,
    )
