#!/usr/bin/env bash
# What is too long for every change, with randomness that is new each time; every failure says how to see it again.
#   nightly.sh [PROGRAMS] [SECONDS]    programs woven for each preset (100000), seconds for each fuzz target (600)
# HARNESS names the program, else the development build is taken.
set -euo pipefail
cd "$(dirname "$0")/../.."

programs="${1:-100000}"
seconds="${2:-600}"
status=0
if [ -z "${HARNESS:-}" ]; then
  cargo build --locked
  HARNESS="${CARGO_TARGET_DIR:-target}/debug/harness"
fi

for preset in tiny stack reachability result fuel broad everything; do
  echo "== $programs programs of $preset"
  "$HARNESS" verify --preset "$preset" -n "$programs" --seed random --json || status=1
done

echo "== fuzzing"
tests/e2e/fuzz.sh "$seconds" || status=1

echo "== whole suites"
cargo test --locked --test it -- --ignored whole_suites || status=1
exit "$status"
