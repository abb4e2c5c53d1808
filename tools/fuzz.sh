#!/bin/sh
# Builds every fuzz target with clang's libFuzzer, under ASan and UBSan, and runs each for SECONDS_EACH seconds (default 30).
# usage: tools/fuzz.sh [fuzz_csv ...]        needs clang-14 and libclang-rt-14-dev
set -eu
cd "$(dirname "$0")/.."
clang=$(command -v clang-14 || command -v clang) || { echo "fuzzing needs clang: apt-get install clang-14 libclang-rt-14-dev" >&2; exit 1; }
[ -f build-fuzz/build.ninja ] || CC="$clang" meson setup build-fuzz -Dfuzz=true -Dtests=false -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
targets=${*:-$(cd fuzz && ls fuzz_*.c | sed 's/\.c$//')}
# shellcheck disable=SC2086
ninja -C build-fuzz $targets >/dev/null
failed=0
for target in $targets; do
    mkdir -p "build-fuzz/corpus-$target"
    if "build-fuzz/$target" -max_total_time="${SECONDS_EACH:-30}" -max_len=65536 -artifact_prefix="build-fuzz/" "build-fuzz/corpus-$target" >"build-fuzz/$target.log" 2>&1; then
        echo "ok   $target: $(grep -o 'Done [0-9]* runs' "build-fuzz/$target.log" | tail -1)"
    else
        failed=1
        echo "FAIL $target: build-fuzz/$target.log"
    fi
done
exit $failed
