"""A learner's own server: their copies of the notebooks brought up to date, then JupyterLab on them. It runs as the learner."""

import os
import sys
from pathlib import Path

from notebooks import workbook


def main() -> None:
    workbook.refresh()
    words = [f"{Path(sys.executable).parent}/jupyterhub-singleuser", f"--ServerApp.root_dir={workbook.FOLDER}"]
    os.chdir(workbook.FOLDER)  # a terminal opens here
    os.execve(words[0], words, workbook.environment())


if __name__ == "__main__":
    main()
