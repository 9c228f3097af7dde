#!/usr/bin/env bash
# Work that is split: parts in an object store, killed and begun again, merged; and the same by Ray, Slurm and the command
# of the Kubernetes job. Installs what it needs: moto, Ray and the schemas of Kubernetes from PyPI, Slurm from Debian.
# HARNESS names the program, else the development build is taken.
set -euo pipefail
cd "$(dirname "$0")/../.."

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

target="${CARGO_TARGET_DIR:-target}"
if [ -z "${HARNESS:-}" ]; then
  cargo build --locked
  HARNESS="$target/debug/harness"
fi
venv="$target/e2e/shards-venv"
if [ ! -x "$venv/bin/ray" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'moto[server]>=5' 'ray>=2.50' 'kubernetes-validate>=1.30' pyyaml
fi
if ! command -v slurmctld >/dev/null; then
  as_root apt-get update -q
  as_root apt-get install -y -q --no-install-recommends slurm-wlm munge
fi
exec "$venv/bin/python" tests/e2e/shards.py "$(realpath "$HARNESS")"
