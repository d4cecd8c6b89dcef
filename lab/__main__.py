"""python -m lab: disposable Debian hosts, over ssh, by one command."""

import sys

from lab.cli import main

sys.exit(main())
