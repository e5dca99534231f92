# liftctl: `make run` starts the demo ward, `make test` runs everything CI runs.
PYTHON ?= python3
PORT ?= 8080
CENTRE_PORT ?= 8200
V := .venv/bin
RUN_STAMP := .venv/.run-ready
CENTRE_STAMP := .venv/.centre-ready
DEV_STAMP := .venv/.dev-ready

.PHONY: run demo centre test check bench nightly mutation format docs clean

$(RUN_STAMP): requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "liftctl needs python3 >= 3.11 (PYTHON=python3.11 make run)"; exit 2; }
	$(PYTHON) -m venv .venv
	$(V)/pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(V)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

$(CENTRE_STAMP): requirements/centre.txt $(RUN_STAMP)
	$(V)/pip install -q --disable-pip-version-check --require-hashes -r requirements/centre.txt
	@touch $@

$(DEV_STAMP): requirements/dev.txt $(RUN_STAMP)
	$(V)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

run: $(RUN_STAMP)  ## the demo ward; PORT= changes the panels' ports, DATA= keeps the data
	@$(if $(DATA),LIFTCTL_DATA=$(DATA)) $(V)/python -m liftctl up --port $(PORT)

centre: $(CENTRE_STAMP)  ## a knowledge centre with three demo homes; CENTRE_PORT= moves it, DATA= keeps the data
	@$(V)/python -m liftctl centre demo --port $(CENTRE_PORT) $(if $(DATA),--data $(DATA))

demo: $(RUN_STAMP)  ## one single-handed transfer and one stand, judged on the simulator's truth
	@$(V)/python -m hil.demo $(if $(SABOTAGE),--sabotage $(SABOTAGE))

check: $(DEV_STAMP)  ## format, lint, types, import contracts
	$(V)/ruff format --check .
	$(V)/ruff check .
	$(V)/mypy
	$(V)/lint-imports --no-cache

test: $(DEV_STAMP) check  ## everything CI runs; what coverage must be is in pyproject.toml
	$(V)/python -m tests

nightly: $(DEV_STAMP)  ## the long forms of the proofs
	LIFTCTL_NIGHTLY=1 $(V)/python -m pytest
	$(MAKE) mutation

mutation: $(DEV_STAMP)  ## small changes of kernel, gate and codecs: the tests must notice
	$(V)/python -m tests.mutation $(if $(MODULE),--module $(MODULE))

bench: $(DEV_STAMP)  ## figures, each against a baseline in the same run
	$(V)/python -m hil.bench

format: $(DEV_STAMP)
	$(V)/ruff format .
	$(V)/ruff check --fix .

docs: $(DEV_STAMP)  ## regenerate the generated pages
	$(V)/python -m liftctl.controller.diagrams
	$(V)/python -m liftctl.safetycase

clean:
	rm -rf .venv build *.egg-info
