#!/usr/bin/env bash
# The comparison of the README: three archives of real photographs, three networks, five folds.
#   benchmarks/real_comparison.sh FOLDER RUN
# FOLDER holds lesions/{isic2020,isic2019,ham10000} and weights/. About two hours on 2 cores; a run
# that was stopped goes on from its last finished cell. `docs/results/README.md` says what came out.
set -euo pipefail
folder=$1 run=$2
exec .venv/bin/melanoscope benchmark \
    --data "isic2020=$folder/lesions/isic2020" \
    --data "isic2019=$folder/lesions/isic2019" \
    --data "ham10000=$folder/lesions/ham10000" \
    --backbones standard_cnn,squeezenet1_1,mobilenet_v2 \
    --transfer scratch,frozen,finetune \
    --folds 5 --epochs 8 --size 128 \
    --weights "$folder/weights" --out "$run"
