# Everything a contributor runs. Each target first makes sure the virtual environment matches the lock file.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Files are shared out, in their order, over as many processes as there are cores, each with its own servers.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
SEED ?= $(shell date +%s)

# Containers often forbid bytecode: each of some dozens of processes would compile everything anew, ten seconds of CPU.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install dev test test-changed test-shuffled lint format schema lock faults fuzz bench bench-catalog bench-engine bench-growth bench-live
.PHONY: bench-chat clean mutants

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@echo "Installing into .venv, as requirements.lock says: a minute the first time ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(STAMP)

dev: install
	@$(BIN)/landfall dev $(ARGS)

test: install
	@$(PYTEST) $(ARGS)

# The tests that a change can break: of the files named by FILES, or of all that differ from main.
test-changed: install
	@$(PYTEST) $$($(BIN)/python -m tests.changed $(FILES)) $(ARGS)

# All tests in an order of chance, which its seed repeats.
test-shuffled: install
	@echo "SEED=$(SEED)"
	@$(PYTEST) -p randomly --randomly-dont-reset-seed --randomly-seed=$(SEED) $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Writes what tests compare with: the snapshots schema/schema.graphql and schema/app.graphql, the document
# schema/delta.graphql for clients, and the diagrams of docs/states.md.
schema: install
	@$(BIN)/landfall schema --write
	@$(BIN)/python -m tests.state_diagrams

# Cuts a release of the schema: apps may rely on it, and on what their documents ask, from now on.
.PHONY: release-schema
RELEASED := clients/schema/released
release-schema: schema
	@cp schema/schema.graphql clients/schema/released.graphql
	@mkdir -p $(RELEASED)
	@cp clients/apollo/persisted-query-manifest.json $(RELEASED)/apollo-$$($(BIN)/landfall --version | cut -d' ' -f2).json

# Takes the messages of the sources into the catalogs of all languages: new ones wait there to be translated.
MESSAGES := .venv/landfall.pot
.PHONY: messages
messages: install
	@$(BIN)/pybabel --quiet extract --no-default-keywords -k UserError:2 -k NotFound -k gettext_noop --no-location --sort-output -o $(MESSAGES) commands core jobs resolvers routes server subscriptions
	@$(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 110 -i $(MESSAGES) -d core/translations -D landfall

# Resolves pyproject.toml into requirements.lock: the only way versions change.
lock: install
	$(BIN)/uv pip compile pyproject.toml --extra embedded --group dev --python-version 3.11 --no-emit-index-url --no-annotate --no-header --quiet --upgrade -o requirements.lock

# The long runs: real processes killed and stopped, 100,000-step histories.
faults: install
	@LANDFALL_LONG=1 $(BIN)/python -m pytest tests/faults tests/engine tests/catalog/test_race.py -s $(ARGS)

# The compiled executor against the reference, over 50,000 generated documents.
fuzz: install
	@LANDFALL_LONG=1 $(BIN)/python -m pytest tests/executor -s $(ARGS)

# Planted faults against the tests nearest to them, and the share that is noticed; about half an hour.
mutants: install
	@$(BIN)/python -m tests.mutation $(ARGS)

# Landfall beside other GraphQL servers; bench/README.md.
bench: install
	@$(BIN)/python -m bench.run $(ARGS)

# The catalog's own figures, at 20,000 products.
bench-catalog: install
	@$(BIN)/python -m bench.catalog $(ARGS)

bench-engine: install
	@$(BIN)/python -m bench.engine

# How CPU per request grows with page size, levels and fields.
bench-growth: install
	@$(BIN)/python -m bench.growth $(ARGS)

# Live events: a thousand subscribers, five thousand idle sockets, beside graphql-yoga.
bench-live: install
	@$(BIN)/python -m bench.live $(ARGS)

# Sending and receiving with 500 chats open on one process.
bench-chat: install
	@$(BIN)/python -m bench.chat $(ARGS)

# 200 people acting on one thing at once, beside as many on different ones.
.PHONY: bench-hot
bench-hot: install
	@$(BIN)/python -m bench.hot $(ARGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# What an entry of the audit log costs its mutation.
.PHONY: bench-audited
bench-audited: install
	@$(BIN)/python -m bench.audited

# What carts cost.
.PHONY: bench-cart
bench-cart: install
	@$(BIN)/python -m bench.cart $(ARGS)

# What orders cost, without the time of the payment gateway.
.PHONY: bench-orders
bench-orders: install
	@$(BIN)/python -m bench.orders $(ARGS)

# What mutations cost, beside another commit: make bench-writes ARGS="--against HEAD~3"
.PHONY: bench-writes
bench-writes: install
	@$(BIN)/python -m bench.writes $(ARGS)

# What the first page of the home feed costs, and how that grows with the number of people followed.
.PHONY: bench-feed
bench-feed: install
	@$(BIN)/python -m bench.feed $(ARGS)

# CPU until a process has its schema, with compiled bytecode.
.PHONY: bench-start
bench-start: install
	@$(BIN)/python -m bench.start

# Notifications: what notify() writes, how fast one worker delivers, and what waits for others.
.PHONY: bench-notify
bench-notify: install
	@$(BIN)/python -m bench.notify $(ARGS)

# Barcodes: lookups of one code and of many, and batches of scans.
.PHONY: bench-barcode
bench-barcode: install
	@$(BIN)/python -m bench.barcode

# Search of an audit log of a million entries, or of ARGS="--entries 200000".
.PHONY: bench-audit-search
bench-audit-search: install
	@$(BIN)/python -m bench.audit_search $(ARGS)

# Favorites: reading a list, saving and removing.
.PHONY: bench-favorite
bench-favorite: install
	@$(BIN)/python -m bench.favorite $(ARGS)

# The audit log: proofs, the wait of SYNC, CPU of an entry.
.PHONY: bench-audit
bench-audit: install
	@$(BIN)/python -m bench.audit
