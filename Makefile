# Suha: make (builds build/suha), make run, make test. Everything else is for developers.
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=

.PHONY: all run test audit audit-mutants bench bench-peers lint fuzz install deps clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) suha libsuha.a

deps:
	@tools/deps.sh build

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) --prefix=$(PREFIX) -Dtests=false >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }; rm -f $(BUILD).log

run: deps all
	@$(BUILD)/suha demo --dir demo

# The whole suite, once plain and once under AddressSanitizer and UndefinedBehaviorSanitizer; the last line counts both.
test:
	@tools/deps.sh test
	@tests/run.py

# Attacks on what we ship, under 15 minutes; and bugs planted on purpose, each of which a test must notice (docs/methods/audit.md).
audit:
	@tools/deps.sh test
	@tests/audit/run.py

audit-mutants:
	@tools/deps.sh test
	@tests/audit/mutants.py

bench: all
	@ninja -C $(BUILD) bench_kernels bench_threads && bench/run.py $(BUILD) && bench/threads.py $(BUILD) && bench/accuracy.py $(BUILD) && bench/stats.py --build $(BUILD) && bench/portal.py $(BUILD)

# Suha beside the tools of the field: statistics beside R where it is installed, then the peers in bench/peers/.venv from PyPI; goes on where
# it stopped. MINUTES=60 stops it after an hour.
MINUTES ?= 100000
bench-peers: all
	@bench/peers/stats_peers.py $(BUILD) --write
	@bench/peers/install.sh
	@bench/peers/.venv/bin/python bench/peers/check_metrics.py $(BUILD)
	@bench/peers/.venv/bin/python bench/peers/bench.py $(BUILD) --minutes $(MINUTES)
	@bench/peers/.venv/bin/python bench/peers/real.py $(BUILD)
	@bench/peers/.venv/bin/python bench/peers/tables.py && bench/peers/.venv/bin/python bench/peers/chart.py

lint:
	@tools/lint.py
	@tools/po.py check

fuzz:
	@tools/fuzz.sh

install: all
	@DESTDIR=$(DESTDIR) meson configure $(BUILD) -Dprefix=$(PREFIX) >/dev/null && ninja -C $(BUILD) && DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD) build-test build-asan build-mutants build-fuzz
