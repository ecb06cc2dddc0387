# Every target sets up what it needs in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := .ci/constraints.txt
# Files of tests side by side, one for each core.
PARALLEL := -n auto --dist loadfile
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: demo test test-checked coverage check format bench clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "gramdex needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[all]' --group test
	@touch $@

$(VENV)/.check: $(VENV)/.test
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --group check
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --group bench
	@touch $@

demo: $(VENV)/.demo  ## index the Python standard library and ask it things
	$(BIN)/gramdex demo

test: $(VENV)/.test  ## all tests
	$(BIN)/python -c 'import gramdex; gramdex.warmup()'
	$(BIN)/python -m pytest $(PARALLEL)

test-checked: $(VENV)/.test  ## tests of kernels and queries, compiled with bounds checks
	GRAMDEX_CHECK_BOUNDS=1 GRAMDEX_CACHE_DIR=$$(mktemp -d) $(BIN)/python -m pytest $(PARALLEL) tests/kernels tests/fmindex

coverage: $(VENV)/.check  ## the same with kernels as plain Python, and which lines they reach
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q --cov=gramdex.kernels --cov=gramdex.fmindex \
	  --cov-report=term:skip-covered tests/kernels tests/fmindex

check: $(VENV)/.check  ## lint, format, types, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tests/typecheck.py
	$(BIN)/python -m pytest -q tests/test_docs.py tests/test_architecture.py

format: $(VENV)/.check
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.bench  ## figures; see docs/BENCHMARKS.md for the data it wants
	$(BIN)/gramdex bench --help

clean:
	rm -rf $(VENV) .demo build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
