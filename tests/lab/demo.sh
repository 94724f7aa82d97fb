#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# demo.sh [KERNEL]: boots a kernel (default: newest) with three VMs and prints what `nosnoop audit`
# says of that host: one VM with non-coherent DMA, one that is unsafe, one without a device.
# Only that goes to stdout. Exit: 0, 75 can't run here (the reason is on stderr), 1 a failure.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kernel=${1:-newest} build=${BUILD:-$LAB_TOP/build} results=$LAB_CACHE/results/demo
[ -x "$build/nosnoop" ] || die "no $build/nosnoop"
"$LAB_DIR/fetch-kernels.sh" "$kernel" >&2
rm -rf "$results"
mkdir -p "$results"
echo "${COLUMNS:-100}" >"$results/columns"
say "booting $(<"$LAB_CACHE/kernels/$kernel/release") with three VMs"
code=0
"$LAB_DIR/boot.sh" --results "$results" --build "$build" --timeout 120 "$kernel" \
	"$LAB_DIR/boots/demo.sh" >&2 || code=$?
if [ ! -s "$results/demo.txt" ]; then
	tail -n 5 "$results/out.log" "$results/demo.err" "$results/console.log" >&2 2>/dev/null || :
	[ "$code" -ne 0 ] || code=1
	exit "$code"
fi
cat "$results/demo.err" >&2
cat "$results/demo.txt"
