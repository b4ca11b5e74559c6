# Every target does its own set-up: packages into .venv, and Mesa where it is missing and may be
# installed. The interpreter is the system's python3; PYTHON=/path/to/python3.12 takes another.
#
#   make fly ARGS="--seed 3 --duration 60"     make test TESTS="tests/unit -k geometry"

BIN := .venv/bin
ARGS ?=
TESTS ?= tests
# Whole files per process, in the order of their names: long flights come first.
# A restarted worker would wait for ever for the files of the one that has died.
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
# Otherwise each process of a test compiles the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: fly test test-fast rendering scenarios strangers screens lint format docs bench references setup clean

fly: setup
	@$(BIN)/followme-uav fly $(ARGS)

test: setup
	@$(MAKE) --no-print-directory -j 3 --output-sync lint rendering strangers screens
ifeq ($(TESTS),tests)
	@$(PYTEST) --cov --cov-report= tests/unit
	@$(PYTEST) --ignore tests/unit tests
else
	@$(PYTEST) $(TESTS)
endif

# The renderer has a process of its own: Mesa and TensorFlow crash in one.
rendering: setup
	@$(BIN)/python -m pytest -q tests/rendering

# Lint, types, and the unit tests that take no longer than a second or two.
test-fast: lint
	@$(PYTEST) -m "not slow" tests/unit

# All scripts, three cities each; the tests fly a selection.
scenarios: setup
	@$(BIN)/followme-uav scenario run $(ARGS)

# Clients that were not written here, for the tests with them; those tests say why where one is missing.
strangers: setup
	@tools/legacy_env.sh >/dev/null || echo "make: tests of the msgpack-rpc-python backend are left out"
	@for client in airsim cosysairsim socketio4; do tools/strangers_env.sh $$client >/dev/null || \
	    echo "make: tests with the client $$client are left out"; done

# A virtual screen and a browser, for the tests of windows and pages; those, too, say why.
screens:
	@tools/system_packages.sh --tests || echo "make: tests of windows and pages are left out"

lint: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "run 'make format'"; exit 1; }
	@$(BIN)/mypy --no-error-summary

format: setup
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

# The documentation site, into site/; ARGS=--serve serves it on this machine.
docs: setup
	@$(BIN)/python tools/docs_site.py $(ARGS)

bench: setup
	@$(BIN)/python tools/bench.py $(ARGS)

# Flies the reference flights anew; `replay --check` compares with them.
references: setup
	@$(BIN)/python tools/reference_flights.py

setup:
	@tools/setup.sh

clean:
	rm -rf .venv .venv-legacy .venv-strangers .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
