#!/bin/sh
# Builds the program as it was at the commit in BASE, for the tests of a rolling upgrade: .local/upgrade/meterhouse.
set -eu
cd "$(dirname "$0")/../.."
commit=$(cat tests/upgrade/BASE)
dir="${METERHOUSE_LOCAL_DIR:-.local}/upgrade"
if [ "$(cat "$dir/commit" 2>/dev/null)" = "$commit" ] && [ -x "$dir/meterhouse" ]; then
    exit 0
fi
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "upgrade: this checkout lacks the commit $commit; fetch its whole history: git fetch --unshallow" >&2
    exit 1
fi
echo "upgrade: building the program of $commit"
rm -rf "$dir"
mkdir -p "$dir/source"
git archive "$commit" | tar -x -C "$dir/source"
# One target folder for both: other crates are compiled once. The present program takes its place again at the next build.
target=$(pwd)/target
CARGO_TARGET_DIR="$target" cargo build --quiet --locked --manifest-path "$dir/source/Cargo.toml" --package meterhouse
cp "$target/debug/meterhouse" "$dir/meterhouse"
rm -rf "$dir/source"
echo "$commit" > "$dir/commit"
