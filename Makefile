# `make test` and `make demo` need git and a Python 3.10 or newer, nothing else: they make a virtual environment in .venv.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-pyproject
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help venv bytecode unit test lint demo bench clean

help:  ## show what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | sort | expand -t 10

venv: $(STAMP)  ## make the virtual environment of the other targets

$(STAMP): pyproject.toml .ci/make-venv
	PYTHON='$(PYTHON)' sh .ci/make-venv $(VENV)
	touch $@

lint: $(STAMP)  ## check style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Tests start envtag some thousand times, with PYTHONDONTWRITEBYTECODE: without this, each start would compile it.
bytecode: $(STAMP)
	$(BIN)/python -m compileall -q tool

unit: bytecode  ## run the quick part of the tests: no servers, no processes but git's
	sh .ci/in-memory $(BIN)/python -m pytest -n $(WORKERS) -m unit

test: lint bytecode  ## run all checks and tests
	sh .ci/in-memory $(BIN)/python -m pytest -n $(WORKERS)

demo: $(STAMP)  ## show the main job, end to end, in a scratch directory
	$(BIN)/python demo/demo.py

bench: $(STAMP)  ## measure, and print a table of ratios
	PYTHONPATH=tests:. $(BIN)/python -m benchmarks

clean:  ## remove what was made
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist tool/*.egg-info
