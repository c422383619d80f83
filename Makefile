# `make demo` shows Andaman, `make test` tests it: each makes .venv by itself, quick from then on.
#
# The environment comes from two locks with hashes, made by `make lock` and valid for Python 3.11,
# 3.12 and 3.13 on Linux and macOS. The lock for developers repeats the runtime's pins and adds
# the tools, so that each install is one file and users of the demo fetch no tools.

# The first of these that runs, is a version that we test, and can make environments is taken.
PYTHONS = python3.13 python3.12 python3.11 python3
# Options: `make demo ARGS="--for 60"`, `make test PYTEST_ARGS="-k ledger"`. Tests run two at a time.
ARGS =
PYTEST_ARGS =
WORKERS = 2
UV = uv

BIN = .venv/bin
SUITABLE = import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# Wheels only: installing runs nobody's code and downloads nothing without a hash.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED = --require-hashes --only-binary :all:
# One version of each package on every Python, so that a test on one speaks for the others.
COMPILE = $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(ARGS)

.PHONY: setup demo test check oracle peers model killed judge bench compose-secrets lock clean
.DELETE_ON_ERROR:

setup: .venv/.dev .venv/.andaman

demo: .venv/.runtime .venv/.andaman
	$(BIN)/andaman demo $(ARGS)

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/docs

# Our tests of quality beside the reference, a batch library whose dependencies are heavy.
oracle: .venv-oracle/.done
	.venv-oracle/bin/python -m pytest tests/oracle $(PYTEST_ARGS)

# Other methods of detection on NAB's series, for `benchmarks.detection --peers`.
peers: .venv-peers/.done
	.venv-peers/bin/python -m benchmarks.peers ../shared/data/nab > .venv-peers/scores.json
	.venv-peers/bin/python -m benchmarks.detection ../shared/data --only nab \
		--peers .venv-peers/scores.json

# The engine of alerts beside the slow model of what rules mean: `make model ARGS="--examples 500"`.
model: setup
	$(BIN)/python -m tests.reference.run $(ARGS)

# A scripted day, killed at a hundred random points, tells what the undisturbed one tells.
killed: setup
	$(BIN)/python -m tests.day $(ARGS)

# A whole system, broken on purpose for the better part of an hour, two rounds of all fault scripts:
# `make judge ARGS="--seeds 27"` is one.
judge: setup
	$(BIN)/andaman judge --seeds 54 $(ARGS)

bench: .venv/.runtime .venv/.andaman
	$(BIN)/python -m benchmarks.drain
	$(BIN)/python -m benchmarks.latency
	$(BIN)/python -m benchmarks.quality

# What docker-compose.yml takes from ./secrets; `make compose-secrets NAME=andaman.example.org`.
NAME = localhost
compose-secrets:
	sh config/compose-secrets.sh secrets $(NAME)

# Needs uv. Keeps the pins that still fit; `make lock ARGS=--upgrade` takes the newest.
lock:
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --extra dev --extra oracle --constraint requirements-dev.lock \
		--output-file requirements-oracle.lock
	$(COMPILE) --extra dev --extra peers --constraint requirements-dev.lock \
		--output-file requirements-peers.lock

# Data of the demo stays.
clean:
	rm -rf .venv .venv-oracle .venv-peers build dist *.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each step leaves its mark last, inside .venv: what was interrupted is done again, and a changed
# lock begins with an empty environment.
.venv/.runtime: requirements.lock
	@for python in $(PYTHONS); do \
		if "$$python" -c "$(SUITABLE)" 2>/dev/null; then \
			echo "Making .venv with $$("$$python" --version), about half a minute"; \
			exec "$$python" -m venv --clear .venv; \
		fi; \
	done; \
	echo "Andaman needs Python 3.11, 3.12 or 3.13 with its venv module; none of these is one:" >&2; \
	echo "  $(PYTHONS)" >&2; \
	echo "Install one (Debian, Ubuntu: apt install python3-venv; macOS: brew install python@3.13)" >&2; \
	echo "or name yours: make PYTHONS=/path/to/python3.12" >&2; \
	exit 1
	$(INSTALL) $(LOCKED) -r requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	$(INSTALL) $(LOCKED) -r requirements-dev.lock
	@touch $@

.venv/.andaman: pyproject.toml .venv/.runtime
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# The reference has no wheel, so it is the one package that is built, with what pip gets for that.
.venv-oracle/.done: requirements-oracle.lock .venv/.runtime
	$(BIN)/python -m venv --clear .venv-oracle
	.venv-oracle/bin/python -m pip install --quiet --disable-pip-version-check $(LOCKED) \
		--no-binary ioos-qc -r requirements-oracle.lock
	@touch $@

.venv-peers/.done: requirements-peers.lock .venv/.runtime
	$(BIN)/python -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check $(LOCKED) \
		-r requirements-peers.lock
	@touch $@
