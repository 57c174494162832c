# Everything starts from nothing: a clone, make, and Python 3.11 or newer. `make` alone lists the targets.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
WORKERS ?= auto
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help demo test quick lint types imports units format docs bench bench-peers proto requirements clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: $(VENV)/.demo  ## a real clip: histogram, shots, a montage, an annotated mp4, optical flow (VIDEO=path: your own)
	@$(BIN)/scanner demo $(if $(VIDEO),"$(VIDEO)")

test: lint types imports units  ## everything CI runs: lint, types, architecture, all tests

quick: $(VENV)/.dev  ## the tests that take seconds
	$(BIN)/pytest -q -m "not slow" -n $(WORKERS)

lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/.dev  ## the architecture, as import-linter contracts
	$(BIN)/lint-imports

units: $(VENV)/.dev
	$(BIN)/pytest -n $(WORKERS)

format: $(VENV)/.dev  ## let ruff rewrite what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev  ## the documentation as web pages, in out/site; any warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.dev  ## the engine against the same work by hand; makes its own clips
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/overhead.py

bench-peers: $(VENV)-bench/.bench  ## the engine against OpenCV, PyAV, decord, ffmpeg, Daft and Ray Data, into docs/benchmarks.md (an hour)
	$(VENV)-bench/bin/python benchmarks/compare.py --write

proto: $(VENV)/.dev  ## regenerate the committed protobuf modules from proto/
	$(BIN)/python tools/make_protos.py

requirements:  ## pin anew what pyproject.toml allows (needs uv)
	tools/pin

clean:  ## remove the environment, the demo's output and the caches
	rm -rf $(VENV) $(VENV)-bench out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps: each environment step runs again only when what it reads has changed.
$(VENV)/.run: requirements/run.txt pyproject.toml tools/environment
	@PYTHON="$(PYTHON)" tools/environment $(VENV) run

$(VENV)/.dev: requirements/dev.txt pyproject.toml tools/environment
	@PYTHON="$(PYTHON)" tools/environment $(VENV) dev

$(VENV)-bench/.bench: requirements/bench.in requirements/run.txt pyproject.toml tools/environment
	@PYTHON="$(PYTHON)" tools/environment $(VENV)-bench run
	@$(VENV)-bench/bin/pip install -q -r requirements/bench.in
	@touch $@

$(VENV)/.demo: $(VENV)/.run requirements/demo.txt
	@PYTHON="$(PYTHON)" tools/environment $(VENV) demo
