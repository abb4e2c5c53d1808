# Suha: make (builds build/suha), make run, make test. Everything else is for developers.
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=

.PHONY: all run test bench lint fuzz install deps clean

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

bench: all
	@ninja -C $(BUILD) bench_kernels && bench/run.py $(BUILD) && bench/accuracy.py $(BUILD)

lint:
	@tools/lint.py

fuzz:
	@tools/fuzz.sh

install: all
	@DESTDIR=$(DESTDIR) meson configure $(BUILD) -Dprefix=$(PREFIX) >/dev/null && ninja -C $(BUILD) && DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD) build-test build-asan build-fuzz
