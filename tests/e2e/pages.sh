#!/usr/bin/env bash
# The pages in headless Chromium: installs what is missing (Debian packages), makes small runs with the development build,
# and looks at their pages. Screenshots go to the folder given, or to target/pages.
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

cargo build --locked
target="${CARGO_TARGET_DIR:-target}"
exec "$python" tests/e2e/pages.py "$target/debug/harness" "${1:-$target/pages}"
