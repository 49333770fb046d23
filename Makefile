# Two commands do everything: `make demo` runs the main job, `make test` passes the tests. Each sets up all it needs.
# The system's own Python before another one in PATH: it is built with all optimisations, which pyenv leaves out unless
# told otherwise, and a third faster.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3.1[1-9]) python3)
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help demo test fuzz bench lint format example clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/package ## audit a fleet of sample hosts on loopback, and write its report
	@$(BIN)/netaudit demo

test: $(VENV)/test ## install what the tests need and run them all
	@sh tests/install_programs.sh
	@$(BIN)/python -m pytest -n auto --dist worksteal -q

fuzz: $(VENV)/test ## feed the parsers hostile answers for ten minutes (FUZZ="-max_total_time=60" for one)
	@$(BIN)/pip install -q --group fuzz
	@$(BIN)/python -m tests.fuzz $(or $(FUZZ),-max_total_time=600)

bench: $(VENV)/test build/peers/installed ## measure netaudit beside its peers, as root (QUICK=1 for two minutes, PARTS="link start")
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(PARTS)

lint: $(VENV)/test ## format, lint, types, import contracts
	@$(BIN)/ruff format --check auditor tests
	@$(BIN)/ruff check auditor tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/test ## rewrite the code in the house format
	@$(BIN)/ruff format auditor tests
	@$(BIN)/ruff check --fix auditor tests

example: $(VENV)/package ## write reports/example/ again, from the demo with its clock stopped
	@rm -rf build/example && mkdir -p build/example reports/example
	@cd build/example && SOURCE_DATE_EPOCH=1767323045 ../../$(BIN)/netaudit demo >/dev/null
	@cp build/example/netaudit-demo/report.html build/example/netaudit-demo/report.json reports/example/
	@chmod 644 reports/example/*

clean: ## remove what make created
	rm -rf $(VENV) build dist netaudit-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# What the benchmark compares with, in an environment of its own. One that cannot be installed is reported there.
PEERS := asyncssh uvloop parallel-ssh fabric pytest-testinfra pyinfra ansible
build/peers/installed:
	@mkdir -p build/peers && $(PYTHON) -m venv build/peers/venv
	@for peer in $(PEERS); do echo "installing $$peer"; \
	  build/peers/venv/bin/pip install -q $$peer || echo "not installed: $$peer" >&2; done
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "netaudit needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -q && apt-get install -qy python3-venv && $(PYTHON) -m venv $(VENV); \
	  else echo "install the venv module first: apt-get install python3-venv" >&2; exit 1; fi; }
	@$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'

$(VENV)/package: $(BIN)/pip pyproject.toml
	@$(BIN)/pip install -q --editable .
	@touch $@

$(VENV)/test: $(VENV)/package
	@$(BIN)/pip install -q --group test
	@touch $@
