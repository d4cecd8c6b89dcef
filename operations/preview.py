"""What a change would look like, for a reader: a line of JSON a change, in the file that MAILROOM_PREVIEW names.

Only texts without secrets are ever given to it. The runbook's `plan` draws its diff from here; without the variable in the
environment nothing is written.
"""

import json
import os

from pyinfra import host

from operations.base import TELLS


def change(what: str, before: str, after: str) -> None:
    """Note that `what` (a path, or "main.cf") would go from one text to another."""
    path = os.environ.get("MAILROOM_PREVIEW")
    if path and TELLS not in host.connector_data:  # a question of the dry run is no plan
        with open(path, "a") as file:
            file.write(json.dumps({"host": host.name, "what": what, "before": before, "after": after}) + "\n")
