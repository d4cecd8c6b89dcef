# mailroom's front door. Each target says what it does; `make` alone lists them.
PYTHON ?= python3
VENV := .venv/.installed
RUN := .venv/bin/python
CODE := $(wildcard deploys operations facts checks postmaster classroom lab rehearsal inventories bench tests notebooks/*.py inventory.py group_data)
export DEBIAN_FRONTEND := noninteractive

.DEFAULT_GOAL := help
.PHONY: help up mailserver verify notebooks book class classes exercises test faults upgrade rehearse-upgrade check browser clients whole bench rewind down distclean lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done
	@printf '%s\n' 'up and mailserver know LAB_SUITE=trixie|bookworm (up: also el9),' 'and V=1 for all that pyinfra and the checks say.'

# A line for each step. V=1 (0 is as without): pyinfra's own command and output, and each claim with its evidence.
DEPLOY = $(if $(filter-out 0,$(V)),.venv/bin/pyinfra inventory.py deploys/$(1).py -y,$(RUN) -m deploys $(1))
PROVE = $(RUN) -m checks $(if $(filter-out 0,$(V)),,--short)
LAB_ONLY := [ -z "$$MAILROOM_INVENTORY" ] || { printf '%s\n' "This builds the lab, and MAILROOM_INVENTORY names other hosts;" \
	"nothing was changed. For the lab: unset MAILROOM_INVENTORY." "For those hosts: docs/your-own-server.md" >&2; exit 2; }
NEXT := printf '%s\n' 'Walk through it step by step, from a bare host:  make notebooks' \
	"A shell on it:  ssh -F $${MAILROOM_LAB_DIR:-.lab}/ssh_config mx1"

up: $(VENV) ## a lab host with chapters 1, 2 and 4 on it, and the proof
	@$(LAB_ONLY)
	@$(RUN) -m lab up
	@$(call DEPLOY,dovecot)
	@$(PROVE)
	@$(NEXT)

mailserver: $(VENV) ## the whole series on it, a world to talk to, and the proof
	@$(LAB_ONLY)
	@$(RUN) -m lab up
	@$(RUN) -m lab add world
	@$(call DEPLOY,mailserver)
	@$(PROVE)
	@$(NEXT)

verify: $(VENV) ## prove it: every claim and its negative, from outside
	@$(RUN) -m checks

notebooks: $(VENV) ## JupyterLab on your own copies of the runbook
	@[ -n "$$MAILROOM_INVENTORY" ] || $(RUN) -m lab up
	@$(RUN) -m notebooks.workbook

book: $(VENV) ## the executed notebooks as HTML: notebooks/_book/html
	@$(RUN) -m notebooks.book

# Their names from NAMES=class.csv, or LEARNERS=3 for numbers; with neither, the class that is there comes up again.
class: $(VENV) ## a host for each learner: LEARNERS=12, or NAMES=class.csv
	@$(RUN) -m classroom up $(if $(LEARNERS),--learners $(LEARNERS)) $(if $(NAMES),"$(NAMES)")

classes: $(VENV) ## an afternoon with twelve learners, and their hub
	@MAILROOM_CLASS=long $(RUN) -m pytest -s tests/live/test_afternoon.py tests/live/test_class.py tests/live/test_hub.py

exercises: $(VENV) ## all exercises, tried on both releases (about an hour)
	@MAILROOM_CLASS=long $(RUN) -m pytest tests/live/test_exercises.py

# Those that measure first, the others two at a time.
test: $(VENV) ## all tests, on lab hosts of both Debian releases
	@$(RUN) -m pytest -m timed; timed=$$?; \
	$(RUN) -m pytest -m "not timed" -n 2 --dist loadgroup --no-loadscope-reorder --durations=40 --durations-min=20 && exit $$timed

whole: $(VENV) ## the same, and on both what one is enough for
	@MAILROOM_TESTS=whole $(MAKE) test

faults: $(VENV) ## the suite that looks for the next fault (about an hour)
	@rm -f .lab-faults.jsonl; MAILROOM_FAULTS=long $(RUN) -m pytest tests/faults -n 2 --dist loadgroup --no-loadscope-reorder; \
	tested=$$?; $(RUN) -m tests.faults && exit $$tested

upgrade: $(VENV) ## the lab's Debian 12 host becomes a 13, and the proof
	@$(LAB_ONLY)
	@$(call DEPLOY,upgrade)
	@$(call DEPLOY,mailserver)
	@$(PROVE)

# With MAILROOM_INVENTORY, on a double of that server (docs/upgrade.md).
rehearse-upgrade: $(VENV) ## Debian 12 to 13, loaded and cut off (an hour)
	@if [ -n "$$MAILROOM_INVENTORY" ]; then $(RUN) -m rehearsal $(HOST); \
	else MAILROOM_UPGRADE=long $(RUN) -m pytest tests/live/test_upgrade.py; fi

check: $(VENV) ## lint, types and the tests that need no host
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy $(CODE)
	@$(RUN) -m pytest -m "not live"

browser: $(VENV) ## notebooks 00 and 04 as a person sees them, in Chromium
	@MAILROOM_BROWSER=long $(RUN) -m pytest tests/browser

clients: $(VENV) ## Delta Chat and Thunderbird find the server by themselves
	@MAILROOM_CLIENTS=long $(RUN) -m pytest tests/live/test_discovery.py tests/live/test_thunderbird.py

bench: $(VENV) ## what a run costs: operations, remote commands, seconds
	@$(RUN) -m bench

HOST ?= mx1
TO ?= bare
rewind: $(VENV) ## a lab host as it was: HOST=mx1 TO="chapter 4, TLS" (or bare)
	@$(RUN) -m notebooks.rewind "$(HOST)" "$(TO)"

# These two work without the virtual environment.
down: ## lab hosts and network gone; secrets kept. Of a class, all goes
	@$(PYTHON) -m lab down
	@class=$${MAILROOM_CLASS_DIR:-.class}; [ ! -e "$$class/class.json" ] || MAILROOM_LAB_DIR="$$class" $(PYTHON) -m lab purge

distclean: ## those too, and the virtual environment
	@class=$${MAILROOM_CLASS_DIR:-.class}; [ ! -e "$$class/class.json" ] || MAILROOM_LAB_DIR="$$class" $(PYTHON) -m lab purge
	@$(PYTHON) -m lab distclean
	@rm -rf .venv .pytest_cache .ruff_cache .mypy_cache

lock: ## resolve both requirements.lock anew from pyproject.toml
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	$(PYTHON) -m venv "$$tools" && "$$tools/bin/pip" install --quiet uv && \
	"$$tools/bin/uv" pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock && \
	"$$tools/bin/uv" pip compile pyproject.toml --group hub --universal --python-version 3.13 --constraints requirements.lock \
		--upgrade --generate-hashes --no-header --no-annotate --quiet --output-file classroom/hub/requirements.lock

$(VENV): requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0] + ". Name another: make PYTHON=…")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing python3-venv with apt-get, for the virtual environment" >&2; \
			apt-get update -qq && apt-get install -qq --no-install-recommends python3-venv >/dev/null; \
		else echo "Run: sudo apt-get install python3-venv" >&2; exit 1; fi; }
	@[ ! -L .venv ] || { printf '%s\n' ".venv is a link, and its packages are not those of requirements.lock:" "make them anew where it leads to" >&2; exit 1; }
	@echo "installing the packages of requirements.lock into .venv" >&2
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@
