# The front door. `make serve` and `make test` install what is missing, build and run; everything else is beside them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build serve test unit integration bench fuzz asan tsan lint format docs install clean FORCE

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what building and testing need (Debian packages and npm)
	@scripts/setup

build/%/build.ninja: CMakeLists.txt CMakePresets.json src/LAYERS
	@cmake --preset $* >/dev/null

build: ## Build build/release/maestro
	@scripts/setup --build
	@$(MAKE) --silent --no-print-directory build/release/build.ninja
	@cmake --build --preset release

serve: build ## Build, then serve on http://localhost:8080
	@exec build/release/maestro serve $(ARGS)

unit: build/debug/build.ninja ## Unit tests and corpus replay
	@cmake --build --preset debug
	@ctest --preset debug -j $(JOBS) $(if $(T),-R '$(T)')

integration: build tests/integration/node_modules/.installed ## Tests with the vendors' SDKs against the real binary
	@scripts/integration build/release/maestro

tests/integration/node_modules/.installed: tests/integration/package-lock.json
	@cd tests/integration && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test: setup unit integration ## Set up, then run every test
	@true

asan: setup build/asan/build.ninja tests/integration/node_modules/.installed ## Unit and integration tests under ASan, UBSan and leak check
	@cmake --build --preset asan
	@ctest --preset asan -j $(JOBS)
	@scripts/integration build/asan/maestro

tsan: setup build/tsan/build.ninja tests/integration/node_modules/.installed ## The same under ThreadSanitizer
	@cmake --build --preset tsan
	@ctest --preset tsan -j $(JOBS)
	@scripts/integration build/tsan/maestro

fuzz: ## Fuzz every target for FUZZ_SECONDS (60) each
	@scripts/setup --build --fuzz
	@$(MAKE) --silent --no-print-directory build/fuzz/build.ninja
	@cmake --build --preset fuzz
	@scripts/fuzz $(FUZZ_SECONDS) $(T)

bench: ## Measure beside nginx and HAProxy, write docs/benchmarks.md
	@scripts/setup --bench
	@$(MAKE) --silent --no-print-directory build
	@bench/run $(ARGS)

lint: setup ## Layers, sizes, formatting, generated docs
	@scripts/lint

format: setup ## Format the C sources in place (needs clang-format 14)
	@clang-format --version | grep -q 'version 14\.' || { echo "format: needs clang-format 14, this is $$(clang-format --version)" >&2; exit 1; }
	@git ls-files '*.c' '*.h' | grep -v -E '\.def$$' | xargs clang-format -i

docs: build ## Regenerate docs/config.md and other generated pages
	@scripts/docs

install: build ## Install under PREFIX (/usr/local): binary, man page, completions, systemd unit
	@scripts/install $(DESTDIR)$(PREFIX)

clean: ## Remove build/
	@rm -rf build
