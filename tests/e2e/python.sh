#!/usr/bin/env bash
# The Python package: builds the wheel, installs it beside gymnasium (PyPI), and holds it against gymnasium's own checks,
# against single environments, and against `harness`. `python.sh fast` does that alone; `python.sh train` also has
# sb3-contrib's MaskablePPO learn on it; without a word, both.
#
# Training takes PyTorch. From Debian (the default, 0.15 GB to fetch and 0.65 GB on disk) it comes with the newest
# Stable-Baselines3 that works with it; `TORCH=pypi` takes the newest of both from PyPI, with 5.4 GB of CUDA's libraries.
# `PROFILE=release` builds with optimisation and counts steps a second too. HARNESS names the program that is agreed with.
set -euo pipefail
cd "$(dirname "$0")/../.."

part="${1:-all}"
profile="${PROFILE:-dev}"
torch="${TORCH:-debian}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
place="$PWD/target/e2e"
mkdir -p "$place"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# The package is for 3.11 and later.
python="${PYTHON:-python3}"
"$python" -c 'import sys; assert sys.version_info >= (3, 11), sys.version' || {
  echo "python 3.11 or later is needed: name one with PYTHON=" >&2
  exit 1
}

venv="$place/python-venv"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check 'maturin>=1.9,<2' 'gymnasium>=1.1' numpy 'pytest>=8'

folder="$([ "$profile" = dev ] && echo debug || echo "$profile")"
rm -rf "$place/wheels"
features=()
[ "$profile" != dev ] || features=(--features as-tested)
"$venv/bin/maturin" build -q --locked --profile "$profile" "${features[@]}" -m python/Cargo.toml -i "$venv/bin/python" -o "$place/wheels"
wheel=("$place"/wheels/*.whl)
"$venv/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall "${wheel[0]}"

# From elsewhere, so that what is imported is what was installed.
if [ "$part" != train ]; then
  if [ -z "${HARNESS:-}" ]; then
    cargo build --locked --profile "$profile"
    HARNESS="$CARGO_TARGET_DIR/$folder/harness"
  fi
  checks="$PWD/python/tests"
  (cd "$place" && "$venv/bin/python" -m pytest -q -p no:cacheprovider "$checks")
  "$venv/bin/python" tests/e2e/python_agrees.py "$HARNESS"
  [ "$profile" = dev ] || (cd "$place" && "$venv/bin/python" "$OLDPWD/python/benches/steps.py")
fi
[ "$part" != fast ] || exit 0

train="$place/python-train-$torch"
case "$torch" in
  debian)
    if ! /usr/bin/python3 -c 'import torch' 2>/dev/null || ! /usr/bin/python3 -c 'import ensurepip' 2>/dev/null; then
      as_root apt-get update -q
      as_root apt-get install -y -q --no-install-recommends python3-torch python3-venv
    fi
    [ -x "$train/bin/python" ] || /usr/bin/python3 -m venv --system-site-packages "$train"
    # Debian's torch calls itself 1.13.0a0, which pip takes for too old: left to itself it would fetch another.
    "$train/bin/pip" install -q --disable-pip-version-check --no-deps 'stable-baselines3==2.4.1' 'sb3-contrib==2.4.0'
    "$train/bin/pip" install -q --disable-pip-version-check 'gymnasium==1.0.0' 'numpy<2' cloudpickle 'pandas<3' matplotlib
    ;;
  pypi)
    [ -x "$train/bin/python" ] || "$python" -m venv "$train"
    "$train/bin/pip" install -q --disable-pip-version-check --no-cache-dir 'stable-baselines3>=2.9' 'sb3-contrib>=2.9'
    ;;
  *)
    echo "TORCH is $torch; it may be debian or pypi" >&2
    exit 2
    ;;
esac
"$train/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall "${wheel[0]}"
exec "$train/bin/python" tests/e2e/python_train.py
