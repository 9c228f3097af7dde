#!/usr/bin/env bash
# Exports, loaded by the tools that they are for: lm-evaluation-harness, Inspect, datasets, pyarrow, OpenAI's client and
# DuckDB, installed from PyPI. HARNESS names a binary; without it the development build is made. Arguments: items of each
# task [36], replies for the grader [20000].
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${HARNESS:-}" ]; then
  cargo build --locked
  HARNESS="${CARGO_TARGET_DIR:-target}/debug/harness"
fi

venv=target/e2e/exports-venv
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
fi
"$venv/bin/python" -m pip install -q 'lm_eval[api]==0.4.13' 'inspect-ai==0.3.285' 'openai==3.54.0' 'datasets==5.2.0' \
  'pyarrow==26.0.1' 'duckdb==2.0.0'
export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" tests/e2e/exports/main.py "$HARNESS" target/e2e/exports "${1:-36}" "${2:-20000}"
