# Everything runs from .venv, made on first use with the versions pinned in constraints.txt.
PYTHON ?= python3
EXTRAS ?=
BIN := .venv/bin

.PHONY: venv demo docs lint test bench bench-quick results wheelhouse clean

venv: .venv/stamp

.venv/stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	touch $@

demo: venv
	$(BIN)/medad demo

# Those who change code need no Sphinx: the tools of the site are installed when it is first built.
.venv/docs-stamp: .venv/stamp
	$(BIN)/python -m pip install -c constraints.txt -e '.[docs]'
	touch $@

docs: .venv/docs-stamp
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# One arithmetic thread per test process: the processes already fill the cores. A test that hangs is named and ended.
test: venv
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true

# Speed against a plain rendering of the published recipe; leave the machine alone meanwhile.
bench: venv
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.page

bench-quick: venv
	$(BIN)/python -m benchmarks.run --quick

# The pages of results, printed anew from the stored scores; three of them look at images, where MEDAD_DATA is set.
results: venv
	$(BIN)/medad results

# Every wheel that an offline machine needs, e.g. make wheelhouse EXTRAS='[dicom,web]'
wheelhouse: venv
	$(BIN)/python -m pip wheel -c constraints.txt -w wheelhouse '.$(EXTRAS)'

clean:
	rm -rf .venv wheelhouse build dist docs/_build runs/demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
