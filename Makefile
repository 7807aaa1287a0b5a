# Two commands on a bare machine: `make demo` and `make test`. Each does all its set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
WEIGHTS ?=
OUT ?= runs/demo
export MELANOSCOPE_REAL

.DEFAULT_GOAL := help
.PHONY: help demo test check slow real constraints clean

help:
	@echo "make demo [DATA=folder of archives] [WEIGHTS=folder]   small comparison, ends by naming its report"
	@echo "make test        format, types, layers, doctests, tests"
	@echo "make slow        the slow checks in full"
	@echo "make real REAL=../shared   the comparison of the README on real photographs (some hours)"

# uv comes from the registry too, so that pip's slower resolver need not run.
$(VENV)/uv.done:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@

$(VENV)/demo.done: $(VENV)/uv.done pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[train,timm]'
	touch $@

$(VENV)/test.done: $(VENV)/uv.done pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[train,timm,heic,dev]'
	touch $(VENV)/demo.done $@

demo: $(VENV)/demo.done
	$(BIN)/melanoscope demo --out $(OUT) $(if $(DATA),--data $(DATA)) $(if $(WEIGHTS),--weights $(WEIGHTS))

test: check
	$(BIN)/pytest -m "not slow"

check: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

slow: $(VENV)/test.done
	$(BIN)/pytest

REAL ?= ../shared
real: $(VENV)/demo.done
	benchmarks/real_comparison.sh $(REAL) runs/real

# Names and versions only, for every Python and system.
constraints: $(VENV)/uv.done
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --all-extras pyproject.toml -o constraints.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
