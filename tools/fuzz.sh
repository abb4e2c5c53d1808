#!/bin/sh
# Builds every fuzz target with clang's libFuzzer and runs each for SECONDS (default 30). Needs clang and libclang-rt-14-dev.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-30}
clang=$(command -v clang-14 || command -v clang) || { echo "fuzzing needs clang: apt-get install clang-14 libclang-rt-14-dev" >&2; exit 1; }
mkdir -p build-fuzz
includes=""
for d in include/* src/base src/table src/harmonise src/vault src/protect src/publish src/portal; do includes="$includes -I$d"; done
libs=$(pkg-config --cflags --libs libsodium jansson sqlite3 libzip expat libmicrohttpd libutf8proc)
parts=$(find src/base src/table src/count src/harmonise src/vault src/protect src/publish src/portal -name '*.c')
for target in fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    [ "$#" -eq 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    # shellcheck disable=SC2086
    "$clang" -g -O1 -std=gnu17 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined $includes "$target" $parts ${GENERATED:-} $libs -lm -lpthread -o "build-fuzz/$name"
    mkdir -p "build-fuzz/corpus-$name"
    "build-fuzz/$name" -max_total_time="$seconds" -max_len=65536 -print_final_stats=0 "build-fuzz/corpus-$name" 2>&1 | tail -2
done
