#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# idle.sh: what nosnooptop takes of a CPU, and its memory, on a terminal before 1,000 VMs that do
# nothing; at its defaults and with a snapshot each second. Prints a Markdown table; figures never
# fail. Needs root, /dev/kvm and tmux.
set -euo pipefail
build=$(realpath "${BUILD:-build}")
seconds=${BENCH_IDLE:-60}

for need in tmux getconf; do
	command -v $need >/dev/null || { echo "bench: not installed: $need; the idle part is left out" >&2; exit 0; }
done
work=$(mktemp -d)
mux() { tmux -S "$work/tmux" -f /dev/null "$@"; }
trap 'mux kill-server 2>/dev/null || :; rm -rf "$work"' EXIT

# now PID: seconds since the epoch, and what it has used of a CPU since its start
now() { echo "$EPOCHREALTIME $(awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$1/stat")"; }

coproc vms { exec "$build/tests/manyvms" 1000 30; }
pid=${vms_PID:?} in=${vms[1]}
read -r -t 120 line <&"${vms[0]}"
[ "$line" = ready ] || { echo "bench: 1,000 VMs could not be made" >&2; exit 1; }

echo "| nosnooptop before 1,000 VMs | of a CPU, % | RSS, MiB |"
echo "| --- | ---: | ---: |"
for interval in 10s 1s; do
	mux new-session -d -s "s$interval" -x 80 -y 24 "exec '$build/nosnooptop' --snapshot-interval $interval"
	top=$(mux display -t "s$interval" -p '#{pane_pid}')
	sleep 10 # it has started
	before=$(now "$top")
	sleep "$seconds"
	{ echo "$before"; now "$top"; awk '/VmRSS/ { print $2 }' "/proc/$top/status"; } |
		awk -v of="--snapshot-interval $interval" '
			NR == 1 { at = $1; used = $2 }
			NR == 2 { share = ($2 - used) / ($1 - at) * 100 }
			NR == 3 { printf "| %s | %.2f | %.1f |\n", of, share, $1 / 1024 }'
	mux kill-session -t "s$interval"
done
exec {in}>&-
wait "$pid" 2>/dev/null || :
