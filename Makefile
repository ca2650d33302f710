PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet
TORCH_PINS = $(shell grep -E '^torch(vision)?==' requirements.txt)
FIRST := notebooks/01_discriminative_vs_generative.ipynb
# Jupyter refuses to run as root, which is the usual user in a container, unless told to.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# Two pools of threads meet in these programs, OpenMP's (torch) and OpenBLAS's (NumPy). Waiting
# threads of the first spin, by default long enough to slow down the second, and whatever else the
# machine does: let them sleep sooner. The matrices that NumPy gets here are small: one thread.
export GOMP_SPINCOUNT ?= 10000
export OPENBLAS_NUM_THREADS ?= 1

# Two workers, each of which takes a file at a time, in the order of tests/conftest.py: a notebook's
# cells stay together. One thread of torch for each.
PARALLEL := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: lab lint lint-js test test-fast coverage notebooks site handout release bench bench-explorer bench-playground bench-classroom bench-hub clean

# One environment, made in two steps: what a reader runs, and what tests and the site need besides.
# A changed file of requirements installs again, into what is there.
.venv: .venv/dev

.venv/reader: requirements.txt pyproject.toml $(shell find environment -type f)
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(PIP_INSTALL) --index-url $(TORCH_INDEX) $(TORCH_PINS))
	$(PIP_INSTALL) -r requirements.txt
	touch $@

.venv/dev: requirements-dev.txt .venv/reader
	$(PIP_INSTALL) -r requirements-dev.txt
	touch $@

lab: .venv/reader
	$(BIN)/jupyter lab --ip=127.0.0.1 $(AS_ROOT) --LabApp.default_url=/lab/tree/$(FIRST)

lint: .venv
	$(BIN)/ruff check helpers docs tests benchmarks notebooks
	$(BIN)/ruff format --check helpers docs tests benchmarks

# Everything. The site is built before its tests look at it; what counts frames, or reads the clocks
# of the cores, has the machine for itself afterwards.
test: lint site
	$(PARALLEL) -m "not serial" tests --nbval-lax notebooks
	$(BIN)/pytest -m serial tests

# What needs neither a kernel nor a browser.
test-fast: lint
	$(PARALLEL) -m "not serial and not kernel and not browser" tests
	$(BIN)/pytest -m "serial and not browser" tests

# The explorers' JavaScript, where Node is found: nothing else here needs it.
lint-js:
	@if command -v npx >/dev/null; \
	then npx --yes @biomejs/biome@2.6.8 check --error-on-warnings; \
	else echo "lint-js: skipped, no npx (which comes with Node) was found"; fi

# What the unit tests alone reach, without notebooks and browsers; fails below the share that
# pyproject.toml asks for.
coverage: .venv
	$(BIN)/pytest tests -m "not browser" --cov

notebooks: .venv
	$(BIN)/python -m helpers.runner $(wildcard notebooks/*.ipynb notebooks/*/*.ipynb)

site: .venv
	$(BIN)/python docs/build.py

handout: .venv
	$(BIN)/python docs/handout.py

# Both, as a teacher takes them away: the site works from the disk, and the course has the students'
# notebooks in place of its own.
release: site handout
	$(BIN)/python docs/release.py

bench: .venv
	$(BIN)/python benchmarks/training.py

bench-explorer: .venv
	$(BIN)/python benchmarks/explorer.py

bench-playground: .venv
	$(BIN)/python -m benchmarks.playground

bench-classroom: .venv
	$(BIN)/python benchmarks/classroom.py

# As root: it makes users of the system, and removes them.
bench-hub: .venv
	$(BIN)/python -m benchmarks.hub

clean:
	rm -rf .venv build dist site handout *.egg-info .pytest_cache .ruff_cache
	find . \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
