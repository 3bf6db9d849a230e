# Backstay: two commands on a fresh machine are `make up` and `make test`.
# Everything lives in .venv; nothing outside this folder is changed (data: see docs/operate/settings.md).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP_RUN := $(VENV)/.backstay-run
STAMP_DEV := $(VENV)/.backstay-dev
WORKERS ?= 2

.PHONY: help up demo test lint soak bench bench-accuracy bench-speed bench-load packages audit docs \
  screenshots clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | expand -t 18

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Backstay needs Python 3.11 or newer: make up PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP_RUN): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]'
	@touch $@

$(STAMP_DEV): $(STAMP_RUN)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

up: $(STAMP_RUN)  ## install, start the service on the embedded store, print the address
	@$(BIN)/python -m tracker up

demo: $(STAMP_RUN)  ## a replayed wearer in a data folder of its own
	@$(BIN)/python -m tracker demo

test: $(STAMP_DEV)  ## every behaviour once (what the machine lacks is skipped with a sentence)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not soak and not realtime"
	$(BIN)/python -m pytest -m "realtime and not soak"

lint: $(STAMP_DEV)  ## style, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

soak: $(STAMP_DEV)  ## long runs, never in CI; figures go to docs/
	BACKSTAY_HYPOTHESIS=long BACKSTAY_SOAK_OUT=docs/operate/soak.json \
	  $(BIN)/python -m pytest -m soak --timeout 7200

bench: bench-accuracy bench-speed bench-load  ## every bench

bench-accuracy: $(STAMP_DEV)  ## accuracy on real recordings, leave one person out, into docs/accuracy
	$(BIN)/python -m bench.accuracy
	$(BIN)/python -m bench.accuracy_exercises
	$(BIN)/python -m bench.readme_table

bench-speed: $(STAMP_DEV)  ## speed of the chain beside its floor and its peers
	$(BIN)/python -m bench.speed_chain
	$(BIN)/python -m bench.speed_analyze
	$(BIN)/python -m bench.speed_peers

bench-load: $(STAMP_DEV)  ## stores (7 GB of disk), pages and collector under load
	$(BIN)/python -m bench.load_stores
	$(BIN)/python -m bench.load_pages
	$(BIN)/python -m bench.load_therapist 200 90
	$(BIN)/python -m bench.load_collector

packages: $(STAMP_DEV)  ## a real environment for each extra alone: size and start time, into docs/
	$(BIN)/python -m bench.packages

audit: $(STAMP_DEV)  ## known weaknesses of what is installed (asks the package index)
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python -m pip freeze --exclude-editable > $(VENV)/audit/installed.txt
	$(VENV)/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement $(VENV)/audit/installed.txt

docs: $(STAMP_DEV)  ## the documents as a site in site/
	$(BIN)/python -m bench.command_page
	$(BIN)/python -m mkdocs build --strict

screenshots: $(STAMP_DEV)  ## the pictures of the README
	$(BIN)/python -m bench.screenshots

clean:  ## remove the environment
	rm -rf $(VENV) build dist
