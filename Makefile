# `make` alone lists the targets. Every target does its own set-up.

LOCAL_DIR := $(if $(METERHOUSE_LOCAL_DIR),$(METERHOUSE_LOCAL_DIR),.local)
LOCALSTACK := cargo run --quiet --package meterhouse-localstack --bin localstack --

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | \
		awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

# The local stack ------------------------------------------------------------------------------------

# Before anything is built: names all missing programs and packages at once.
.PHONY: prerequisites
prerequisites:
	@sh deploy/local/prerequisites.sh

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
