# Everything a fresh machine needs: Python >= 3.11 and make. `make demo` runs the example study, `make test` the tests.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OUT    ?= out/demo

# The lock file pins every package; uv only installs it, into the project's own environment. Bytecode is made here, once,
# since it is never written later where PYTHONDONTWRITEBYTECODE is set.
export UV_PROJECT_ENVIRONMENT := $(VENV)
SYNC = $(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode

.PHONY: demo test lint bench validate docs clean

demo: $(VENV)/.run
	$(BIN)/exotwin run examples/poi-umbilical.toml -o $(OUT)

test: $(VENV)/.dev
	$(BIN)/pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# MODELS="…" and PEERS="…" choose; FITS=all or FITS="…" measures fits instead of the engine. See benchmarks/run.py.
bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py $(if $(MODELS),--models $(MODELS)) $(if $(PEERS),--peers $(PEERS)) \
		$(if $(FITS),--fits $(FITS))

validate: $(VENV)/.dev
	$(BIN)/exotwin validate --html out/scoreboard.html
	$(BIN)/pytest -m "slow or not slow"

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) out site build dist

$(VENV)/.uv:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "exotwin needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@

$(VENV)/.run: $(VENV)/.uv pyproject.toml uv.lock
	$(SYNC)
	$(BIN)/python -m compileall -q src
	touch $@

$(VENV)/.dev: $(VENV)/.uv pyproject.toml uv.lock
	$(SYNC) --extra dev --extra app --extra fit
	$(BIN)/python -m compileall -q src
	touch $@ $(VENV)/.run

# The other simulators. AMICI is built from source, with what PyPI brings and a C++ compiler: where that fails, the rest
# is measured without it, and the table says so.
$(VENV)/.bench: $(VENV)/.dev
	$(SYNC) --extra bench
	AMICI_PARALLEL_COMPILE= $(SYNC) --extra bench-amici || echo "AMICI could not be built here; it is left out"
	touch $@
