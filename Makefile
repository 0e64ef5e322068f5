# The front door. Needs Python >= 3.11 (with venv) and make; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 3
TESTS ?= tests plugins
PLUGINS := -e plugins/pagerduty -e plugins/salesforce -e plugins/remedyforce
FILES := pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help demo test check nightly lint types format bench faults bench-rules bench-engine mutants parity conformance openapi constraints clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Name another one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; rm -rf .venv; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt pip

.venv/.run: .venv/bin/python $(FILES)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e . $(PLUGINS)
	@touch $@

.venv/.dev: .venv/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[testing,postgres]' $(PLUGINS) --group dev
	@touch $@

demo: .venv/.run  ## set everything up and show the main job (ONESHOT=1 ends by itself)
	@$(BIN)/hub demo $(if $(ONESHOT),--oneshot)

test: .venv/.dev lint types  ## everything that must hold, as CI runs it
	@# Real processes share two noisy cores here: what failed runs once more, alone; twice is a failure.
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(TESTS) || $(BIN)/pytest --last-failed --last-failed-no-failures none $(TESTS)

# What reads and runs fast: no processes, no scenarios, no matrix of the contract kit, one database.
QUICK := tests/unit tests/architecture plugins --ignore=tests/unit/testing \
         --ignore-glob='*/scenarios/*' --ignore-glob='*/conformance/*' --ignore-glob='*/test_contract.py'

check: .venv/.dev  ## the fast subset, under a minute
	@$(BIN)/ruff check --quiet .
	$(BIN)/pytest -n 2 --dist worksteal -q -m 'not slow and not postgres' $(QUICK)

lint: .venv/.dev  ## format, lint, layers, spelling, dependencies
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports
	@$(BIN)/codespell hub plugins tests docs bench *.md
	@$(BIN)/deptry . --no-ansi
	@for one in plugins/*/; do (cd $$one && ../../$(BIN)/deptry src --package-module-name-map 'integration-hub=hub,hub-salesforce=hub_salesforce' --no-ansi) || exit 1; done

types: .venv/.dev  ## mypy --strict
	@$(BIN)/mypy

format: .venv/.dev  ## put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/.dev  ## measure; prints one JSON object a line
	@$(BIN)/python -m bench.run $(BENCH)

faults: .venv/.dev  ## break everything under load and count at the vendor (SCALE=small: 10 minutes)
	@SCALE=$(SCALE) $(BIN)/python -m bench.faults $(FAULTS)

bench-rules: .venv/.dev  ## measure the ruleset engine, every gate with its limit (PEERS=1: other engines beside it)
	@PEERS=$(PEERS) $(BIN)/python -m bench.rules

bench-engine: .venv/.dev  ## measure the delivery engine, every gate with its limit (SCALE=small ROUNDS=1: a short run; PARTS="accept drain")
	@SCALE=$(SCALE) ROUNDS=$(ROUNDS) $(BIN)/python -m bench.engine $(PARTS)

mutants: .venv/.dev  ## put small faults into the ruleset engine and see which no test notices (RULES="level keys")
	@nice -n 10 $(BIN)/python -m bench.rules.mutants --all $(RULES)

parity: .venv/.dev  ## how much of the five products works
	@$(BIN)/python -m tests.parity

conformance: .venv/.dev  ## what others' clients and descriptions say of plugins and simulators
	@for one in plugins/*/tests/conformance/run.py; do $(BIN)/python $$one || exit 1; done

openapi: .venv/.dev  ## print the API's description
	@$(BIN)/hub openapi

constraints: .venv/.dev  ## write down the exact versions that are installed
	@$(BIN)/pip freeze --all --exclude-editable | grep -vE '^(integration-hub|hub-)' | grep -v ' @ ' > constraints.txt

clean:  ## remove what was made
	rm -rf .venv .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov .coverage*
