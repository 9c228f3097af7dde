"""Fans the parts of an evaluation or a data set out over a Ray cluster, and merges them.

    pip install ray
    python deploy/ray_shards.py --shards 16 --parts s3://bucket/runs/o3 --out s3://bucket/runs/o3-merged -- \
        eval --suite standard --model o3-mini

`harness` must be on the PATH of every node (or named by --harness), with the keys that it needs in the environment of
this script: they are handed on to the tasks. Parts go to an object store or to a folder that all nodes see. A part whose
process dies is begun again, and goes on where it stopped; so does this script, called again with the same arguments.
"""

import argparse
import os
import subprocess
import sys

import ray

# What tells a provider or an object store who asks, and where; handed on to the tasks, never written.
HANDED_ON = ("AWS_", "GOOGLE_", "AZURE_", "OPENAI_")
INTO = {"eval": "--into", "generate": "--out"}


def command(harness, arguments, shard, shards, parts):
    """The command line of a part, counted from 1."""
    return [harness, *arguments, "--shard", f"{shard}/{shards}", INTO[arguments[0]], f"{parts}/part-{shard}"]


@ray.remote(num_cpus=1)
def make(line, environment, tries):
    """Makes one part; tries again where its process was killed or a provider was in trouble, not where it was called wrongly."""
    for left in reversed(range(tries)):
        done = subprocess.run(line, env={**os.environ, **environment}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        if done.returncode in (0, 2) or left == 0:
            return done.returncode, done.stderr.decode(errors="replace")[-2000:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, required=True, help="number of parts")
    parser.add_argument("--parts", required=True, help="folder of the parts: a path or s3://, gs://, az://")
    parser.add_argument("--out", required=True, help="where the whole goes")
    parser.add_argument("--harness", default="harness", help="the program")
    parser.add_argument("--tries", type=int, default=3, help="how often a part is begun")
    parser.add_argument("arguments", nargs="+", metavar="eval|generate ...", help="what is to be done, behind --")
    given = parser.parse_args()
    if given.arguments[0] not in INTO:
        parser.error(f"`{given.arguments[0]}` has no parts: eval and generate have")

    ray.init(log_to_driver=False)
    environment = {name: value for name, value in os.environ.items() if name.startswith(HANDED_ON)}
    lines = [
        command(given.harness, given.arguments, shard, given.shards, given.parts) for shard in range(1, given.shards + 1)
    ]
    running = {make.remote(line, environment, given.tries): shard for shard, line in enumerate(lines, 1)}
    failed = 0
    while running:
        [done], _ = ray.wait(list(running))
        shard = running.pop(done)
        code, said = ray.get(done)
        print(f"part {shard}/{given.shards}: {'made' if code == 0 else f'failed ({code}): {said.strip()}'}", flush=True)
        failed += code != 0
    ray.shutdown()
    if failed:
        sys.exit(f"{failed} parts failed; call this again to go on with them")
    sys.exit(subprocess.run([given.harness, "merge", given.parts, "--out", given.out]).returncode)


if __name__ == "__main__":
    main()
