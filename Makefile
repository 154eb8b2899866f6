# Convene's tasks. `make` alone lists them; the line after "##" is what the list says.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# Flags for the program, as in: make run ARGS="--listen localhost:9443"
ARGS ?=
# How long each fuzz target runs.
FUZZTIME ?= 30s
# Benchmarks to run instead of the table, and flags for them, as in: make bench BENCH=CreateOrGet BENCHFLAGS=-count=10
BENCH ?=
BENCHFLAGS ?=

.PHONY: help
help: ## list what make can do
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 18

.PHONY: run
run: ## start Convene on this machine: https://localhost:8443, with a built-in world
	@scripts/setup run
	@$(MAKE) --no-print-directory build
	@exec bin/convene dev $(ARGS)

.PHONY: test
test: ## everything that has to pass, installing what it needs
	@scripts/setup test
	$(MAKE) --no-print-directory lint web-check
	go test -race -shuffle=on ./...
	$(MAKE) --no-print-directory e2e

.PHONY: check
check: ## the fast part of test, for before each commit
	$(MAKE) --no-print-directory lint web-check
	go test -short ./...

.PHONY: build
build: ## bin/convene, one file without dependencies
	@mkdir -p bin
	@[ -x bin/convene ] || echo 'building; the first time takes some minutes, since LiveKit is compiled with it. Packages as they are done:' >&2
	CGO_ENABLED=0 go build -v -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/ ./cmd/convene

.PHONY: image
image: ## dist/image, an OCI image for amd64 and arm64, made without a container engine
	@mkdir -p dist
	for machine in amd64 arm64; do CGO_ENABLED=0 GOOS=linux GOARCH=$$machine go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o dist/convene-linux-$$machine ./cmd/convene; done
	cd tools && go run ./image -out ../dist -version '$(VERSION)' linux/amd64=../dist/convene-linux-amd64 linux/arm64=../dist/convene-linux-arm64

.PHONY: lint
lint: ## gofmt, vet and staticcheck, in each module
	scripts/lint

.PHONY: bench
bench: ## the table of speed and size; with BENCH=… those benchmarks
	$(if $(BENCH),go test -run='^$$' -bench='$(BENCH)' -benchmem $(BENCHFLAGS) ./...,scripts/bench)

.PHONY: fuzz
fuzz: ## every fuzz target, FUZZTIME each (30s)
	FUZZTIME=$(FUZZTIME) scripts/fuzz

.PHONY: torture
torture: ## power cuts, full disks and long crash loops: tests named Torture, as root
	go test -count=1 -timeout=60m -tags=torture -run='^TestTorture' -v ./...

.PHONY: web
web: web/node_modules/.installed ## build web/dist from web/src
	npm run --silent --prefix web build

.PHONY: web-check
web-check: web/node_modules/.installed e2e/js/node_modules/.installed ## lint, types and tests of the pages; is web/dist up to date?
	scripts/web-check

.PHONY: e2e
e2e: ## official clients, others and a browser against the real program
	@scripts/setup test
	$(MAKE) --no-print-directory build web/node_modules/.installed e2e/js/node_modules/.installed \
		e2e/clients/node_modules/.installed e2e/clients/node_modules/n8n-nodes-base
	cd e2e && go test -count=1 -timeout=30m ./...

.PHONY: clean
clean: ## remove what was built or installed here
	rm -rf bin dist web/node_modules e2e/js/node_modules e2e/clients/node_modules

# npm ci takes its time; it runs again only when the lock file has changed.
%/node_modules/.installed: %/package-lock.json %/package.json
	npm ci --no-audit --no-fund --loglevel=error --prefix $*
	@touch $@

# What npm ci installed there is the start of it, and takes it away again.
e2e/clients/node_modules/n8n-nodes-base: scripts/n8n-node e2e/clients/node_modules/.installed
	scripts/n8n-node
