# tcpulse. `make help` lists what there is.
CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
# Arguments for the program: make run ARGS='stat --by process'
ARGS ?=

# For packaging/binary and tests/run.
export CARGO
# `make -C` says on stdout where it is, and stdout is the program's data.
MAKEFLAGS += --no-print-directory

.PHONY: help run build test check bench lab kernels soak picture fixtures fuzz install clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and run; ARGS='...' are its arguments
	@binary=$$(packaging/binary run) && exec "$$binary" $(ARGS)

build: ## Build the release binary, and print its path
	@packaging/binary build

test: ## All tests; as root it installs missing tools with apt and runs the lab too; ends with what it skipped and why
	@tests/run

check: ## What CI runs: format, clippy, docs, layering and all tests
	$(CARGO) fmt --check
	$(CARGO) clippy -- -D warnings
	$(CARGO) clippy --all-targets --features measure -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --document-private-items
	tests/deny
	$(CARGO) test --test layering
	$(MAKE) test

bench: ## Measure against ss, netstat, somo and the bare kernel dump, under 100,000 sockets
	@command -v somo >/dev/null || test -x target/somo/bin/somo || $(CARGO) install --quiet somo --root target/somo \
		|| echo 'somo cannot be installed: its line is left out'
	$(CARGO) bench --features measure --bench host

lab: ## The dead-peer lab alone, every case: what tcpulse says, and when the kernel does it (root, four minutes)
	TCPULSE_LAB=all $(CARGO) test --test lab -- --nocapture

kernels: ## Tests on Debian's Linux 6.1 and 6.12 under QEMU; what it downloads stays in target/kernels (root, minutes)
	@tests/kernels/run

soak: ## The dashboard for ten minutes under churn: memory stays flat, no key is lost (root)
	TCPULSE_SOAK_SECONDS=600 $(CARGO) test --test soak -- --nocapture

picture: ## Draw fixtures/dashboard.svg, README's picture, from a real capture (root, tmux, a minute)
	binary=$$(packaging/binary build) && fixtures/picture.py --output fixtures/dashboard.svg "$$binary"

fixtures: ## Capture fixtures/captures anew from this kernel (root)
	$(CARGO) run --example capture -- fixtures/captures

fuzz: ## Fuzz each decoder and the filter language for a minute (needs cargo-fuzz)
	cd fuzz && for target in netlink proc filter; do \
		mkdir -p corpus/$$target && RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target corpus/$$target ../fixtures/captures -- -max_total_time=60 || exit 1; done

install: ## Binary, man pages, completions, example configuration to $(DESTDIR)$(PREFIX); root builds nothing
	@binary=$$(packaging/binary install) && packaging/install "$$binary" "$(DESTDIR)$(PREFIX)"

clean: ## Remove what was built
	$(CARGO) clean
