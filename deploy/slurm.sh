#!/bin/bash
#SBATCH --job-name=wasmweaver
#SBATCH --array=1-16
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#
# One part of an evaluation or a data set for each task of the array:
#
#     job=$(sbatch --parsable deploy/slurm.sh 16 /scratch/me/o3 eval --suite standard --model o3-mini)
#     sbatch --dependency=afterok:$job --wrap "harness merge /scratch/me/o3 --out results/o3"
#
# The first argument is the number of parts, and the same as the array's upper end; it is not taken from the array, so that
# some parts alone can be submitted again (`sbatch --array=3,7 deploy/slurm.sh 16 ...`). The second is the folder of the
# parts, on a file system that all nodes see or in an object store. A task that was killed, preempted or requeued goes on
# where it stopped: with the same line.
set -euo pipefail

parts=${1:?number of parts}
folder=${2:?folder of the parts}
shift 2
case ${1:-} in
  eval) flag=--into ;;
  generate) flag=--out ;;
  *) echo "usage: slurm.sh PARTS FOLDER eval|generate ARGUMENT..." >&2; exit 2 ;;
esac
exec "${HARNESS:-harness}" "$@" --shard "$SLURM_ARRAY_TASK_ID/$parts" "$flag" "$folder/part-$SLURM_ARRAY_TASK_ID"
