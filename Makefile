PYTHON ?= python3
BIN := .venv/bin

.PHONY: lab test notebooks bench-explorer clean

.venv: .venv/installed

.venv/installed: requirements.txt
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

lab: .venv
	$(BIN)/jupyter lab --ip=127.0.0.1 notebooks/01_discriminative_vs_generative.ipynb

test: .venv
	$(BIN)/ruff check helpers tests benchmarks notebooks
	$(BIN)/ruff format --check helpers tests benchmarks
	$(BIN)/pytest tests --nbval-lax notebooks

notebooks: .venv
	$(BIN)/python -m helpers.saving notebooks/*.ipynb

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
