# Orkestra. `make` alone explains what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STATE ?= .orkestra
FAULT_SEEDS ?= 1,2,3,4,5,6,7,8,9,10
FAULT_RECOVERED_WITHIN ?= 30
WORKERS ?= auto
SOURCES := $(foreach folder,$(wildcard libs/*/src services/*/src examples/*/src),$(if $(shell find $(folder) -name '*.py' -print -quit),$(folder)))
TESTS := $(sort $(patsubst %/,%,$(dir $(wildcard libs/*/tests/*.py services/*/tests/*.py examples/*/tests/*.py tests/*/*.py))))
SITE := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs
space := $(subst ,, )
export MYPYPATH := $(subst $(space),:,$(strip $(SOURCES) $(TESTS)))

.PHONY: help
help: ## Show this.
	@echo 'make up           starts everything on this machine; make test proves that it works.'
	@echo 'Flags go through ARGS, such as: make up ARGS="--detach --port-offset 100"'
	@echo
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: install
install: ## Make .venv from requirements.lock; nothing to do where it is up to date.
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Orkestra needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Say which to use: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) tools/install.py
	@$(BIN)/python tools/build_frontend.py

.PHONY: up
up: install ## Start the whole stack here and stay; Ctrl-C stops it. (ARGS: --detach, --state-dir, --port-offset)
	@exec $(BIN)/orkestra dev --state-dir $(STATE) $(ARGS)

.PHONY: down
down: ## Stop a detached stack; what was stored stays.
	@if [ -x $(BIN)/orkestra ]; then $(BIN)/orkestra dev stop --state-dir $(STATE) $(ARGS); else echo "Nothing is installed here."; fi

.PHONY: status
status: install ## Say what runs and where.
	@$(BIN)/orkestra dev status --state-dir $(STATE) $(ARGS)

.PHONY: demo
demo: install ## Play the story through the public doors, against the running stack or one of its own.
	@$(BIN)/python -m support_bot.demo --state-dir $(STATE) $(ARGS)

.PHONY: test
test: install ## Run every test; needs nothing running. (ARGS go to pytest, WORKERS=2 limits the processes)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: test-images
test-images: install ## Build the image of a generated project and let its worker ask a person; needs Docker. (CONTRIBUTING.md)
	$(BIN)/pytest -n 0 -m docker tests/deploy $(ARGS)

.PHONY: races
races: install ## Race 50 clients for one task, 200 times; `make test` does 18 of them.
	ORKESTRA_TEST_RACE_ROUNDS=200 $(BIN)/pytest -n0 services/task-service/tests/test_task_races.py $(ARGS)

.PHONY: clients
clients: install ## Install the MCP clients that some tests use, each in an environment of its own.
	@$(BIN)/python tools/install_clients.py

.PHONY: deploy-tools
deploy-tools: install ## Install Helm, kubectl, hadolint and checkov, which the tests of deploy/ use.
	@$(BIN)/python tools/install_deploy_tools.py

.PHONY: golden
golden: deploy-tools ## Write the chart's golden renders and its README anew; look at the difference.
	@$(BIN)/python tools/golden.py

.PHONY: released
released: deploy-tools ## Write down what the chart of a release puts into a cluster; later ones are held against it. (REF)
	@$(BIN)/python tools/release_chart.py $(REF)

IMAGES := identity-service task-service workflow-worker notification-service api-gateway mcp-gateway dashboard migrations evaluation
TAG ?= 0.1.0
BASE ?= python:3.12-slim
DOCKER ?= docker
.PHONY: images
images: ## Build every image, and push it where REGISTRY is given. (TAG, BASE, IMAGES; BUILD: options of docker build)
	@for image in $(IMAGES); do \
		name="$(if $(REGISTRY),$(REGISTRY)/)orkestra/$$image:$(TAG)"; echo "$$name"; \
		DOCKER_BUILDKIT=1 $(DOCKER) build --quiet $(BUILD) --build-arg BASE=$(BASE) --build-arg SERVICE=$$image \
			--build-arg VERSION=$(TAG) --tag "$$name" . || exit 1; \
		$(if $(REGISTRY),$(DOCKER) push --quiet "$$name" || exit 1;) \
	done

.PHONY: wheels
wheels: install ## Build every package into dist/, from which `orkestra init NAME --wheels dist` installs.
	$(BIN)/uv build --all-packages --wheel --no-build-isolation --offline --quiet --out-dir dist

.PHONY: faults
faults: install deploy-tools ## Break a stack of two of each in every way while clients work, and prove that nothing was lost. (FAULT_SEEDS=1,2,3)
	FAULT_SEEDS="$(FAULT_SEEDS)" FAULT_RECOVERED_WITHIN="$(FAULT_RECOVERED_WITHIN)" $(BIN)/pytest -n 0 -s tests/faults/test_random_faults.py $(ARGS)

.PHONY: upgrade
upgrade: install ## Replace an older release by this one and go back again, under load. (OLD, a tag or commit)
	@test -n "$(OLD)" || { echo "Which release? make upgrade OLD=v0.1.0" >&2; exit 2; }
	rm -rf build/old && git worktree prune && git worktree add --force --detach build/old "$(OLD)"
	$(MAKE) -C build/old install
	ORKESTRA_TEST_OLD=$(CURDIR)/build/old/.venv/bin/python $(BIN)/pytest -n 0 -s tests/faults/test_rolling_upgrade.py $(ARGS)
	git worktree remove --force build/old

.PHONY: coverage
coverage: install ## Run every test and show which lines none reached.
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --cov --cov-report term-missing:skip-covered $(ARGS)

.PHONY: check
check: install lint types imports fresh docs ## Run every check that needs no running server.

.PHONY: audit
audit: install ## Look for known vulnerabilities and licences that we do not take; write a bill of materials.
	@$(BIN)/python -m tools.audit $(ARGS)

.PHONY: format
format: install ## Put the code into its format and mend what can be mended.
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: lint
lint: install ## Check format, style and the proto files.
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/buf lint proto

.PHONY: types
types: install ## Check the types of sources and tests.
	$(BIN)/mypy bench conftest.py tools/reference $(wildcard tools/*.py) $(SOURCES) $(TESTS)

.PHONY: imports
imports: install ## Check who may import whom.
	$(BIN)/lint-imports

.PHONY: fresh
fresh: install ## Check that the generated code is what proto/ says.
	$(BIN)/python tools/generate.py --check

.PHONY: docs
docs: install ## Check what the documents say against the code, and build the site into build/site.
	@for check in $(wildcard tools/check_*.py); do echo "$(BIN)/python $$check"; $(BIN)/python $$check || exit 1; done
	$(BIN)/python -m tools.reference --check
	@$(SITE) build --quiet

.PHONY: docs-serve
docs-serve: install ## Show the documentation at http://127.0.0.1:8300 while it is written.
	@$(SITE) serve --dev-addr 127.0.0.1:8300

.PHONY: reference
reference: install ## Write the reference pages of docs/ anew from the code.
	$(BIN)/python -m tools.reference

.PHONY: proto
proto: install ## Generate libs/contracts from proto/.
	$(BIN)/python tools/generate.py

.PHONY: bench
bench: install ## Measure beside the floor of the same run.
	$(BIN)/python -m bench $(ARGS)

.PHONY: lock
lock: install ## Pin every dependency again, keeping the versions that still fit.
	$(BIN)/python tools/lock.py $(ARGS)

.PHONY: screenshots
screenshots: install ## Take a picture of each page of the dashboard into build/screenshots; needs Chromium.
	PYTHONPATH=services/dashboard/tests $(BIN)/python -m dashboard_screenshots

.PHONY: form-pictures
form-pictures: install ## Take the pictures of docs/guides/form-schemas.md again; needs Chromium.
	PYTHONPATH=services/dashboard/tests $(BIN)/python -m dashboard_form_guide

.PHONY: clean-state
clean-state: ## Stop the stack and forget what the local stack stored.
	@if [ -d $(STATE) ]; then $(MAKE) --no-print-directory down; fi
	rm -rf $(STATE)

.PHONY: clean
clean: clean-state ## Remove all that was made here, .venv too.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
