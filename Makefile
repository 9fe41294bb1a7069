# The manual: `make run` and `make test` do all the set-up themselves.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
export PIP_NO_INPUT := 1

.PHONY: help run test lint types imports tests chaos messages lock audit secrets sbom clean

help:
	@echo 'make run    start Yamchi: the service if a token is set, else a chat in this terminal'
	@echo 'make test   ruff, mypy, import-linter and the tests'
	@echo 'make chaos  every fault we promise to bear, in full, under an hour: one line a row'
	@echo 'make messages  write sentences that are still untranslated into bot/locales/*.po'
	@echo 'make lock   refresh the lock files'
	@echo 'make audit  known holes in what we depend on (asks the advisory service); make secrets  secrets in what is committed'
	@echo 'make sbom   what we depend on, as CycloneDX: build/sbom.json'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Yamchi needs Python 3.11 or newer: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@echo 'Setting up .venv ...' >&2
	@$(PIP) --require-hashes -r requirements.lock
	@PYTHONWARNINGS='ignore:Editable installation' $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/test.stamp: requirements-dev.lock pyproject.toml | .venv/run.stamp
	@echo 'Setting up the tools for tests ...' >&2
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

.venv/audit.stamp: requirements-audit.lock | .venv/test.stamp
	@echo 'Setting up the tools for audits ...' >&2
	@$(PIP) --require-hashes -r requirements-audit.lock
	@touch $@

run: .venv/run.stamp
	@$(BIN)/yamchi

test: lint types imports tests

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test.stamp
	$(BIN)/mypy

imports: .venv/test.stamp
	$(BIN)/lint-imports

tests: .venv/test.stamp
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term

chaos: .venv/test.stamp
	$(BIN)/python -m tests.chaos

messages: .venv/test.stamp
	$(BIN)/python -m tests.sentences

lock: .venv/test.stamp
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build --extra sentry --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra audit -c requirements-dev.lock pyproject.toml -o requirements-audit.lock

audit: .venv/audit.stamp
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

secrets: .venv/audit.stamp
	git ls-files -z -- ':!requirements*.lock' ':!tests/databases' | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

sbom: .venv/audit.stamp
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible -o build/sbom.json

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage
