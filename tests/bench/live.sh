#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# live.sh: what nosnooptop costs while a VM flushes, beside a bpftrace script with the same counts and
# histogram; each kernel of BENCH_KERNELS (newest) in a boot of the lab. Prints a Markdown table of
# medians; figures never fail. Needs what the lab needs, and bpftrace.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
lab=$LAB_DIR
build=$(realpath "${BUILD:-build}")
kernels=${BENCH_KERNELS:-newest}
command -v bpftrace >/dev/null || { echo "bench: not installed: bpftrace; the live part is left out" >&2; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '| %s ' kernel "flush: nosnoop, ns" "bpftrace kfunc, ns" "bpftrace kprobe, ns" ratio \
	"programs run a flush" "at 5,000 other exits" "first screen, s" "kfunc's start, s" \
	"kprobe's start, s" ratio
echo "|"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for kernel in $kernels; do
	mkdir "$work/$kernel"
	echo "${BENCH_ROUNDS:-5}" >"$work/$kernel/rounds"
	if ! "$lab/fetch-kernels.sh" "$kernel" >&2 ||
		! "$lab/boot.sh" --results "$work/$kernel" --build "$build" --timeout 3600 "$kernel" \
			"$(dirname "$0")/boot_live.sh" >&2; then
		echo "bench: $kernel: $(tail -n 2 "$work/$kernel/out.log" 2>/dev/null | head -n 1)" >&2
	fi
	[ ! -s "$work/$kernel/figures" ] || "$(dirname "$0")/table.py" \
		"$(cat "$LAB_CACHE/kernels/$kernel/release")" "$work/$kernel/figures"
	[ -z "${BENCH_KEEP:-}" ] || cp "$work/$kernel/figures" "$BENCH_KEEP/$kernel.figures"
done
