# mixrd: `make demo` to see it work, `make test` to check it, `make help` for the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES = $(wildcard src tests benchmarks studies docs/*.py)

# One line for each download worth waiting for instead of hundreds; warnings and errors are on stderr.
PIP_INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --no-input --progress-bar off -c constraints.txt
PIP_BRIEF = | awk '/Downloading .*[0-9] [MG]B\)/ { sub(/-(cp|py)[0-9].*\(/, " ("); print; fflush() } \
  /^Installing collected/ { print "  Installing packages"; fflush() }'

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.installed ## install mixrd into .venv and analyse an example
	$(BIN)/mixrd demo

.PHONY: test
test: $(VENV)/.installed-dev ## run the tests: files shared out to the processors, then those of the page, which time it
	status=0; \
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --ignore tests/web || status=1; \
	$(BIN)/python -m pytest tests/web || status=1; \
	exit $$status

.PHONY: lint
lint: $(VENV)/.installed-dev ## ruff, mypy and the rule of the rooms
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.installed-dev ## format the code, mend what ruff can mend
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

.PHONY: docs
docs: $(VENV)/.installed-dev ## build the documentation into docs/_build/html, warnings are errors
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html

.PHONY: study-docs
study-docs: $(VENV)/.installed-dev ## every code block of the documentation, trainings in full
	MIXRD_DOCS=full $(BIN)/python -m pytest tests/docs

.PHONY: bench
bench: $(VENV)/.installed-bench ## time the forward model, the analysis and the page; rietx on the same scans (MIXRD_DATA)
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/refinement.py
	$(BIN)/python benchmarks/batch.py
	$(BIN)/python benchmarks/weighed_rietx.py --dara
	$(BIN)/python benchmarks/serve.py

.PHONY: study-real
study-real: $(VENV)/.installed-dev ## accuracy on weighed mixtures, from nothing (MIXRD_DATA)
	$(BIN)/python studies/run.py
	$(BIN)/python studies/particles.py

.PHONY: study-premises
study-premises: $(VENV)/.installed-dev ## wrong premises: how often sure and wrong, how often refused though fine (MIXRD_DATA)
	$(BIN)/python studies/premises.py

.PHONY: study-absent
study-absent: $(VENV)/.installed-dev ## candidates that are not there: called detected? do limits hold? (MIXRD_DATA)
	$(BIN)/python studies/absent.py

.PHONY: study-missing
study-missing: $(VENV)/.installed-dev ## a phase that nobody named: noticed? (weighed and 200 simulated scans; MIXRD_DATA)
	$(BIN)/python studies/run.py left-out-cpd left-out-dara
	$(BIN)/python studies/left_out_simulated.py

.PHONY: study-coverage
study-coverage: $(VENV)/.installed-dev ## intervals at 50 to 95 %, weighed and simulated regimes (MIXRD_DATA)
	$(BIN)/python studies/interval_coverage.py

.PHONY: study-textures
study-textures: $(VENV)/.installed-dev ## plates and needles: axis and fraction found?
	$(BIN)/python studies/texture_axes.py

.PHONY: study-forward
study-forward: $(VENV)/.installed-dev ## the forward model against others; what each term buys (MIXRD_DATA)
	$(BIN)/python studies/forward.py
	$(BIN)/python studies/published.py
	$(BIN)/python studies/rendering.py
	$(BIN)/python studies/pure_phases.py
	$(BIN)/python studies/corrections.py

.PHONY: study-paper
study-paper: $(VENV)/.installed-dev ## the grid of the paper, shortened, with the compact network
	$(BIN)/python studies/paper.py grid

.PHONY: study-exports
study-exports: $(VENV)/.installed-dev ## exports read back and refined by other programs (MIXRD_DATA; GSAS2=python)
	$(BIN)/python studies/exports.py $(if $(GSAS2),--gsas2 "$(GSAS2)")
	$(BIN)/python docs/make_exports_table.py

.PHONY: study-floor
study-floor: $(VENV)/.installed-dev ## networks and refinements at the noise floor, shortened
	$(BIN)/python studies/floor.py

.PHONY: clean
clean: ## remove .venv, caches and build output
	rm -rf $(VENV) build dist docs/_build docs/api docs/warnings .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks studies docs -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps, so that setting up is done once and again only when what is needed has changed.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "mixrd needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1 || true)."; \
	  echo "Name another one, for example: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' has no venv module. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; } >&2
	@echo "Creating $(VENV) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing mixrd and what it needs (once; torch is the large one)"
	@set -o pipefail; $(PIP_INSTALL) -e . $(PIP_BRIEF)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing mixrd, what it needs and the development tools (once; torch is the large one)"
	@set -o pipefail; $(PIP_INSTALL) -e '.[dev]' $(PIP_BRIEF)
	@touch $(VENV)/.installed $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	@echo "Installing the programs to compare with"
	@set -o pipefail; $(PIP_INSTALL) -e '.[dev,bench]' $(PIP_BRIEF)
	@touch $@
