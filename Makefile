.DEFAULT_GOAL := help
.PHONY: packages help aws-check demo test suites test-full durations lint types architecture unit integration emulator local-cloud-suites python component reference reader publish-reader bench build compile clean

SOURCES := $(shell find bin lib pipelines tools -name '*.ts' 2>/dev/null)
# Suites wait for local clouds more than they compute: two more than there are processors.
WORKERS ?= $(shell node -p 'require("node:os").availableParallelism() + 2')
JEST := NODE_OPTIONS='--experimental-vm-modules --no-warnings' npx jest --maxWorkers=$(WORKERS)
# What runs side by side prints when it is done, where make can do that.
SIDE_BY_SIDE := $(MAKE) --no-print-directory -j4 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

help: ## explain the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-18s %s\n", $$1, $$2 }'

demo: build ## an organization with four cells on this machine, from nothing, in four minutes
	@examples/demo.sh

test: packages ## everything that must be green: lint, types, architecture, all suites
	@$(SIDE_BY_SIDE) build lint architecture component python
	@$(MAKE) --no-print-directory -j2 types suites
	@$(MAKE) --no-print-directory emulator

# Types beside it: they take one processor for half a minute, and suites leave as much idle.
suites:
	@$(JEST)

test-full: ## the same, with property tests as long as they are worth
	@PROPERTY_RUNS=1 $(MAKE) --no-print-directory test

# Which suites are run first: test/_helpers/durations.json.
durations: build component python
	@RECORD_DURATIONS=true $(JEST)

lint: packages ## style, dead code, unused dependencies
	@npx biome ci --error-on-warnings .
	@npx knip --treat-config-hints-as-errors

types: packages ## the type checker over sources and tests
	@npx tsc --noEmit

architecture: packages ## the arrows between folders, and no cycles
	@npx depcruise --config .dependency-cruiser.cjs bin lib registry pipelines tools

unit: build python ## tests that need no cloud
	@$(JEST) --selectProjects unit

integration: build component python ## tests on local clouds of their own
	@$(JEST) --selectProjects 'local cloud'

emulator: build ## the local cloud's own suites, unless they passed for what it is now
	@npx jiti tools/local-cloud/suites.ts --if-changed

local-cloud-suites: build ## the local cloud's own suites in any case; commit the digest that they leave
	@npx jiti tools/local-cloud/suites.ts

aws-check: build ## the whole life of a small organization on AWS, which costs money; ARGS=--help explains it
	@npx jiti tools/aws-check/main.ts $(ARGS)

# Before tests run side by side: one of them would install, and all others wait.
python: build
	@./bin/cellctl local tools >/dev/null

# Here, because several tests build it, and two that install its packages at once would disturb each other.
component: build
	@$(MAKE) -s -C examples/orders-api pipeline-build

reference: build ## write what is generated: JSON Schema, tables of docs/registry.md
	@npx jiti docs/reference.ts

reader: build ## the registry's reader as a package, in dist/reader
	@npx jiti tools/reader-package.ts dist/reader

publish-reader: reader ## publish that package to the registry that npm is set to; DRY_RUN=1 only shows it
	@npm publish ./dist/reader $(if $(DRY_RUN),--dry-run)

bench: build ## ratios that must hold; see docs/performance.md
	@node test/bench/bench.js

packages: node_modules/.package-lock.json

build: packages ## install and compile, if anything changed
	@$(MAKE) -s compile

# Apart from `build`: the CDK calls it before every synth (cdk.json), and must not find its packages being installed anew.
compile: dist/.tsbuildinfo

node_modules/.package-lock.json: package.json package-lock.json
	@npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

dist/.tsbuildinfo: package-lock.json tsconfig.json tsconfig.build.json $(SOURCES)
	@npm run --silent build
	@touch $@

clean: ## end the local cloud and remove everything that was made
	@if [ -f dist/lib/cli/main.js ]; then ./bin/cellctl local down || true; fi
	@rm -rf dist cdk.out .local-cloud .bench .smoke-* examples/*/dist examples/*/cdk.out examples/*/build examples/*/node_modules node_modules
