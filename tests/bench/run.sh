#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh: what an audit costs on a host with many VMs, beside lsfd and a bare iterator in the same
# run. Prints a Markdown table; figures never fail. Needs root, /dev/kvm and util-linux's lsfd.
set -euo pipefail
build=${BUILD:-build}
sizes=${BENCH_VMS:-"10 100 1000 4000"}
rounds=${BENCH_ROUNDS:-11}

[ "$(id -u)" = 0 ] || { echo "bench: needs root" >&2; exit 1; }
[ -c /dev/kvm ] || { echo "bench: no /dev/kvm: no VM can be made here" >&2; exit 1; }

# median COMMAND...: of its wall time in ms
median() {
	local i start end
	for ((i = 0; i < rounds; i++)); do
		start=$(date +%s%N)
		"$@" >/dev/null 2>&1 || :
		end=$(date +%s%N)
		echo $(((end - start) / 1000))
	done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] / 1000 }'
}

# peak COMMAND...: its largest resident set in MiB
peak() { /usr/bin/time -f %M "$@" 2>&1 >/dev/null | awk 'END { printf "%.1f", $1 / 1024 }'; }

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0) ? a / b : 0 }'; }

echo "$(uname -r), $(nproc) CPUs ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), $(date +%F)"
echo
echo "| VMs | descriptors | audit, ms | lsfd, ms | audit/lsfd | RSS, MiB | iterator, µs | bare, µs | ratio |"
echo "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for n in $sizes; do
	coproc vms { exec "$build/tests/manyvms" "$n" 30; }
	pid=${vms_PID:?}
	out=${vms[0]} in=${vms[1]}
	if ! read -r -t 120 line <&"$out" || [ "$line" != ready ]; then
		echo "| $n | could not be made |"
		continue
	fi
	files=$(awk '{ print $1 }' /proc/sys/fs/file-nr)
	audit=$(median "$build/nosnoop" audit --format json)
	rss=$(peak "$build/nosnoop" audit --format json)
	other=$(median lsfd)
	read -r bare ours _ < <("$build/tests/iterators" 21)
	echo "| $n | $files | $audit | $other | $(ratio "$audit" "$other") | $rss | $ours | $bare | $(ratio "$ours" "$bare") |"
	exec {in}>&-
	wait "$pid" 2>/dev/null || :
done
