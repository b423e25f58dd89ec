# Sets itself up from nothing but Python 3.11 or later; a second run finds everything done and starts at once.
#   make demo    a simulated port with its consoles        make test    what must pass before a commit
#   make check   the static part of it                     make slow    the long runs
#   make bench   the side-by-side measurements             make schema  pin the site file's schema again
#   make mutants lies about the gate, and whether a test finds each out (an hour; MODULES="interlock lane" for some)
#   make reader  pin the script that goes with exported books

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
            $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PAGES  := $(shell find consoles/ui -type f -not -path '*/node_modules/*' 2>/dev/null)
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DELETE_ON_ERROR:
.PHONY: demo test check slow bench mutants schema reader clean

demo: $(VENV)/.installed
	$(BIN)/quaygate demo

test: check
	$(BIN)/python -m pytest -n 2 -m "not slow"

check: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports

slow: $(VENV)/.installed
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.installed
	$(BIN)/python -m bench

mutants: $(VENV)/.installed
	$(BIN)/python -m tests.mutants $(MODULES)

schema: $(VENV)/.installed
	$(BIN)/quaygate schema > edge/sites/schema.json

reader:
	cp tests/real/book_reader.py edge/evidence/verify.txt

clean:
	rm -rf $(VENV) build dist demo-data consoles/static consoles/ui/node_modules

$(VENV)/.libraries: requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; none was found as python3, python3.14 .. python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock
	touch $@

# The build hook makes the browser pages, so that they follow their sources.
$(VENV)/.installed: $(VENV)/.libraries pyproject.toml hatch_build.py $(PAGES)
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@
