# The commands of a maintainer; `make help` lists them. CONTRIBUTING.md says when to use which.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Left by `dev`; as old as the last install.
INSTALLED := $(VENV)/.installed
# Two at a time: the tests start real processes, and wait for them rather than compute.
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(JOBS)

SHELL_SCRIPTS = $(shell grep -rlE '^\#!(/usr)?/bin/(env )?(sh|bash|dash)' .ci wrappers examples bench 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help dev demo bench bench-check bench-front-door bench-runner collector foreign lint format types \
	coverage test test-all generate pr clean \
	lint.format lint.rules lint.shell lint.imports

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
		while IFS='|' read -r name what; do printf '  make %-16s %s\n' "$$name" "$$what"; done

dev: $(INSTALLED) ## Create .venv and install wrapkit into it, with the tools of a developer

# A venv without pip is what Debian leaves where python3-venv is missing: it is made again.
# pip has known dependency groups (PEP 735) since 25.1; many a distribution's is older.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "error: wrapkit needs Python 3.10 or newer, and $(PYTHON) is older or absent" >&2; \
		echo "hint: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip --version | grep -qE '^pip (2[6-9]|[3-9][0-9]|25\.[1-9])' || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

ORDERS := examples/python-orders

demo: $(INSTALLED) ## Instrument the example, run it, and show its traces
	$(BIN)/wrapkit generate --lang python --output build/layer
	$(BIN)/python $(ORDERS)/services.py \
		$(BIN)/wrapkit run --task $(ORDERS) --handler app.handler --layer build/layer \
		--env AWS_ENDPOINT_URL_DYNAMODB --env PRICES_URL --event $(ORDERS)/events/*.json

bench: $(INSTALLED) ## Measure every figure that is quoted anew, some ten minutes
	$(BIN)/python bench/run.py $(SCENARIOS)
	$(BIN)/python -m docs.reference.generate_figures

bench-front-door: $(INSTALLED) ## Measure the emulator itself, beside AWS's
	$(BIN)/python bench/front_door/measure.py --output build/bench-front-door.json

bench-check: $(INSTALLED) ## Let the benchmark find nothing in nothing, and 20 ms in 20 ms
	$(BIN)/python bench/self_check.py

bench-runner: $(INSTALLED) ## Measure the extension against its budgets, beside build/otelcol if it is there
	$(BIN)/python bench/runner/measure.py --output build/bench-runner.json \
		$(if $(wildcard build/otelcol),--collector build/otelcol)

# Needs Go. In a copy, since Go writes into the folder.
build/otelcol: bench/runner/collector/main.go bench/runner/collector/go.mod
	@mkdir -p build/collector
	cp $^ build/collector
	cd build/collector && go mod tidy && go build -ldflags "-s -w" -o ../otelcol .

collector: build/otelcol ## Build the OpenTelemetry Collector that bench-runner compares with

# A target each, so that --keep-going shows all that is red.
lint: lint.format lint.rules lint.shell lint.imports ## Check format, rules, shell and import contracts

lint.format: $(INSTALLED)
	$(BIN)/ruff format --check

lint.rules: $(INSTALLED)
	$(BIN)/ruff check

lint.shell: $(INSTALLED)
	$(BIN)/shellcheck $(SHELL_SCRIPTS)

lint.imports: $(INSTALLED)
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED) ## Rewrite the sources as ruff formats them
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

types: $(INSTALLED) ## Check types, strictly
	$(BIN)/mypy

foreign: $(INSTALLED) ## Build the runtime clients and extensions of others that tests run
	$(BIN)/python -m tests.foreign.parties

coverage: $(INSTALLED) ## Check that the tests of the lifecycle core reach every branch of it
	$(PYTEST) tests/lifecycle --cov=wrapkit.lifecycle --cov-branch --cov-fail-under=100

test: $(INSTALLED) ## Run the tests, without the slow ones
	$(PYTEST) -m "not slow"

test-all: $(INSTALLED) ## Run all tests
	$(PYTEST)

generate: $(INSTALLED) ## Write the generated pages of the documentation anew
	$(BIN)/python -m docs.reference.generate
	$(BIN)/python -m docs.reference.generate_settings
	$(BIN)/python -m docs.reference.generate_emulator
	$(BIN)/python -m docs.reference.generate_measures
	$(BIN)/python -m docs.reference.generate_figures

pr: lint types test ## What a change has to pass

clean: ## Remove what the other targets made, but not .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
