# Two commands do all the set-up: `make run` and `make test`.
SHELL := /bin/bash
BIN := .venv/bin

.PHONY: help setup setup-dev run test quick check format bench recordings lock

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: ## Install what running needs, and the command .venv/bin/portside
	@tools/setup run

setup-dev: ## Install what the tests need besides
	@tools/setup test

run: setup ## Serve the tutor on http://127.0.0.1:8000 with engines behind it
	@exec $(BIN)/portside web

test: setup-dev check ## Everything: checks, unit tests, live tests on real engines and a real browser
	@$(BIN)/python -m pytest

quick: ## The tests that need no engine and no browser
	@$(BIN)/python -m pytest --ignore tests/live

check: ## Lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: ## Format and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup-dev ## Measure answers, start-up, runs alone and six at once, lag, memory and CPU; print the tables
	@$(BIN)/python -m benchmarks

recordings: setup ## Record the demos that ship, or DEMOS="selfheal …" alone, anew on real engines
	@$(BIN)/python tools/record_demos.py $(DEMOS)

lock: ## Pin what pyproject.toml asks for, with hashes
	@.uv/bin/uv pip compile -q --universal --generate-hashes --no-header pyproject.toml --group build -o requirements.lock
	@.uv/bin/uv pip compile -q --universal --generate-hashes --no-header pyproject.toml --group build --group dev \
	  -c requirements.lock -o requirements-dev.lock
