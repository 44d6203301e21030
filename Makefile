# `make` prints what there is. Works with GNU make 3.81 (macOS) and later.
PYTHON = .venv/bin/python
INSTALLED = @sh config/install.sh requirements.txt
INSTALLED_DEV = @sh config/install.sh requirements.txt requirements-dev.txt

# Tests and checks must not reach a model or a server that this shell happens to be set up for.
CLEAN = env -u DATABASE_URL -u REDIS_URL -u OPENAI_API_KEY -u OPENAI_BASE_URL -u OPENAI_MODEL -u EMBEDDED_MODEL -u COUNTERSIGN_DATA
EVERYDAY = -m "not browser and not benchmark and not faults and not model"
EVERYDAY_BUT_DOORS = -m "not browser and not benchmark and not faults and not model and not doors"
# A file of tests stays in one process; each process has a database of its own.
PARALLEL = -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL = help
.PHONY: help demo run test test-postgres test-browser test-slow check bench format

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

demo: ## the whole system with demo work, on http://127.0.0.1:8000 (PORT); ONCE=1 ends when all are at rest, SCORE=1 counts right fields
	$(INSTALLED)
	@$(PYTHON) manage.py demo $(if $(filter-out 0 no false,$(ONCE)),--once) $(if $(filter-out 0 no false,$(SCORE)),--score)

run: ## web and workers on the configured database, without demo work
	$(INSTALLED)
	@$(PYTHON) manage.py serve

test: ## everyday tests on SQLite; needs no server, browser or network
	$(INSTALLED_DEV)
	@$(CLEAN) $(PYTHON) -m pytest $(PARALLEL) $(EVERYDAY)

test-postgres: ## the same on PostgreSQL: DATABASE_URL, or the server at 127.0.0.1:5432, in a database of its own
	$(INSTALLED_DEV)
	@url=$$($(PYTHON) -m config.find_postgres) && $(CLEAN) DATABASE_URL="$$url" $(PYTHON) -m pytest $(PARALLEL) $(EVERYDAY_BUT_DOORS)

test-browser: ## tests in Chromium; a picture of each screen goes to var/screens (SCREENS)
	$(INSTALLED_DEV)
	@$(CLEAN) $(PYTHON) -m pytest -m browser tests/browser

test-slow: ## minutes: kill -9 of real processes, and tests with the weights of a model
	$(INSTALLED_DEV)
	@$(CLEAN) $(PYTHON) -m pytest -m "faults or model"

check: ## lint, format, types, layers, migrations
	$(INSTALLED_DEV)
	@$(CLEAN) $(PYTHON) -m ruff check .
	@$(CLEAN) $(PYTHON) -m ruff format --check .
	@$(CLEAN) $(PYTHON) -m mypy .
	@$(CLEAN) .venv/bin/lint-imports
	@$(CLEAN) $(PYTHON) manage.py makemigrations --check --dry-run
	@$(CLEAN) $(PYTHON) manage.py check

bench: ## what an item costs, measured
	$(INSTALLED_DEV)
	@$(CLEAN) $(PYTHON) -m pytest -m benchmark -s tests/benchmarks

format: ## put the code into shape
	$(INSTALLED_DEV)
	@$(PYTHON) -m ruff check --fix-only .
	@$(PYTHON) -m ruff format .
