# Two commands on a fresh machine: `make cars` and `make test`. PYTHON chooses the interpreter,
# TEST_PROCESSES how many tests run at a time: each process may take 3 GB.
PYTHON ?= python3
TEST_PROCESSES ?= 2
ENVIRONMENT ?= .venv
BIN := $(ENVIRONMENT)/bin

.PHONY: help cars test test-slow lint format clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

cars: $(ENVIRONMENT)/.runs  ## Set up, train on drawn cars, report
	$(BIN)/python -m tasks.cars_finetune

test: $(ENVIRONMENT)/.develops  ## Set up, lint, and run the tests that are quick
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -m "not slow" -n $(TEST_PROCESSES) --dist loadfile

test-slow: $(ENVIRONMENT)/.develops  ## Set up and run the slow tests
	$(BIN)/python -m pytest -m slow

lint: $(ENVIRONMENT)/.develops  ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(ENVIRONMENT)/.develops  ## Mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove the environment and caches; runs stay
	rm -rf $(ENVIRONMENT) .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Marker files: nothing is installed again, and no network is asked, while the lists are unchanged.
$(ENVIRONMENT)/.runs: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(ENVIRONMENT)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	touch $@

$(ENVIRONMENT)/.develops: $(ENVIRONMENT)/.runs requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt
	touch $@
