#!/usr/bin/env bash
# The pictures of the README, made anew: the terminal of the default attack and its report, and the page of the report in
# headless Chromium. Installs rich from PyPI and Chromium from Debian. Takes some minutes: it builds the release, unless
# HARNESS names a program.
set -euo pipefail
cd "$(dirname "$0")/../.."

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

pictures="$PWD/docs/pictures"
target="$(realpath "${CARGO_TARGET_DIR:-target}")"
harness="${HARNESS:-$target/release/harness}"
[ -n "${HARNESS:-}" ] || cargo build --release --locked
venv="$target/e2e/pictures-venv"
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'rich>=13'
fi
if ! command -v chromium >/dev/null; then
  as_root apt-get update -q
  as_root apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
"$harness" attack > attack.txt
run="$(echo results/*-attack-*)"
"$harness" report "$run" > report.txt
"$venv/bin/python" - "$run" "$pictures/terminal.svg" <<'PYTHON'
import io, pathlib, re, sys
from rich.console import Console
from rich.text import Text

run, picture = sys.argv[1:]
console = Console(record=True, width=104, file=io.StringIO())
for verb, said in [("attack", "attack.txt"), (f"report {run}", "report.txt")]:
    console.print(Text(f"$ harness {verb}", style="bold green"))
    console.print(Text(pathlib.Path(said).read_text().rstrip()))
# The fonts that it names lie on another server; the reader's own will do.
svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="harness"), flags=re.DOTALL)
pathlib.Path(picture).write_text(svg)
PYTHON
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1380,960 \
  --screenshot="$pictures/report.png" "file://$work/$run/report.html" 2>/dev/null
ls -l "$pictures"
