# `make` alone lists the targets. Everything that is missing is installed first
# on Debian and Ubuntu; elsewhere scripts/deps names the packages.

SHELL := bash
PREFIX ?= /usr/local
TESTFLAGS ?=

# A Go that was unpacked where go.dev/doc/install says is found even when the
# shell does not have it on its PATH, as under sudo.
export PATH := $(PATH):/usr/local/go/bin:$(shell PATH="$(PATH):/usr/local/go/bin" go env GOPATH 2>/dev/null)/bin

# Every source that a build reads; `go build` itself is quick when none changed.
SOURCES := $(shell find . -name '*.go' -o -name '*.[ch]' -o -name '*.toml' -o -name '*.py' | grep -v /testdata/) go.mod go.sum

# The version in the binary; there is none where git does not trust the checkout.
STAMP := $(shell git rev-parse --quiet --verify HEAD >/dev/null 2>&1 && echo -buildvcs=true)

.DEFAULT_GOAL := help
.PHONY: help build demo test vm lint fmt generate golden check bench clean install uninstall

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

build: bin/pysandbox ## build the one static binary, bin/pysandbox

bin/pysandbox: $(SOURCES) scripts/build
	@scripts/deps build
	@echo "build: compiling bin/pysandbox (the first time takes about a minute)"
	@scripts/build $@ $(STAMP)
	@touch $@

demo: build ## the main job: port 80 allowed, another port refused and explained
	@scripts/deps demo
	@integration/demo/run bin/pysandbox

test: ## run every test, with the race detector
	@scripts/deps build test
	@echo "test: compiling and running every package (the first time takes several minutes)"
	@go test -race -timeout 25m $(TESTFLAGS) ./...

vm: build ## run the example worker under systemd, in virtual machines of Debian 12 and 13
	@scripts/deps vm
	@integration/vm/run bin/pysandbox bookworm trixie

lint: ## check Go, C, Python and shell sources
	@scripts/deps build lint
	@scripts/lint

fmt: ## format the Go sources
	@scripts/deps lint-go
	@gofumpt -w .

generate: ## write again what is generated from the sources
	@scripts/deps build
	@go generate ./...

golden: ## write the golden files again; read their diff before committing it
	@scripts/deps build test
	@scripts/golden

check: lint test ## all that a change must pass, and that generated files are current
	@scripts/current

bench: build ## one table: bare Python, pysandbox and every peer found
	@scripts/deps demo bench || echo "bench: going on without the missing peers"
	@go run ./integration/bench $(BENCHFLAGS)

install: build ## install binary, man pages and completions below PREFIX (/usr/local)
	install -D -m 0755 bin/pysandbox $(DESTDIR)$(PREFIX)/bin/pysandbox
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 0644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	@set -e; complete() { \
		echo "install: completion for $$1 in $(PREFIX)/share/$$2"; \
		bin/pysandbox completion $$1 | install -D -m 0644 /dev/stdin "$(DESTDIR)$(PREFIX)/share/$$2"; \
	}; set -o pipefail; \
	complete bash bash-completion/completions/pysandbox; \
	complete zsh zsh/site-functions/_pysandbox; \
	complete fish fish/vendor_completions.d/pysandbox.fish

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/pysandbox \
		$(addprefix $(DESTDIR)$(PREFIX)/share/man/man1/,$(notdir $(wildcard docs/man/*.1))) \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/pysandbox \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_pysandbox \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/pysandbox.fish

clean: ## remove what was built
	rm -rf bin
