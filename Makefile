PYTHON ?= python3
USE_CASE ?= house_prices
BIN := .venv/bin
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-notebook setup-airflow demo up notebook notebooks airflow down status doctor test test-unit test-integration test-airflow test-faults check exactness fuzz ingest-2gb bench bench-selection bench-panel bench-growing bench-cluster bench-publication bench-scoring bench-ingest pins clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/regatta.stamp ## make the environment in .venv and build MinIO, where that is not done yet
setup-dev: .venv/dev.stamp ## the same, with what tests and linters need
setup-notebook: .venv/notebook.stamp ## JupyterLab beside it
setup-airflow: .venv-airflow/airflow.stamp ## Airflow in an environment of its own, .venv-airflow

demo: setup ## raw CSV to scored parquet, on this machine; USE_CASE=... runs another file of conf/
	@$(BIN)/regatta demo $(USE_CASE)

up: setup ## start MinIO and MLflow
	@$(BIN)/regatta up
notebook: setup setup-notebook ## JupyterLab with a Spark session on the lake: prints its address; make down ends it
	@$(BIN)/regatta notebook
notebooks: setup-dev ## run notebooks/ on the lake from top to bottom, and keep their outputs and the README's pictures
	$(BIN)/python infra/run_notebooks.py
airflow: setup setup-airflow ## start Airflow too, with a Spark cluster and the DAGs of every use case
	@$(BIN)/regatta up --airflow
down: setup ## end them; their data stays
	@$(BIN)/regatta down
status: setup ## which servers run, and where
	@$(BIN)/regatta status
doctor: setup ## what is missing on this machine or wrong with the lake
	@$(BIN)/regatta doctor

test: ## everything: check, then all tests on the real servers
	@$(MAKE) --no-print-directory -j 2 setup-dev setup-airflow
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest -n 4
test-unit: setup-dev setup-airflow ## the tests that need no server
	$(BIN)/pytest tests/unit
test-integration: setup-dev ## the tests on the real servers
	$(BIN)/pytest tests/integration
test-airflow: setup-dev setup-airflow ## a real Airflow for as long as it takes: a cluster, backfills, what is killed and what is away
	REGATTA_AIRFLOW=$(REGATTA_AIRFLOW) $(BIN)/pytest tests/dags
test-faults: setup-dev ## each verb killed twenty times and at named points beside a reader, its lake and its cluster taken away, its disk full, its S3 another; REGATTA_SEED=... draws others
	REGATTA_KILLS=$${REGATTA_KILLS:-20} $(BIN)/pytest -s tests/integration/test_lake_faults.py $(addprefix tests/integration/jobs/,test_kills.py test_kill_points.py test_lake_away.py test_disk_full.py test_another_server.py test_cluster.py)
fuzz: setup-dev ## 600 mutants of good files against Python's own reading; REGATTA_SEED=... draws others
	REGATTA_MUTANTS=$${REGATTA_MUTANTS:-600} $(BIN)/pytest -s tests/integration/test_mutants.py
ingest-2gb: setup-dev ## a file of 2 GB with dirt at known places: exactly that is rejected
	$(BIN)/python benchmarks/ingest_speed.py --gigabytes 2 --files 1
exactness: setup-dev ## 300 random fits of the native engine against stock MLlib, node by node; REGATTA_EXACTNESS=... sets the number
	REGATTA_EXACTNESS=$${REGATTA_EXACTNESS:-300} $(BIN)/pytest -s --timeout 0 tests/unit/test_exactness.py
check: setup-dev ## format, lint, types, and which package may import which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev ## the grids at four sizes by us, MLlib, scikit-learn and LightGBM: benchmarks/results.md and a plot; hours
	$(BIN)/python benchmarks/bench.py
bench-selection: setup-dev ## our model selection against CrossValidator and scikit-learn
	$(BIN)/python benchmarks/selection.py
bench-panel: setup-dev ## how the cost of a panel's features grows with its rows, beside pandas
	$(BIN)/python benchmarks/panel.py
bench-growing: setup-dev ## what a row costs the native engine as tables grow
	$(BIN)/python benchmarks/growing.py
bench-cluster: setup-dev ## forests on one, two and three workers of a real cluster, natively and by stock MLlib
	$(BIN)/python benchmarks/cluster.py
bench-publication: setup-dev ## what a job loses to its publication, and to verifying a model before it scores
	$(BIN)/python benchmarks/publication.py
bench-scoring: setup-dev ## scoring of five million rows against a bare copy, and against transform written out
	$(BIN)/python benchmarks/scoring_speed.py
bench-ingest: setup-dev ## ingest of five million rows in ten files against a bare typed copy of them
	$(BIN)/python benchmarks/ingest_speed.py

pins: ## compile requirements/*.in to *.txt
	@infra/pins.sh
clean: ## remove environments and caches; the lake in .regatta stays
	rm -rf .venv .venv-* build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/regatta.stamp: requirements/regatta.txt pyproject.toml conf/spark-defaults.conf
	@infra/setup.sh regatta
.venv/dev.stamp: requirements/dev.txt requirements/regatta.txt pyproject.toml conf/spark-defaults.conf
	@infra/setup.sh dev
	@touch .venv/regatta.stamp
.venv/notebook.stamp: requirements/notebook.txt .venv/regatta.stamp
	@infra/setup.sh notebook
.venv-airflow/airflow.stamp: requirements/airflow.txt
	@infra/setup.sh airflow
