# A path may hold a space and make cannot name such a file, so nothing here is a file target:
# every target is phony, every path is relative, and tools/install.sh decides what is out of date.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help run test fast lint lock dev

PORT ?= 8000
PYTHON ?= python3
export PORT PYTHON

help: ## This list
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' Makefile

run: ## The demonstration: web server and clock on http://localhost:8000 (PORT=8001 for another port)
	@tools/install.sh run
	@exec tools/run.sh

test: lint ## Everything: lint, then all tests (fast, slow, real browser)
	@tools/browser.sh
	@.venv/bin/python -m pytest

fast: dev ## The fast tests only
	@.venv/bin/python -m pytest -m "not slow and not browser"

lint: dev ## Style, types, import contracts, security lint
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy
	@.venv/bin/lint-imports
	@.venv/bin/python -m bandit -q -r weerbaar_meldpunt

lock: ## Make both locks again, with the newest versions that setup.cfg allows
	@tools/lock.sh

dev:
	@tools/install.sh dev
