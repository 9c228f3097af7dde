#!/bin/sh
# rustc for `RUSTC_WRAPPER`: has our own crates count what an input reaches, for libFuzzer to steer by. What is reached in a
# compiler or a neural net is no matter here, and the libraries that the tests use serve as they are.
rustc=$1
shift
case "$CARGO_PKG_NAME" in
wasmweaver | wasmweaver-fuzz)
  set -- "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
  ;;
esac
exec "$rustc" "$@"
