# The maintainers' commands. `make check` is what CI runs, in the Python that is active.
PYTHON ?= python

.PHONY: check test lint types gen gen-check bench fuzz demo

check: lint types gen-check test

test:
	$(PYTHON) -m pytest

lint:
	ruff check .
	ruff format --check .

types:
	mypy
	mypy tests/typing
	pyright

# Everything that is generated: the table of the schema and its stubs, the stub of the errors.
# With SCHEMA=folder the tables themselves are made anew from facts about Telegram's schema.
gen:
ifdef SCHEMA
	$(PYTHON) -m tools.schema $(SCHEMA)
	$(PYTHON) -m tools.errors table $(SCHEMA)/errors.tsv
endif
	$(PYTHON) -m tools.errors stub
	$(PYTHON) -m tools.stubs

gen-check:
	$(PYTHON) -m tools.errors stub --check
	$(PYTHON) -m tools.stubs --check

bench:
	$(PYTHON) -m benchmarks

fuzz:
	$(PYTHON) -m tests.fuzz

demo:
	$(PYTHON) -m radiogram demo
