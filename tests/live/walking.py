"""python -m tests.live.walking NOTEBOOK: a learner walks it, cell by cell, and the copy keeps what came out.

A line of JSON at the end: {"seconds": …, "cells": [[id, seconds], …], "failed": "" or the first cell that did not go through and why}.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from notebooks import workbook


def main(path: Path) -> int:
    os.environ |= workbook.environment()
    notebook, begun = nbformat.read(path, as_version=4), time.monotonic()
    cells: list[tuple[str, float]] = []
    at = [begun]

    def executed(cell: Any, **_: Any) -> None:
        cells.append((cell.id, round(time.monotonic() - at[0], 1)))
        at[0] = time.monotonic()

    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_executed=executed,
    )
    failed = ""
    try:
        client.execute()
    except CellExecutionError as error:
        failed = f"{cells[-1][0] if cells else 'the first cell'}: {str(error)[-600:]}"
    nbformat.write(notebook, path)
    print(json.dumps({"seconds": round(time.monotonic() - begun, 1), "cells": cells, "failed": failed}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
