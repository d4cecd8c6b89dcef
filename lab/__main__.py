"""python -m lab: disposable Debian hosts, over ssh, by one command."""

from __future__ import annotations

import sys

from lab.cli import main

sys.exit(main())
