# mailroom's front door. Each target says what it does; `make` alone lists them.
PYTHON ?= python3
VENV := .venv/.installed
RUN := .venv/bin/python
CODE := $(wildcard deploys operations facts checks postmaster lab inventories bench tests notebooks/*.py inventory.py group_data)
export DEBIAN_FRONTEND := noninteractive

.DEFAULT_GOAL := help
.PHONY: help up mailserver verify notebooks book test faults check bench rewind down distclean lock

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

up: $(VENV) ## a lab host with chapters 1, 2 and 4 on it, and the proof (LAB_SUITE=trixie|bookworm|el9)
	@$(RUN) -m lab up
	@.venv/bin/pyinfra inventory.py deploys/dovecot.py -y
	@$(RUN) -m checks

mailserver: $(VENV) ## the whole series on it, with a world to talk to, and the proof (LAB_SUITE=trixie|bookworm)
	@$(RUN) -m lab up
	@$(RUN) -m lab add world
	@.venv/bin/pyinfra inventory.py deploys/mailserver.py -y
	@$(RUN) -m checks

verify: $(VENV) ## prove it again: every claim and its negative, from outside
	@$(RUN) -m checks

notebooks: $(VENV) ## JupyterLab on the runbook, with the lab up
	@[ -n "$$MAILROOM_INVENTORY" ] || $(RUN) -m lab up
	@.venv/bin/jupyter lab $$([ "$$(id -u)" != 0 ] || echo --allow-root) notebooks

book: $(VENV) ## execute the notebooks against the lab, and build the book: notebooks/_book/html
	@$(RUN) -m lab up
	@$(RUN) -m notebooks.book

test: $(VENV) ## all tests, on lab hosts of both Debian releases: those that measure first, the others two at a time
	@$(RUN) -m pytest -m timed; timed=$$?; \
	$(RUN) -m pytest -m "not timed" -n 2 --dist loadgroup --no-loadscope-reorder && exit $$timed

faults: $(VENV) ## the suite that looks for the next fault, in its long form (about an hour), and its figures
	@rm -f .lab-faults.jsonl; MAILROOM_FAULTS=long $(RUN) -m pytest tests/faults -n 2 --dist loadgroup --no-loadscope-reorder; \
	tested=$$?; $(RUN) -m tests.faults && exit $$tested

check: $(VENV) ## lint, types and the tests that need no host: under a minute
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy $(CODE)
	@$(RUN) -m pytest -m "not live"

bench: $(VENV) ## what a run costs: operations, remote commands, seconds
	@$(RUN) -m bench

HOST ?= mx1
TO ?= bare
rewind: $(VENV) ## put a lab host back: make rewind HOST=mx1 TO="chapter 4, TLS" (bare: as it came)
	@$(RUN) -m lab rewind "$(HOST)" "$(TO)"

# These two work without the virtual environment.
down: ## lab hosts and network gone; secrets, snapshots and caches kept
	@$(PYTHON) -m lab down

distclean: ## those too, and the virtual environment
	@$(PYTHON) -m lab distclean
	@rm -rf .venv .pytest_cache .ruff_cache .mypy_cache

lock: ## resolve requirements.lock anew from pyproject.toml
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	$(PYTHON) -m venv "$$tools" && "$$tools/bin/pip" install --quiet uv && \
	"$$tools/bin/uv" pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock

$(VENV): requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0] + ". Name another: make PYTHON=…")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing python3-venv with apt-get, for the virtual environment" >&2; \
			apt-get update -qq && apt-get install -qq --no-install-recommends python3-venv >/dev/null; \
		else echo "Run: sudo apt-get install python3-venv" >&2; exit 1; fi; }
	@[ ! -L .venv ] || { echo ".venv is a link, and its packages are not those of requirements.lock: make them anew where it leads to" >&2; exit 1; }
	@echo "installing the packages of requirements.lock into .venv" >&2
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@
