# finrelay's chores. `make help` lists them.
#
# A C compiler is needed: the ledger is SQLite through cgo.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
FUZZTIME ?= 30s
BIN      := bin/finrelay
BENCHDIR ?= $(CURDIR)/bin/bench

# The version is stamped at link time. Outside git it stays empty, and the
# program falls back to what the Go toolchain recorded (debug.ReadBuildInfo).
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || true)
LDFLAGS := $(if $(VERSION),-X main.buildVersion=$(VERSION))

# CGO_ENABLED is forced so that a missing compiler is an error that says so,
# not a program that cannot open its ledger.
export CGO_ENABLED := 1

STATICCHECK := $(GO) tool -modfile=tools/go.mod staticcheck

.PHONY: help build demo test race check fmt vet lint fuzz bench bench-full generate verify clean cc

help: ## List what make can do here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

build: cc ## Build bin/finrelay
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/finrelay

demo: build ## Build, then watch the simulator export and finrelay land it
	$(BIN) demo

# The tests' own vet is off: `make vet` runs all of it, and `make check` both.
test: cc ## Run every test; what missing tools skip is listed last
	@$(GO) test -vet=off -v ./... | awk -f tools/testlog.awk

race: cc ## Run every test with the race detector: several times as long
	@$(GO) test -vet=off -race -v -timeout 20m ./... | awk -f tools/testlog.awk

check: fmt vet lint race ## All that must hold before a push: gofmt, vet, staticcheck, tests with the race detector

fmt:
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go' 2>/dev/null || find . -name '*.go')); \
	if [ -n "$$bad" ]; then echo "not gofmt-ed; run gofmt -w on:"; echo "$$bad"; exit 1; fi

vet: cc
	$(GO) vet ./...

lint: cc ## Run staticcheck (configured in staticcheck.conf, pinned in tools/go.mod)
	$(STATICCHECK) ./...

fuzz: cc ## Run each fuzz target for FUZZTIME (30s)
	@tools/fuzz $(FUZZTIME)

bench: build ## Quick benchmark: 20 MB of each format against the obvious Go program, loose bounds
	$(GO) run ./bench/convert -quick -finrelay $(BIN)

bench-full: build ## The long form: writes docs/benchmarks.md; half an hour, 15 GB below BENCHDIR (bin/bench)
	@mkdir -p $(BENCHDIR); trap 'rm -rf $(BENCHDIR)' EXIT; \
	for b in "intake" "landing" "queue -messages 2000" "ledger" "convert -full"; do \
	  $(GO) run ./bench/$$b -finrelay $(BIN) -work $(BENCHDIR) -o docs/benchmarks.md; done

generate: ## Rewrite generated files
	$(GO) generate ./...

verify: generate ## Fail when a generated file is not what its source gives
	@git diff --exit-code --stat || { echo "generated files differ; commit what make generate wrote"; exit 1; }

clean: ## Remove what make built
	rm -rf bin

cc:
	@command -v "$$($(GO) env CC | cut -d' ' -f1)" >/dev/null || { \
	  echo "make: no C compiler ($$($(GO) env CC)). finrelay's ledger is SQLite through cgo:" >&2; \
	  echo "make: install one (Debian: apt-get install gcc libc6-dev) or point CC at yours." >&2; exit 1; }
