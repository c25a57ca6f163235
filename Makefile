# make run    set everything up on a fresh Debian 12, build, fetch the model files, show the demo
# make test   everything that passes or fails without hardware
# make help   the rest
#
# LLM=none    neither fetch nor build the language model: template text, neutral guidance
# ARGS=...    more arguments for `filmd demo` (make run), e.g. ARGS="--headless --seconds 10 --out out"

SHELL := /bin/bash
.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
PACKAGES := build-essential cmake clang libclang-dev pkg-config python3 python3-venv
ifeq ($(LLM),none)
FEATURES := --no-default-features --features window
else
FEATURES :=
endif
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help run test deb lint doc deny setup toolchain build models bench fuzz clean install uninstall \
	cross cross-describe test-arm test-arm-kernels bench-arm bench-peers vm vm-test

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: build models ## set up, build, fetch the model files once, show the demo
	$(TARGET)/release/filmd demo $(ARGS)

test: setup toolchain models lint doc deny ## set up, lint, then every test that needs no hardware
	$(CARGO) test --release $(FEATURES)

install: ## programs, network, unit, user and udev rules of the service (as root, after make build models; DESTDIR=...)
	@bash board/install.sh

uninstall: ## take them away; configuration and language models stay
	@bash board/install.sh remove

deb: build models ## Debian packages of filmd and its models, into target/debian (ARCH=arm64 for boards)
	bash board/deb.sh

setup: ## the system packages that the build needs
	@bash board/setup.sh $(PACKAGES)

toolchain:
	@command -v $(CARGO) >/dev/null || { \
	  echo "filmd is built by Rust 1.91 or newer, and 'cargo' is not on the PATH."; \
	  echo "Install Rust with rustup (Debian 12 packages an older one), then run make again."; \
	  exit 1; }

build: setup toolchain ## the release binaries
	$(CARGO) build --release $(FEATURES)

models: setup ## fetch the language model and the text encoder once (175 MB; LLM=none: not at all)
ifeq ($(LLM),none)
	@echo "LLM=none: no language model, no text encoder; filmd uses template text and neutral guidance."
else
	@$(PYTHON) models/fetch.py
endif

lint: toolchain setup ## formatting and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --all-targets $(FEATURES) -- -D warnings

doc: toolchain setup ## the API documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps --document-private-items $(FEATURES)

deny: toolchain ## licences, bans and sources of every dependency
	@bash board/deny.sh

bench: build ## the stages' benchmarks and the whole frame path
	$(CARGO) bench $(FEATURES)
	$(TARGET)/release/filmd-bench

fuzz: toolchain ## each fuzz target for a minute (needs a nightly toolchain and cargo-fuzz)
	@bash tests/fuzz/run.sh 60

cross: toolchain ## aarch64 release binaries of filmd and filmctl
	bash board/cross.sh build --release --no-default-features --bin filmd --bin filmctl

cross-describe: toolchain ## film-describe for aarch64 (llama.cpp: minutes); ARM_ARCH as in board/cross.sh
	bash board/setup.sh $(PACKAGES)
	bash board/cross.sh build --release --no-default-features --features llm --bin film-describe

test-arm: toolchain ## tests of the aarch64 build under an emulator, and its pictures against the native ones
	bash board/test-arm.sh

test-arm-kernels: toolchain ## the same for the kernels alone, in a minute
	bash board/test-arm.sh kernels

bench-arm: toolchain ## count the aarch64 instructions of a frame, into benches/README.md (builds a qemu once)
	bash board/bench-arm.sh

bench-peers: build ## the network beside tract, ONNX Runtime and the published one (PYTHON with models/requirements-train.txt)
	$(PYTHON) models/bench_peers.py --filmd $(TARGET)/release/filmd $(ARGS)

vm: toolchain ## a shell on the virtual board with filmd (VM_MACHINE=aarch64: an ARM one)
	bash board/vm/vm.sh shell

vm-test: toolchain ## every scenario of board/vm, or those in SCENARIOS="..."
	bash board/vm/vm.sh test $(SCENARIOS)

clean: ## forget what was built (not the model files)
	$(CARGO) clean
