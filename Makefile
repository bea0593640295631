# learn and test are the two commands a newcomer needs; each sets up what it needs. `make help` lists all.
.DEFAULT_GOAL := help
.PHONY: help learn test test-fast test-all records check build execute measure specimens bench gpu site exercises clean
SHELL := /bin/sh

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet

# The first Python that is new enough; set PYTHON=... to choose another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)

# On Linux, `pip install torch` brings gigabytes of CUDA. The CPU build is asked for by name, so that it is
# this build or an error, never a surprise. For a GPU: make learn TORCH=torch
TORCH_INDEX := https://download.pytorch.org/whl/cpu
ifeq ($(shell uname -s),Linux)
TORCH ?= torch==2.13.0+cpu
else
TORCH ?= torch==2.13.0
endif

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.torch:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found. Install it from python.org or your"; \
		echo "package manager, or say where it is: make learn PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version): torch first, then the rest. Once only; a few minutes."
	@$(PYTHON) -m venv $(VENV) || { echo "Could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PY) -c 'import torch' 2>/dev/null \
		|| $(PIP) --no-deps --retries 1 --timeout 30 --extra-index-url $(TORCH_INDEX) "$(TORCH)" \
		|| { echo "Could not install $(TORCH). If your network does not reach $(TORCH_INDEX),"; \
		echo "make learn TORCH=torch takes the standard build (on Linux several GB, with CUDA)."; exit 1; }
	@touch $@

$(VENV)/.learn: $(VENV)/.torch pyproject.toml constraints.txt
	@$(PIP) -c constraints.txt -e . && touch $@

$(VENV)/.test: $(VENV)/.learn
	@$(PIP) -c constraints.txt -e ".[dev]" && touch $@

$(VENV)/.browser: $(VENV)/.test
	@$(PIP) -c constraints.txt -e ".[dev,browser]" && touch $@

learn: $(VENV)/.learn ## open the course in JupyterLab (set up first if needed)
	@$(VENV)/bin/mi-tutor learn

# Two processes, and the order of tests/conftest.py.
IN_TWO := -n 2 --dist loadgroup --no-loadscope-reorder

test: $(VENV)/.test ## the test suite; what stands as recorded is left out, but a few
	@$(PY) -m pytest $(IN_TWO)

test-all: $(VENV)/.test ## everything, before a release
	@$(PY) -m pytest $(IN_TWO) --all

records: $(VENV)/.test ## run what does not stand as recorded, and record what passes
	@$(VENV)/bin/mi-tutor records --make

test-fast: $(VENV)/.test ## the tests without the slow ones
	@$(PY) -m pytest $(IN_TWO) -m "not slow"

.PHONY: test-browser
test-browser: $(VENV)/.browser ## JupyterLab, Notebook 7 and the web page in a real browser (needs a Chromium or Chrome)
	@$(PY) -m pytest -n 0 tests/browser

.PHONY: picture
picture: $(VENV)/.browser ## the README's picture, from screenshots of JupyterLab
	@$(PIP) pillow
	@$(PY) -m pytest -n 0 tests/browser/test_jupyter.py -k "wrong_answer or each_widget"
	@$(PY) tests/browser/readme_picture.py

check: $(VENV)/.test ## style, import rules, stale notebooks
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/mi-tutor build --check

build: $(VENV)/.learn ## sources -> chapters/*.ipynb
	@$(VENV)/bin/mi-tutor build

execute: $(VENV)/.learn ## sources -> solutions/*.ipynb, executed
	@$(VENV)/bin/mi-tutor build --execute

measure: $(VENV)/.test ## execute, and write time and memory of each chapter into the README
	@$(VENV)/bin/mi-tutor build --execute --measure

bench: $(VENV)/.test ## ratios against doing it one after another, and shares of matrix products
	@$(PY) benchmarks/superposition.py
	@$(PY) benchmarks/patching.py
	@$(PY) benchmarks/tracing.py $(if $(TRACER),--peer $(TRACER))
	@$(PY) benchmarks/sae.py $(if $(PEERS),--peers $(PEERS))

gpu: $(VENV)/.learn ## the same numbers on a GPU as on the CPU? and how fast? into docs/gpu.md
	@$(PY) benchmarks/gpu.py --out docs/gpu.md

site: $(VENV)/.learn ## a web page of the course, for reading: site/index.html
	@$(PY) -c 'import latex2mathml' 2>/dev/null || $(PIP) -c constraints.txt -e ".[site]"
	@$(VENV)/bin/mi-tutor site

exercises: $(VENV)/.learn ## the table of exercises, mistakes and accepted styles
	@$(VENV)/bin/mi-tutor exercises

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: bench-grading
bench-grading: $(VENV)/.test ## 300 generated submissions, killed twice: marks as deserved? as fast as NBGRADER=python, OTTER=python?
	@$(PY) benchmarks/grading.py --n 300 --jobs 2 $(if $(NBGRADER),--nbgrader $(NBGRADER)) $(if $(OTTER),--otter $(OTTER))
