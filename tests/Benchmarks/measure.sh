#!/usr/bin/env bash
# Measures everything that RESULTS.md shows and writes it into the page. Alone on the machine, this takes about an hour on two cores.
# usage: tests/Benchmarks/measure.sh <folder for models, 15 GB> [benchmark...]
set -euo pipefail
cd "$(dirname "$0")/../.."
models=${1:?usage: tests/Benchmarks/measure.sh <folder for models, 15 GB> [benchmark...]}; shift
steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(reductions reductions-int8 reductions-int4 reductions-tower reductions-tower-int8 monolith frozen precisions memory parts first-token roof kernels generator peers batches)
results=tests/Benchmarks/results
mkdir -p "$models" "$results"
dotnet build tests/Benchmarks -c Release -v q -nologo
bench() { dotnet tests/Benchmarks/bin/Release/net10.0/Espalier.Benchmarks.dll "$@"; }

# Writes a model that is not there yet, and says where it is.
model() {
  [ -f "$models/$1/config.json" ] || bench synthesize "$1" "$models/$1" "${@:2}" >&2
  echo "$models/$1"
}

for step in "${steps[@]}"; do
  output=(--output "$results/$step.md")
  case $step in
    reductions) bench reductions "$(model qwen2-0.5b-576)" --rounds 5 "${output[@]}" ;;
    reductions-int8) bench reductions "$(model qwen2-0.5b-576)" --rounds 5 --precision Int8 "${output[@]}" ;;
    reductions-int4) bench reductions "$(model qwen2-0.5b-576)" --rounds 5 --precision Int4 "${output[@]}" ;;
    reductions-tower) bench reductions "$(model onevision-0.5b)" --rounds 5 "${output[@]}" ;;
    reductions-tower-int8) bench reductions "$(model onevision-0.5b)" --rounds 5 --precision Int8 "${output[@]}" ;;
    parts | first-token) bench "$step" "$(model onevision-0.5b)" --rounds 3 "${output[@]}" ;;
    batches) bench batches "$(model llava-7b-11 --type BF16)" --precision Int8 --rounds 2 --warm-up 0 "${output[@]}" ;;
    memory) bench memory "$(model qwen2-0.5b-576)" "${output[@]}" ;;
    generator) bench generator "${output[@]}" ;;
    kernels)
      reports=$(mktemp -d)
      bench kernels --output "$reports"
      {
        printf '## kernels\n\nOne thread on the host, by BenchmarkDotNet; "allocated" is managed memory.\n\n%s UTC, commit %s. Load average after: %s.\n' \
          "$(date -u '+%Y-%m-%d %H:%M')" "$(git rev-parse --short=10 HEAD)" "$(cut -d' ' -f1-3 /proc/loadavg)"
        for report in "$reports"/results/*-report-github.md; do printf '\n'; grep '^|' "$report" | sed "s/&#39;//g; s/\*\*//g"; done
      } > "$results/kernels.md"
      rm -r "$reports" ;;
    peers)
      npm install --silent --ignore-scripts --no-save --prefix "$models/packages" node-llama-cpp@3.22.1 onnxruntime-node@1.30.0
      bench peers "$(model qwen2-0.5b-576)" --rounds 9 --packages "$models/packages" --work "$models/peers" "${output[@]}" ;;
    *) bench "$step" "$(model qwen2-0.5b-576)" --rounds 5 "${output[@]}" ;;
  esac
done

bench page tests/Benchmarks/RESULTS.md --results "$results"
