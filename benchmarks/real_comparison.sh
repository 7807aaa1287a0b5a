#!/usr/bin/env bash
# The comparison of the README: three archives of real photographs, three networks, five folds; and
# the same networks by the poster's protocol on the poster's mix of archives.
#   benchmarks/real_comparison.sh FOLDER RUN
# FOLDER holds lesions/{isic2020,isic2019,ham10000} and weights/. Some hours on 2 cores; a run
# that was stopped goes on from its last finished cell. `docs/results/README.md` says what came out.
#
# --no-near-duplicates: the run was begun before near-duplicates were looked for. The report counts
# the pairs that cross folds and gives the result without them.
set -euo pipefail
folder=$1 run=$2
common=(--folds 5 --epochs 8 --size 128 --weights "$folder/weights")
isic2020="isic2020=$folder/lesions/isic2020" isic2019="isic2019=$folder/lesions/isic2019"
all=(--data "$isic2020" --data "$isic2019" --data "ham10000=$folder/lesions/ham10000")
.venv/bin/melanoscope benchmark "${all[@]}" "${common[@]}" --no-near-duplicates --out "$run" \
    --backbones standard_cnn,squeezenet1_1,mobilenet_v2 \
    --transfer scratch,frozen,finetune,image_only
.venv/bin/melanoscope benchmark --data "$isic2020" --data "$isic2019" "${common[@]}" \
    --backbones standard_cnn,squeezenet1_1,mobilenet_v2 \
    --transfer scratch,finetune --protocol poster --out "$run-poster"
exec .venv/bin/melanoscope report "$run" --beside "$run-poster"
