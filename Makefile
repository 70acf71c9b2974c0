# One verb a target. Values live in params.yaml, stages in dvc.yaml; nothing here changes a result.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
PROFILE ?=
PORT ?= 5000
PYTEST ?= -n logical --maxprocesses 4 --dist loadfile

# Nothing needs the internet once the environment is there, so nothing may call home either.
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export DVC_NO_ANALYTICS := true

.PHONY: help setup fonts repro repro-processors stage deps plots test hard findings smoke lab dashboard docs dist check fmt clean-notebooks lock

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.ready mlflow.db .dvc/tmp/plots.html data/realpages ## make .venv from requirements.lock, the store of runs; fetch real pages

# The stamp makes a second `make setup` immediate; it is renewed when one of the files it was made from changes.
$(VENV)/.ready: requirements.lock requirements-headless.lock pyproject.toml setup.py tools/environment.py
	@$(PYTHON) tools/environment.py $(VENV)
	@touch $@

# One process creates the store; several that met a missing one at once would crash.
mlflow.db: | $(VENV)/.ready
	@$(BIN)/python -m ocrkit.experiment.setup

# Once: who was offline tries again by hand. DVC keeps a copy for experiments in a folder of their own.
data/realpages: | $(VENV)/.ready
	@mkdir -p $@
	@if $(BIN)/ocrkit data fetch realpages $@; then $(BIN)/dvc commit --quiet --force $@.dvc || true; \
	    else echo "setup: without these pages the leaderboard rests on one book page; later: ocrkit data fetch realpages $@"; fi

# `dvc plots show` draws with what this holds, rather than with what it would fetch.
.dvc/tmp/plots.html: | $(VENV)/.ready
	@$(BIN)/python -m ocrkit.experiment.plots

fonts: setup ## fetch the pinned font set (449 families) into data/fonts; FROM=... for a folder of archives
	@$(BIN)/ocrkit synth fetch-fonts $(if $(FROM),--from $(FROM))

repro: setup ## run the pipeline, from invented words to the leaderboard; PROFILE=full for the long one
	@$(BIN)/python -m ocrkit.studies.repro $(if $(PROFILE),--profile $(PROFILE))

EMULATE ?=
repro-processors: setup ## compare what the training stages make on other processors, in scratch copies; EMULATE=Haswell adds one by QEMU
	@$(BIN)/python -m ocrkit.experiment.processors $(if $(PROFILE),--profile $(PROFILE)) $(if $(EMULATE),--emulate $(EMULATE))

stage: setup ## make a notebook and its stage, ready to run: make stage NAME=70_mine
	@$(BIN)/python -m ocrkit.experiment.new_stage $(NAME)

deps: setup ## bring the code among the deps of all stages in dvc.yaml up to date
	@$(BIN)/python -m ocrkit.experiment.deps

plots: setup ## show the curves as a page that needs no internet
	@$(BIN)/dvc plots show

test: setup check ## ruff, mypy and all tests
	@$(BIN)/python -m pytest $(PYTEST)

INPUTS ?= 10000
MOMENTS ?= 100
hard: setup ## damaged inputs by the thousand, verbs killed and crowded, up to an hour on two cores; INPUTS=, MOMENTS=
	@$(BIN)/python -m pytest tests/hard -n 3 --dist load --maxschedchunk 1 --inputs $(INPUTS) --moments $(MOMENTS)

findings: ## run the surprises about outside libraries one by one; says which still hold and which changed
	@holds=0; changed=; unknown=; for script in findings/*.sh; do \
	    echo "== $$(basename $$script .sh)"; PYTHON=$(PYTHON) $$script; case $$? in \
	        0) holds=$$((holds + 1));; 2) unknown="$$unknown $$(basename $$script .sh)";; *) changed="$$changed $$(basename $$script .sh)";; esac; \
	done; echo "hold: $$holds; changed:$${changed:- none}; could not be installed:$${unknown:- none}"; [ -z "$$changed$$unknown" ]

smoke: setup ## run every notebook at tiny size into a scratch folder and store
	@$(BIN)/python -m ocrkit.experiment.smoke

lab: setup ## open JupyterLab at the root of the project
	@$(BIN)/jupyter lab --notebook-dir=. --LabApp.news_url=None --LabApp.extension_manager=readonly \
	    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate $(if $(filter 0,$(shell id -u)),--allow-root)

dashboard: setup ## open the runs in MLflow at http://127.0.0.1:5000; PORT=... for another port
	@$(BIN)/python -m ocrkit.experiment.dashboard --port $(PORT)

docs: setup ## build the documentation into docs/_build/html, offline, warnings being errors
	@$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

dist: setup ## build a wheel and a source distribution into dist/
	@$(BIN)/uv build --quiet --offline --no-build-isolation --python $(BIN)/python --out-dir dist .
	@ls dist/*

check: setup ## lint and type-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fmt: setup ## sort imports, mend what ruff can mend, format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean-notebooks: setup ## strip outputs from notebooks/, so that git sees only what a person wrote
	@$(BIN)/python -m ocrkit.experiment.notebooks

LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 --no-header --no-annotate
lock: setup ## renew both lock files from pyproject.toml; LOCKFLAGS=--upgrade takes the newest versions
	@$(LOCK) $(LOCKFLAGS) pyproject.toml --all-extras -o requirements.lock
	@sed -n 's/^opencv-python==\([^ ]*\).*/opencv-python-headless==\1/p' requirements.lock \
	    | $(LOCK) - --no-deps -o requirements-headless.lock
