# Two commands: `make demo` paints a picture, `make test` checks everything.
# Both make .venv on their first run and install nothing on the second.

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test bench clean

demo: $(VENV)/.installed
	$(BIN)/impasto demo --force -o demo.png

# Several processes run the tests: threads of one would only take the processors of the others.
test: export OMP_NUM_THREADS := 1
test: $(VENV)/.installed-test
	sh tests/packages.sh
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadgroup

bench: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) --editable .[test]
	@touch $@

clean:
	rm -rf $(VENV)
