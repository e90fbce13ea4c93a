# Two commands do everything, set-up included: make repro, make test. The rest is for work on the project itself.
PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
EXTRAS := mediapipe,c3d,plots,dev,docs
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
READY := $(VENV)/ready

.PHONY: repro test coverage chain lint docs wheel-check bench bench-peers help

repro: $(READY)  ## Install into .venv and run the whole pipeline
	dvc repro

test: $(READY)  ## Install into .venv and run the tests
	python -m pytest -n auto -m "not chain"

coverage: $(READY)  ## Run the tests and print which lines they miss
	python -m pytest -n auto -m "not chain" --cov --cov-report=term

chain: $(READY)  ## Run the tiny capture through every stage and the experiment commands (minutes)
	python -m pytest tests/chain -m chain -s

lint: $(READY)  ## Check style and types
	ruff check .
	ruff format --check .
	mypy

docs: $(READY)  ## Build the documentation into build/docs; a broken link is an error
	sphinx-build --quiet --fail-on-warning --keep-going -c docs -d build/doctrees . build/docs

wheel-check: $(READY)  ## Build a wheel and use it from an environment of its own
	python .ci/wheel_check.py

bench: $(READY)  ## Compare the geometry with other libraries, in full (see docs/geometry.md; MOTION=FILE.npz for real motion)
	python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	python -m bench.geometry $(if $(MOTION),--motion $(MOTION))

bench-peers: $(PEERS)/ready  ## Install aniposelib, Pose2Sim and Caliscope into .venv-peers, only for the benchmark (2 GB)

$(PEERS)/ready: bench/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --requirement bench/peers/requirements.txt
	@touch $@

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/'

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name it: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[$(EXTRAS)]"
	$(VENV)/bin/epiline dev plots-template .dvc/plots.html
	$(VENV)/bin/dvc config --local plots.html_template plots.html
	@touch $(READY)
