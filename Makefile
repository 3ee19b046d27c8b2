# Every target sets up what it needs: a fresh machine has Python 3.11 and make, nothing else.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DEMO_OUT ?= demo-output

S3_VENV := .venv-s3

AUDIT_VENV := .venv-audit

.PHONY: install demo test test-all test-s3-real check audit bench clean
.DEFAULT_GOAL := install

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo 'installing into $(VENV): about 2 GB, a minute or two'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch==2.13.0
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet -c constraints.txt --group dev -e '.[dashboard]'
	touch $@

# The S3 server of the tests: its botocore is another one than s3fs needs.
$(S3_VENV)/.installed: Makefile
	$(PYTHON) -m venv $(S3_VENV)
	$(S3_VENV)/bin/python -m pip install --quiet 'moto[server]==5.2.5'
	touch $@

demo: install
	$(BIN)/jepa-ray demo --output $(DEMO_OUT)

test: install $(S3_VENV)/.installed
	$(BIN)/python -m pytest -m "not slow"

test-all: install $(S3_VENV)/.installed
	$(BIN)/python -m pytest

# The same tests on Ceph's gateway, started on loopback: apt-get install radosgw ceph-mon ceph-osd
test-s3-real: install $(S3_VENV)/.installed
	bash tests/s3/on_ceph.sh $(BIN)/python -m pytest tests/s3 -m "not slow"

# What is no secret: a planted one begins with `canary`; two are names.
SECRETS := --no-verify --exclude-files '^constraints\.txt$$' --exclude-secrets '^(canary|jepa-ray-token$$|Ann Example$$)'

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md docs jepa_ray jobs deploy tests benchmarks
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook $(SECRETS)

# Known vulnerabilities of the pinned packages: asks the network, so it is no part of `check`. CUDA or
# CPU makes no difference: torch is looked up by its version.
audit: $(AUDIT_VENV)/.installed
	$(AUDIT_VENV)/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

$(AUDIT_VENV)/.installed: Makefile
	$(PYTHON) -m venv $(AUDIT_VENV)
	$(AUDIT_VENV)/bin/python -m pip install --quiet 'pip-audit==2.10.1'
	touch $@

bench: install
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) $(S3_VENV) $(AUDIT_VENV) $(DEMO_OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
