#!/usr/bin/env bash
# The bundles that the README and docs/diagnosis.md measure, as a user would make them.
#   benchmarks/bundles.sh FOLDER RUN OUT
# FOLDER holds lesions/{isic2020,isic2019,ham10000} and weights/; RUN is the finished run of
# benchmarks/real_comparison.sh, whose best network is exported; OUT receives the bundles. ImageNet
# weights of ShuffleNetV2 are not among those at hand, so that it is trained from scratch. Some 20
# minutes on 2 cores; a finished training is not repeated.
set -euo pipefail
folder=$1 run=$2 out=$3
all=(--data "isic2020=$folder/lesions/isic2020" --data "isic2019=$folder/lesions/isic2019"
    --data "ham10000=$folder/lesions/ham10000")
export MELANOSCOPE_CACHE="${MELANOSCOPE_CACHE:-runs/cache}"
mkdir -p "$out"
melanoscope=.venv/bin/melanoscope
[ -d "$out/mobilenet_v2" ] || $melanoscope export "$run" --best --out "$out/mobilenet_v2"
[ -d "$out/shufflenet_v2_x1_0" ] || $melanoscope train "${all[@]}" --backbone shufflenet_v2_x1_0 \
    --transfer scratch --size 128 --epochs 15 --out "$out/shufflenet_v2_x1_0"
[ -d "$out/squeezenet1_1" ] || $melanoscope train "${all[@]}" --backbone squeezenet1_1 \
    --transfer finetune --size 128 --epochs 10 --weights "$folder/weights" \
    --out "$out/squeezenet1_1"
