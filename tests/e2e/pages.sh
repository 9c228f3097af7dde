#!/usr/bin/env bash
# The pages in headless Chromium: installs what is missing (Debian packages), makes small runs, and looks at their pages.
# Screenshots go to the folder given, or to target/pages. HARNESS names a binary; without it the development build is made.
set -euo pipefail
cd "$(dirname "$0")/../.."

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# The system's Python is the one that Debian's packages are for.
python=/usr/bin/python3
if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null || ! "$python" -c 'import selenium' 2>/dev/null; then
  as_root apt-get update -q
  as_root apt-get install -y -q --no-install-recommends chromium chromium-driver python3 python3-selenium fonts-dejavu-core
fi

target="${CARGO_TARGET_DIR:-target}"
if [ -z "${HARNESS:-}" ]; then
  cargo build --locked
  HARNESS="$target/debug/harness"
fi
exec "$python" tests/e2e/pages.py "$HARNESS" "${1:-$target/pages}"
