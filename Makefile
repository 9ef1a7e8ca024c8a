# Every target makes .venv first, with all that it needs, and is quick the second time.
#
#   make demo       ask a real database, then run an agent; no key, no network
#   make test       all fast tests            make test-all   the slow and external ones
#   make check      ruff, mypy, pyright       make bench      what a turn costs, beside others
#   make clean      remove everything that these targets made
#
# PYTHON=/path/to/python3.12 chooses the interpreter; PYTEST_ARGS="-k name -x" goes to pytest;
# BENCH_ARGS=--quick to the benchmark.

VENV := .venv
BIN := $(VENV)/bin
DB := demo/shop.db

ifndef PYTHON
PYTHON := $(shell for p in $(BIN)/python python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
endif

# An editable install is a tree of links, one per file (build/__editable__*): it is made again when the list of
# files, pyproject.toml, the interpreter or the folder itself changes, or when the tree is gone.
STAMP := $(VENV)/.installed-$(shell { pwd; cat pyproject.toml; "$(PYTHON)" -V; \
	find agent tools grammars -name '*.py' -o -name '*.lark' -o -name py.typed | LC_ALL=C sort; \
	} 2>&1 | cksum | cut -d ' ' -f 1)
ifeq ($(wildcard build/__editable__.*),)
$(STAMP): FORCE
endif

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check bench clean FORCE

help:
	@sed -n '3,9s/^#  \{0,1\}//p' Makefile

$(STAMP):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@version='import sys; print(sys.version, sys.base_prefix)'; \
	if [ "$$($(BIN)/python -c "$$version" 2>/dev/null)" != "$$("$(PYTHON)" -c "$$version")" ]; then \
		rm -rf $(VENV); echo "making $(VENV)"; "$(PYTHON)" -m venv $(VENV); fi
	@rm -rf build/__editable__.* $(VENV)/.installed-*
	@echo "installing jigwork and its tools into $(VENV)"
	@if command -v uv >/dev/null; then uv pip install --quiet --python $(BIN)/python --editable '.[dev]'; else \
		$(BIN)/python -m pip install -qq --disable-pip-version-check 'setuptools>=77' && \
		$(BIN)/python -m pip install -qq --disable-pip-version-check --no-build-isolation --editable '.[dev]'; fi
	@touch $@

$(DB): examples/shop.py
	@mkdir -p $(@D)
	@"$(PYTHON)" examples/shop.py $@ --force

demo: export JIGWORK_MODEL := offline
demo: $(STAMP) $(DB)
	$(BIN)/jigwork ask --db $(DB) "count customers per country"
	$(BIN)/jigwork ask --db $(DB) "top 5 customers by sum of orders total where country is Brazil"
	$(BIN)/jigwork ask --db $(DB) "title and price of products without any order lines"
	$(BIN)/jigwork ask --db $(DB) "average of orders total per store city"
	$(BIN)/python examples/parallel_tools.py

test: $(STAMP)
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow and not external" $(PYTEST_ARGS)

test-all: $(STAMP)
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "slow or external" $(PYTEST_ARGS)

CHECKS := "ruff check ." "ruff format --check ." mypy "pyright --pythonpath $(BIN)/python"
check: $(STAMP)
	@failed=; for check in $(CHECKS); do \
		echo "$(BIN)/python -m $$check"; $(BIN)/python -m $$check || failed="$$failed, $${check%% -*}"; done; \
	test -z "$$failed" || { echo "check found something:$${failed#,}"; exit 1; }

bench: $(STAMP)
	$(BIN)/python tests/bench/run.py $(BENCH_ARGS)

clean:
	rm -rf $(VENV) build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
