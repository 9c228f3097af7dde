#!/usr/bin/env bash
# Follows docs/adding.md: makes its additions in a copy of the sources under target/e2e/adding, builds that, and sees each of
# them work. Of other crates it takes what `cargo build` has built here already, by hard links; else it builds them.
# Needs python3; no network but cargo's registry.
set -euo pipefail
cd "$(dirname "$0")/../.."

target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
copy="$target/e2e/adding"
rm -rf "$copy"
mkdir -p "$copy/sources" "$copy/target/debug"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [ ! -f "$file" ] || printf '%s\0' "$file"
done | tar --null --files-from=- --create --file=- | tar --extract --file=- --directory="$copy/sources"

for part in deps build .fingerprint; do
  [ ! -d "$target/debug/$part" ] || cp -al "$target/debug/$part" "$copy/target/debug/$part"
done
# Our own crate is built anew there: nothing of it may be written through a link.
find "$copy/target/debug" \( -name 'wasmweaver-*' -o -name 'libwasmweaver-*' -o -name 'harness-*' -o -name 'it-*' \) -exec rm -rf {} +

python3 tests/e2e/adding.py "$copy/sources" "$copy/target"
