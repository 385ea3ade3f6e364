#!/bin/sh
# Names everything that is missing to build Meterhouse and to run its local stack, all at once, each with
# the Debian package that brings it; with the argument `tests` also what only tests need. Prints nothing and
# ends with 0 if nothing is missing. With `tests packages` it prints nothing but the packages that are missing.
set -u

missing=""
packages=""

# need WHAT PACKAGE TEST...: notes WHAT and PACKAGE unless the test succeeds.
need() {
    what=$1 package=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    missing="$missing
  $what: package $package"
    packages="$packages $package"
}

has() { command -v "$1"; }

java_17() {
    java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${version:-0}" -ge 17 ]
}

node_20() { node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)'; }

x86_64_glibc() { [ "$(uname -m)" = x86_64 ] && getconf GNU_LIBC_VERSION; }

# The local stack.
need "java (17 or newer)" openjdk-17-jdk-headless java_17
need "mvn" maven has mvn
need "node" nodejs has node
need "npm" npm has npm

# The service: librdkafka is compiled from source and linked with OpenSSL and zlib.
need "cc" gcc has cc
need "c++" g++ has c++
need "make" make has make
need "pkg-config" pkg-config has pkg-config
need "OpenSSL's headers" libssl-dev pkg-config --exists openssl
need "zlib's headers" zlib1g-dev pkg-config --exists zlib

# The demo and the tests compare with an oracle in Python.
need "python3 (3.9 or newer)" python3 python3 -c 'import zoneinfo'

if [ "${1:-}" = tests ]; then
    # Vendors' own clients, which the tests ask with, come from PyPI.
    need "pip" python3-pip python3 -m pip --version
    # The page is tested in a browser, and the line that it shows by a shell.
    need "chromium" chromium has chromium
    need "chromedriver" chromium-driver has chromedriver
    need "curl" curl has curl
    # The lines of the README for a merchant sign with it.
    need "openssl" openssl has openssl
    # Packages that judge the files of deploy/ need it.
    need "node (20 or newer)" nodejs node_20
    # The units of deploy/systemd are judged by it.
    need "systemd-analyze" systemd has systemd-analyze
    # Alerts and dashboards are asked of a real one.
    need "prometheus, promtool" prometheus has promtool
    # Known bugs are patches.
    need "patch" patch has patch
fi

if ! has cargo >/dev/null 2>&1; then
    missing="$missing
  cargo: package rustup (then: rustup toolchain install)"
    packages="$packages rustup"
fi

if ! x86_64_glibc >/dev/null 2>&1; then
    echo "the local ClickHouse needs x86-64 Linux with glibc; this is $(uname -sm)" >&2
    exit 1
fi
if [ "${2:-}" = packages ]; then
    echo "$packages"
    exit 0
fi
if [ -n "$missing" ]; then
    echo "missing:$missing" >&2
    echo "install them: sudo apt-get install$packages" >&2
    exit 1
fi
