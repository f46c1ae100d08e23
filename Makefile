# Everything a newcomer and CI need. Asks for a Rust toolchain, a C compiler, make and python3; cargo fetches the rest.
#
#   make demo         build a release and run the example in examples/flights
#   make cluster-demo  the example on a cluster of processes, two of which are killed meanwhile
#   make test         everything that must hold: tests, doc tests, kill tests, conformance, the project's own rules
#   make test-services  the tests that need servers, which it starts on loopback: Apache Kafka (asks for Java 17 and Maven)
#   make kafka-kill   rounds of Kafka to Kafka with SIGKILL of Flott and of brokers, of which test-services runs one
#   make test-stores  of these those of object stores only (asks for Go and npm)
#   make services     starts these servers and waits for Ctrl-C
#   make conformance  the golden results of Apache Flink, by area, with failures
#   make simulation   ten thousand schedules of the protocol with lost messages and processes
#   make kill-long    500 rounds of the kill tests, of which make test runs some
#   make cluster-kill 200 rounds of a cluster whose processes are killed and frozen, of which make test runs some: CLUSTER="--rounds 20"
#   make cluster-churn    10,000 jobs submitted and cancelled in one cluster, whose memory stays flat; then 1,000 in one process: CHURN="--jobs 1000"
#   make wide-state   gigabytes of text in the state of one subtask, killed and restored: WIDE="--megabytes 5000"
#   make conformance-faults  the same results with checkpoints, restores, rescaling and failures in the middle
#   make tpc          the queries of TPC-H and TPC-DS against DuckDB, which comes from PyPI
#   make iceberg      tables of Iceberg with pyiceberg on the other side, which comes from PyPI, and SIGKILL: ICEBERG="--rounds 20"
#   make bench-group  100 MB of csv through GROUP BY with a million keys
#   make bench-state  state larger than memory: GROUP BY, join, Top-N; BENCH="--keys 1000000 --part 10"
#   make bench-nexmark       the queries of Nexmark; QUERIES=q0,q1 for some of them
#   make bench-flink         the same, alternating with a real Apache Flink: installs it, and Java 17 with apt if that is missing
#   make bench-datastream    the DataStream API against hand-written loops; bench-datastream-flink: against Flink;
#                            bench-datastream-renoir: beside Renoir; bench-datastream-requests: asynchronous requests
#   make bench-exchange      a keyed shuffle between two TaskManagers against one within a process
#   make bench-check BASE=flott-before  another build of Flott against this one, query by query: what got slower
#   make bench-loops bench-scaling bench-latency bench-startup bench-generators
#   make dashboard        the web dashboard, into dashboard/dist: needs node; the binary that is built after it has it
#   make flink-dashboard  Flink's own dashboard, from Maven, on our REST interface
#   make test-dashboard   every page of it in a headless Chromium, on a cluster; screenshots in target/dashboard
#   make fmt lint docs

CARGO ?= cargo
PYTHON ?= python3
# Where cargo builds: CI keeps it outside of the clone.
TARGET := $(or $(CARGO_TARGET_DIR),target)
DEBUG := $(TARGET)/debug/flott
RELEASE := $(TARGET)/release/flott
FAULTS_BIN := $(TARGET)/debug/conformance-faults
# More for Playwright, for example BROWSER="-g checkpoints"
BROWSER ?=
# More for tests/kill/run.py, for example KILL="--rounds 200 --only tail,shared"
KILL ?=
# More for tests/cluster/run.py, for example CLUSTER="--rounds 50 --seed 7"
CLUSTER ?=
# More for tests/services/kafka_kill.py, for example KAFKA_KILL="--rounds 300 --seed 7"
KAFKA_KILL ?=
# More for tests/kill/wide_state.py, for example WIDE="--megabytes 5000 --most 3.5"
WIDE ?=
# More for tests/conformance/faults.py, for example FAULTS="--only queries/join --repeat 20"
FAULTS ?=

# More for tests/iceberg/run.py, for example ICEBERG="--rounds 20 --seed 7"
ICEBERG ?=
# More for tests/tpc/run.py, for example TPC="--scale 1 --only tpcds/q72"
TPC ?=

# Some of Nexmark's queries, separated by commas; more for benchmarks/run.py, for example BENCH="--rounds 5 --memory 8g"
QUERIES ?=
BENCH ?=

.PHONY: help dashboard dashboard-if-node dashboard-unit test-dashboard flink-dashboard demo test services test-services test-stores service-tests kafka-kill unit wasm simulation fuzz build-tests check kill kill-long cluster cluster-kill cluster-churn wide-state demo-figures regression nexmark-smoke iceberg tpc tpc-sample conformance faults-sample conformance-faults passing fmt lint docs bench-group bench-state \
	bench-nexmark bench-flink bench-loops bench-scaling bench-latency bench-startup bench-generators bench-harness \
	bench-datastream bench-datastream-flink bench-datastream-renoir bench-datastream-requests bench-exchange bench-check cluster-demo

help:
	@sed -n 's/^#   //p' Makefile

# What the dashboard is made of is built with node, where that is there; a binary without it serves REST only, and says so.
dashboard:
	dashboard/build always

dashboard-if-node:
	@dashboard/build

# The parts of the dashboard that need no browser.
dashboard-unit:
	@dashboard/build test

# Every page in a headless Chromium: Debian's package, or what `npx playwright install chromium` brings, or what CHROMIUM names.
test-dashboard: dashboard
	$(CARGO) build --package flott-cli
	cd dashboard && FLOTT_BIN=$(abspath $(DEBUG)) npm run --silent test:browser -- $(BROWSER)

# Flink's own dashboard on our REST interface, in the same browser. Its files come from Maven.
FLINK_WEB := $(abspath target/dashboard/flink)
flink-dashboard: dashboard
	$(CARGO) build --package flott-cli
	mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact=org.apache.flink:flink-runtime-web:2.3.0 -DoutputDirectory=$(FLINK_WEB)
	$(PYTHON) -m zipfile -e $(FLINK_WEB)/flink-runtime-web-2.3.0.jar $(FLINK_WEB)
	cd dashboard && FLINK_WEB=$(FLINK_WEB)/web FLOTT_BIN=$(abspath $(DEBUG)) npm run --silent test:browser -- tests/flink.spec.ts $(BROWSER)

demo: dashboard-if-node
	$(CARGO) build --release --package flott-cli
	rm -rf target/demo
	$(RELEASE) sql -f examples/flights/flights.sql
	@echo
	@echo "The results are in target/demo/hourly and target/demo/aircraft_days. The same figures, computed in plain Python:"
	@$(PYTHON) examples/flights/verify.py --output target/demo

# A JobManager and two TaskManagers run the example; a TaskManager and the JobManager are killed, and the figures are right.
cluster-demo: dashboard-if-node
	$(CARGO) build --release --package flott-cli
	$(PYTHON) tests/cluster/demo.py --bin $(RELEASE)

test: check dashboard-unit unit wasm demo-figures kill cluster regression faults-sample nexmark-smoke iceberg tpc-sample bench-harness

# What `cargo test` leaves out because it needs servers. Comes from Maven Central into a folder below ~/.cache, once.
test-services: build-tests
	$(PYTHON) tests/services/run.py --kill $(DEBUG) $(MAKE) service-tests

# Of these the object stores only, which start within seconds once they are installed.
test-stores: build-tests
	$(PYTHON) tests/services/run.py --only stores $(CARGO) test --workspace --test stores -- --ignored

# SIGKILL of Flott and of brokers between Kafka and Kafka: KAFKA_KILL="--rounds 300 --seed 7".
kafka-kill: build-tests
	$(PYTHON) tests/services/kafka_kill.py --bin $(DEBUG) --rounds 20 $(KAFKA_KILL)

service-tests:
	$(CARGO) test --workspace --test broker --test stores -- --ignored

services:
	$(PYTHON) tests/services/run.py

# One build for all of it: the binary is built together with the tests, so that both have the same features and share what they are built from.
build-tests:
	$(CARGO) build --workspace --bins --tests

unit: build-tests
	$(CARGO) test --workspace --no-fail-fast

# Functions in WebAssembly, whose engine is in no binary by default.
WASM_FEATURES := flott/wat,flott-function-wasm/wasm,flott-function-wasm/wat
wasm: build-tests
	$(CARGO) test --workspace --features $(WASM_FEATURES) --test functions --test sql_functions

check:
	$(CARGO) xtask check

# Ten thousand schedules of the protocol (half a minute); the tests run two thousand.
simulation:
	FLOTT_SIM_RUNS=10000 $(CARGO) test --package flott-checkpoint --test simulation committed -- --nocapture

# Scripts that almost make sense, ten minutes each for the planner and for queries that run; the tests try some that are always the same.
fuzz:
	FLOTT_FUZZ_SEED=$${FLOTT_FUZZ_SEED:-$$(date +%s)} FLOTT_FUZZ_SECONDS=600 $(CARGO) test --package flott --test fuzz -- --nocapture --test-threads 1

# The example gives the figures that plain Python gives, also at other parallelism and in what it prints.
demo-figures: build-tests
	$(PYTHON) tests/demo/run.py --bin $(DEBUG)

# SIGKILL at random moments, restore, compare.
kill: build-tests
	$(PYTHON) tests/kill/run.py --bin $(DEBUG) $(KILL)

kill-long: build-tests
	$(PYTHON) tests/kill/run.py --bin $(DEBUG) --rounds 500 $(KILL)

# Processes of a cluster killed and frozen at random moments; what sinks have committed is compared.
cluster: build-tests
	$(PYTHON) tests/cluster/run.py --bin $(DEBUG) --rounds 4 $(CLUSTER)

cluster-kill: build-tests
	$(PYTHON) tests/cluster/run.py --bin $(DEBUG) --rounds 200 $(CLUSTER)

cluster-churn:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) tests/cluster/churn.py --bin $(RELEASE) $(CHURN)
	$(PYTHON) tests/cluster/churn.py --bin $(RELEASE) --side-by-side 1000

# Much text in the state of one subtask. Takes minutes, and memory about three times the state.
wide-state:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) tests/kill/wide_state.py --bin $(RELEASE) $(WIDE)

# No case of the golden results that has passed may be lost.
regression: build-tests
	$(PYTHON) tests/conformance/regression.py --bin $(DEBUG)

# Some cases of the golden results while things go wrong, chosen by a seed that is printed; all of them with conformance-faults.
faults-sample: build-tests
	$(PYTHON) tests/conformance/faults.py --bin $(FAULTS_BIN) --sample 1000 $(FAULTS)

conformance-faults: build-tests
	$(PYTHON) tests/conformance/faults.py --bin $(FAULTS_BIN) $(FAULTS)

# The queries of Nexmark over a few events, against the results of Flink.
nexmark-smoke: build-tests
	$(PYTHON) tests/nexmark/run.py --bin $(DEBUG)

# pyiceberg reads what Flott has written and the other way round; rows go from table to table while jobs are killed.
iceberg: build-tests
	$(PYTHON) tests/iceberg/run.py --bin $(DEBUG) $(ICEBERG)

# All queries of TPC-H and TPC-DS, as batch jobs and as streams, against DuckDB.
tpc:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) tests/tpc/run.py --bin $(RELEASE) --scale 0.1 --mode batch streaming $(TPC)

# Some of them over fewer rows.
tpc-sample: build-tests
	$(PYTHON) tests/tpc/run.py --bin $(DEBUG) --sample --mode batch streaming

# The arithmetic and the reports of the benchmarks, without running any.
bench-harness:
	$(PYTHON) tests/benchmarks/run.py

# Adds what passes now to tests/conformance/passing.txt.
passing: build-tests
	$(PYTHON) tests/conformance/regression.py --bin $(DEBUG) --update

conformance:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) tests/conformance/run.py --bin $(RELEASE) -v

fmt:
	$(CARGO) fmt --all

lint:
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

docs:
	$(CARGO) xtask docs
	$(CARGO) doc --workspace --no-deps

bench-group:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) tests/bench/group.py --bin $(RELEASE)

bench-state:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) tests/bench/state.py --bin $(RELEASE) $(BENCH)

# Nexmark. The results are in benchmarks/results, and are written into docs/benchmarks.md.
bench-nexmark bench-flink bench-scaling bench-latency bench-startup bench-generators bench-kafka:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) benchmarks/run.py $(@:bench-%=%) --bin $(RELEASE) --queries "$(QUERIES)" $(BENCH)

# Renoir's is a workspace of its own, so that its libraries are none of Flott's.
bench-datastream-renoir:
	$(CARGO) build --release --package datastream-bench
	$(CARGO) build --release --manifest-path benchmarks/renoir/Cargo.toml --target-dir $(TARGET)/renoir
	$(PYTHON) benchmarks/run.py $(@:bench-%=%) --datastream $(TARGET)/release/datastream-bench --renoir $(TARGET)/renoir/release/renoir-bench $(BENCH)

# The DataStream API; -flink is word count on Flink too.
bench-datastream bench-datastream-flink bench-datastream-requests:
	$(CARGO) build --release --package datastream-bench
	$(PYTHON) benchmarks/run.py $(@:bench-%=%) --datastream $(TARGET)/release/datastream-bench $(BENCH)

bench-loops:
	$(CARGO) build --release --package flott-cli --package loops
	$(PYTHON) benchmarks/run.py loops --bin $(RELEASE) --loops $(TARGET)/release/loops --queries "$(QUERIES)" $(BENCH)

# Only prints: a review looks at it, no test depends on it. BASE is the binary to compare with.
bench-check:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) benchmarks/run.py check --base "$(BASE)" --bin $(RELEASE) --queries "$(QUERIES)" $(BENCH)

bench-exchange:
	$(CARGO) build --release --package flott-cli
	$(PYTHON) benchmarks/exchange.py --bin $(RELEASE) $(BENCH)

