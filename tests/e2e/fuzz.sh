#!/usr/bin/env bash
# The fuzz targets under libFuzzer, one after the other. What breaks one is kept in target/fuzz/broken.
#   fuzz.sh [SECONDS] [TARGET...]    seconds for each (600), and which (all)
# Needs a C++ compiler for libFuzzer; any toolchain that builds the project will do.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds="${1:-600}"
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(weave judge modules solver inspect)

# A folder of its own: these objects have the names of the ordinary ones, and count what is reached.
export CARGO_TARGET_DIR="${FUZZ_TARGET_DIR:-${CARGO_TARGET_DIR:-$PWD/target}/fuzz/build}"
RUSTC_WRAPPER="$PWD/fuzz/rustc.sh" cargo build --locked --manifest-path fuzz/Cargo.toml

status=0
for target in "${targets[@]}"; do
  # What is found lives here and is begun with next time; the seeds that are checked in stay as they are.
  corpus="target/fuzz/corpus/$target"
  mkdir -p "$corpus" target/fuzz/broken
  echo "== $target, $seconds s"
  "$CARGO_TARGET_DIR/debug/$target" "$corpus" "fuzz/seeds/$target" -max_total_time="$seconds" -max_len=4096 \
    -timeout=20 -rss_limit_mb=6000 -artifact_prefix="target/fuzz/broken/$target-" -print_final_stats=1 || status=1
done
exit "$status"
