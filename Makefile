# make demo            read a picture with the shipped page reader (FILE=mine.png reads yours)
# make test            run the tests, with a Chromium
# make lint            ruff and mypy
# make clean           remove what these made

PYTHON ?= python3
FILE ?= pixread/assets/demo/demo.png
OUT ?= demo-report
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt
WANTED := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test lint chromium clean

help:
	@sed -n 's/^# //p' Makefile

# The stamps make a second call quick: pip runs again only when pyproject.toml or constraints.txt changed.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(sys.version_info < (3, 11) and f"pixread needs Python 3.11 or newer, and $(PYTHON) is {v}; name another with make PYTHON=...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(WANTED) | $(BIN)/python
	@echo "Installing pixread into $(VENV); the first time this takes some minutes." >&2
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(WANTED) | $(BIN)/python
	@echo "Installing pixread and its development tools into $(VENV); the first time this takes some minutes." >&2
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.core

demo: $(VENV)/.core
	@$(BIN)/pixread parse "$(FILE)" --out "$(OUT)"

test: $(VENV)/.dev chromium
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

chromium: $(VENV)/.dev
	@.ci/chromium $(BIN)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean:
	rm -rf $(VENV) demo-report build dist pixread.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
