"""Sixteen parts, two of them killed and begun again, merged: the same bytes as the work done in one piece.

Parts lie in an S3 stand-in (moto); the model is a simulated solver behind a proxy that counts requests and can be slow.
Then the same through deploy/: Ray with several workers, Slurm's array, the command of the Kubernetes job.
"""

import collections
import concurrent.futures
import filecmp
import hashlib
import http.server
import json
import logging
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
import yaml
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
HARNESS = sys.argv[1]
SHARDS = 16
BUCKET = "runs"
# Twelve items of each part, in two epochs; these two tasks are woven quickly by a development build.
ITEMS = "--suite standard --task stack --task fuel --limit 48"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Proxy(http.server.ThreadingHTTPServer):
    """Hands requests on, counts how often each prompt was asked, and waits before each answer."""

    daemon_threads = True

    def __init__(self, upstream):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.asked, self.delay = upstream, collections.Counter(), 0.0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """Somebody who asked was killed before the answer."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked[hashlib.sha256(body).hexdigest()] += 1
        time.sleep(self.server.delay)
        request = urllib.request.Request(self.server.upstream + self.path.removeprefix("/v1"), body, dict(self.headers))
        with urllib.request.urlopen(request) as answer:
            reply = answer.read()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


def harness(*arguments, code=0, **more):
    done = subprocess.run([HARNESS, *map(str, arguments)], cwd=WORK, capture_output=True, text=True, **more)
    if done.returncode != code:
        sys.exit(f"harness {' '.join(map(str, arguments))}: code {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def same_bytes(one, other, names):
    different = [name for name in names if not filecmp.cmp(one / name, other / name, shallow=False)]
    if different:
        sys.exit(f"{one} and {other} differ in {different}")


def fetch(prefix, to):
    """The objects under a prefix, as files."""
    shutil.rmtree(to, ignore_errors=True)
    for page in S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix + "/"):
        for thing in page.get("Contents", []):
            place = to / thing["Key"].removeprefix(prefix + "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            S3.download_file(BUCKET, thing["Key"], str(place))
    return to


def part(arguments, flag, folder, shard):
    return [*arguments, "--shard", f"{shard}/{SHARDS}", flag, f"{folder}/part-{shard}"]


def killed(line, ready):
    """Begins a part and kills it, without warning, as soon as something of it is in the store."""
    child = subprocess.Popen([HARNESS, *line], cwd=WORK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not ready():
        if child.poll() is not None or time.monotonic() > until:
            sys.exit(f"{line} ended before it could be killed")
        time.sleep(0.1)
    child.send_signal(signal.SIGKILL)
    child.wait()


def stored(prefix, name):
    try:
        return S3.get_object(Bucket=BUCKET, Key=f"{prefix}/{name}")["Body"].read()
    except S3.exceptions.NoSuchKey:
        return b""


def sharded_evaluation(proxy):
    ask = ["eval", *ITEMS.split(), "--epochs", "2", "--model", "openai/sim/novice", "--base-url", proxy.url]
    harness(*ask, "--into", WORK / "whole")
    pieces = sum(proxy.asked.values())
    proxy.asked.clear()
    folder = f"s3://{BUCKET}/eval"
    # Two parts are killed when some of their answers, but not all, are in the store.
    proxy.delay = 1.0
    for shard in (3, 11):
        line = part([*ask, "--max-connections", "1"], "--into", folder, shard)
        killed(line, lambda: stored(f"eval/part-{shard}", "records.jsonl").count(b"\n") >= 2)
        kept = stored(f"eval/part-{shard}", "records.jsonl").count(b"\n")
        print(f"part {shard} was killed with {kept} records in the store")
    proxy.delay = 0.0
    complaint = harness("merge", folder, "--out", WORK / "early", code=2)
    assert "is not complete" in complaint, complaint
    assert not (WORK / "early" / "records.jsonl").exists()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda shard: harness(*part(ask, "--into", folder, shard)), range(1, SHARDS + 1)))
    again = sum(proxy.asked.values()) - pieces
    # What was asked and not yet in the store is asked again: a few at most, never all of a part.
    assert 0 <= again <= 20, f"{again} questions were asked again"
    harness("merge", folder, "--out", f"s3://{BUCKET}/eval-merged")
    merged = fetch("eval-merged", WORK / "eval-merged")
    same_bytes(WORK / "whole", merged, ["items.jsonl", "records.jsonl"])
    whole, joined = (yaml.safe_load((run / "manifest.yaml").read_text()) for run in (WORK / "whole", merged))
    about_the_clock = {"started", "finished", "seconds", "command"}
    assert {key for key in whole if whole[key] != joined[key]} <= about_the_clock, (whole, joined)
    # Merged or whole, a run is a run: in the store too.
    board = harness("leaderboard", f"s3://{BUCKET}/eval-merged", WORK / "whole", "--out", WORK / "board")
    assert board.count(whole["fingerprint"]) >= 1 and f"s3://{BUCKET}/eval-merged" in board + (WORK / "board/leaderboard.json").read_text()
    assert "complete" in harness("eval", "--resume", f"s3://{BUCKET}/eval-merged")
    complaint = harness("leaderboard", f"s3://{BUCKET}/eval/part-1", "--out", WORK / "board", code=2)
    assert "part 1/16" in complaint and "harness merge" in complaint, complaint
    return ask, again


def wrong_parts(ask):
    """What is missing, double or of something else is named."""
    parts = fetch("eval", WORK / "parts")
    shutil.rmtree(parts / "part-7")
    complaint = harness("merge", parts, "--out", WORK / "wrong", code=2)
    assert "1 of 16 parts are missing: 7" in complaint, complaint
    shutil.copytree(parts / "part-8", parts / "part-7")
    complaint = harness("merge", parts, "--out", WORK / "wrong", code=2)
    assert "are both part 8/16" in complaint, complaint
    shutil.rmtree(parts / "part-7")
    harness(*part([*ask, "--seed", "1"], "--into", parts, 7))
    complaint = harness("merge", parts, "--out", WORK / "wrong", code=2)
    assert "seed" in complaint and "fingerprints" in complaint, complaint
    shutil.rmtree(parts / "part-7")
    harness(*part(ask, "--into", parts, 7))
    records = parts / "part-7" / "records.jsonl"
    lines = records.read_text().splitlines(keepends=True)
    records.write_text("".join(lines[:1] + lines[2:]))
    complaint = harness("merge", parts, "--out", WORK / "wrong", code=1)
    assert "records.jsonl:2: here the record of item" in complaint, complaint
    assert not (WORK / "wrong").exists()
    complaint = harness("merge", WORK / "whole", "--out", WORK / "wrong", code=2)
    assert "is no part" in complaint, complaint


def sharded_data_set(name, make):
    harness(*make, "--out", WORK / f"{name}-whole")
    folder = f"s3://{BUCKET}/{name}"
    # One is stopped by force while it weaves, which leaves nothing or a half; the next line begins it anew.
    child = subprocess.Popen([HARNESS, *part(make, "--out", folder, 5)], cwd=WORK, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    time.sleep(0.2)
    child.kill()
    child.wait()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda shard: harness(*part(make, "--out", folder, shard)), range(1, SHARDS + 1)))
    harness("merge", folder, "--out", f"s3://{BUCKET}/{name}-merged")
    merged, whole = fetch(f"{name}-merged", WORK / f"{name}-merged"), WORK / f"{name}-whole"
    names = sorted(str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(merged)) for path in merged.rglob("*") if path.is_file()), names
    same_bytes(whole, merged, names)
    return len(names)


def by_ray(ask):
    line = ["deploy/ray_shards.py", "--harness", HARNESS, "--shards", "8", "--parts", f"s3://{BUCKET}/ray", "--out", f"s3://{BUCKET}/ray-merged"]
    said = subprocess.run([sys.executable, *line, "--", *ask], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0 and said.stdout.count(": made") == 8, said.stdout + said.stderr
    same_bytes(WORK / "whole", fetch("ray-merged", WORK / "ray-merged"), ["items.jsonl", "records.jsonl"])
    return said.stdout.count(": made")


def by_kubernetes(ask):
    """The job as the schema has it, and its command as a pod would run it, for each index."""
    import kubernetes_validate

    for name in ("shards", "merge"):
        job = yaml.safe_load((ROOT / f"deploy/kubernetes/{name}.yaml").read_text())
        kubernetes_validate.validate(job, kubernetes_validate.latest_version().rsplit(".", 1)[0], strict=True)
        [container] = job["spec"]["template"]["spec"]["containers"]
        variables = {variable["name"]: variable["value"] for variable in container["env"]}
        variables |= {"RUNS": f"s3://{BUCKET}/kubernetes", "MODEL": "openai/sim/novice", "OPENAI_BASE_URL": ask[-1]}
        if name == "shards":
            assert variables["SHARDS"] == str(job["spec"]["completions"])
            # The example asks all of the suite; fewer items do here.
            container["args"] = [text.replace("--suite standard", f"{ITEMS} --epochs 2") for text in container["args"]]
        for index in range(job["spec"].get("completions", 1)):
            environment = {**os.environ, **variables, "JOB_COMPLETION_INDEX": str(index), "PATH": f"{BIN}:{os.environ['PATH']}"}
            done = subprocess.run([*container["command"], *container["args"]], cwd=WORK, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    same_bytes(WORK / "whole", fetch("kubernetes-merged", WORK / "kubernetes-merged"), ["items.jsonl", "records.jsonl"])


def as_root(*line, **more):
    return subprocess.run(line if os.geteuid() == 0 else ["sudo", *line], check=True, capture_output=True, text=True, **more)


def by_slurm(ask):
    """A Slurm of one node, for as long as this takes."""
    host, state = socket.gethostname().split(".")[0], WORK / "slurm"
    state.mkdir()
    (state / "slurm.conf").write_text(
        f"ClusterName=test\nSlurmctldHost={host}\nSlurmctldPort={free_port()}\nSlurmdPort={free_port()}\n"
        f"SlurmUser=root\nAuthType=auth/munge\nStateSaveLocation={state}\nSlurmdSpoolDir={state}/spool\n"
        f"SlurmctldPidFile={state}/ctld.pid\nSlurmdPidFile={state}/d.pid\nProctrackType=proctrack/linuxproc\n"
        "TaskPlugin=task/none\nReturnToService=2\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n"
        f"SlurmctldLogFile={state}/ctld.log\nSlurmdLogFile={state}/d.log\nMpiDefault=none\n"
        f"NodeName={host} CPUs={os.cpu_count()} State=UNKNOWN\nPartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP\n"
    )
    environment = {**os.environ, "SLURM_CONF": str(state / "slurm.conf"), "HARNESS": HARNESS}
    as_root("mkdir", "-p", "/run/munge")
    as_root("chown", "munge:", "/run/munge")
    munge = subprocess.run(["munge", "-n"], capture_output=True)
    if munge.returncode != 0:
        as_root(*(["runuser", "-u", "munge", "--"] if os.geteuid() == 0 else ["-u", "munge"]), "/usr/sbin/munged", "--force")
    try:
        for daemon in ("slurmctld", "slurmd"):
            as_root("env", f"SLURM_CONF={state}/slurm.conf", daemon, "-f", str(state / "slurm.conf"))
        run = lambda *line: subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.strip()
        folder = WORK / "slurm-parts"
        script = ["deploy/slurm.sh", str(SHARDS), str(folder), *ask]
        array = ["sbatch", "--parsable", "--mem=0", f"--output={state}/task-%a.log"]
        job = run(*array, *script)
        merge = run("sbatch", "--parsable", f"--dependency=afterok:{job}", "--mem=0", f"--output={state}/merge.log", "--wrap", f"{HARNESS} merge {folder} --out {WORK}/slurm-merged")
        until = time.monotonic() + 300
        while run("squeue", "--noheader"):
            if time.monotonic() > until:
                sys.exit(run("squeue") + "".join(path.read_text(errors="replace") for path in state.glob("*.log")))
            time.sleep(1)
        if not (WORK / "slurm-merged/manifest.yaml").exists():
            sys.exit(f"job {job} or {merge} failed\n" + "".join(path.read_text(errors="replace") for path in sorted(state.glob("*.log"))))
        same_bytes(WORK / "whole", WORK / "slurm-merged", ["items.jsonl", "records.jsonl"])
    finally:
        for name in ("d.pid", "ctld.pid"):
            if (state / name).exists():
                as_root("kill", (state / name).read_text().strip())


# A daemon that is ending may still write there.
with tempfile.TemporaryDirectory(prefix="shards-", ignore_cleanup_errors=True) as folder:
    WORK = pathlib.Path(folder)
    BIN = WORK / "bin"
    BIN.mkdir()
    (BIN / "harness").symlink_to(HARNESS)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "OPENAI_API_KEY": "none",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }
    S3 = boto3.client("s3")
    S3.create_bucket(Bucket=BUCKET)
    address = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen([HARNESS, "serve", "--addr", address, "--json"], stdout=subprocess.PIPE, text=True)
    try:
        proxy = Proxy(json.loads(server.stdout.readline())["base_url"])
        ask, again = sharded_evaluation(proxy)
        print(f"an evaluation of {SHARDS} parts, two of them killed, is the whole one, byte for byte; {again} questions asked again")
        wrong_parts(ask)
        print("missing, double, foreign and damaged parts are named")
        files = sharded_data_set("data", ["generate", "-n", "3000", "--task", "stack", "--split", "train=0.9,test=0.1"])
        files += sharded_data_set("tiny", ["generate", "-n", "500", "--preset", "tiny", "--format", "wat"])
        files += sharded_data_set("suite", ["generate", "--suite", "smoke"])
        print(f"three data sets of {SHARDS} parts are the whole ones, byte for byte ({files} files)")
        workers = by_ray(ask)
        print(f"Ray: {workers} parts made and merged")
        by_kubernetes(ask)
        print("Kubernetes: the jobs are valid, and their commands make and merge the parts")
        by_slurm(ask)
        print("Slurm: an array of parts, and the job that merges them")
    finally:
        server.terminate()
        moto.stop()
print("shards: everything merged equals the whole, byte for byte")
