"""Can the host be reached at all?"""

from checks.engine import Target, claim


@claim(
    "The mail host answers over SSH",
    provides="ssh",
    remedy="Start the host (the lab: `python -m lab up`), or correct --ssh-host.",
)
def answers(target: Target) -> str:
    return target.shell("uname -n; . /etc/os-release && echo $PRETTY_NAME").replace("\n", ", ")
