#!/bin/sh
# Installs what the build, the tests and the program need, from Debian's packages; does nothing when all is there.
# usage: tools/deps.sh [build|test]
set -eu

build="ca-certificates gcc libc6-dev make meson ninja-build pkg-config python3 libsodium-dev libsqlite3-dev libzip-dev libexpat1-dev libjansson-dev
libmicrohttpd-dev libxlsxwriter-dev libutf8proc-dev zlib1g-dev"
test="libcmocka-dev libasan8 libubsan1 zip"

# The browser tests take what is there: on some machines node and Chromium come from elsewhere.
command -v node >/dev/null || test="$test nodejs"
command -v chromium >/dev/null || test="$test chromium"

wanted=$build
[ "${1:-build}" = test ] && wanted="$build $test"

missing=""
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

root=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "missing packages:$missing; install them as root, or install sudo" >&2; exit 1; }
    root=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
# shellcheck disable=SC2086
$root apt-get install -y -qq --no-install-recommends $missing >/dev/null
