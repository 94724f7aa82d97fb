#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What watching a VM that flushes costs, beside bpftrace with the same counts, in one boot of the lab;
# tests/bench/live.sh starts it. Leaves a line "NAME VALUE..." for each figure in results/figures.
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2
# shellcheck source-path=SCRIPTDIR source=../lab/guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0
ids=$LAB_TOOLS/bpfids
rounds=$(<"$RESULTS/rounds") flushes=200 batches=15

# The script that the figures are compared with: of each VM how many, and how long they took.
# shellcheck disable=SC2016 # bpftrace's variables
kfunc='BEGIN { printf("ready\n"); }
kfunc:kvm_emulate_wbinvd { @start[tid] = nsecs; @exits[args->vcpu->kvm] = count(); }
kretfunc:kvm_emulate_wbinvd /@start[tid]/ {
	@time[args->vcpu->kvm] = hist(nsecs - @start[tid]); delete(@start[tid]); }'
# shellcheck disable=SC2016
kprobe='BEGIN { printf("ready\n"); }
kprobe:kvm_emulate_wbinvd {
	@start[tid] = nsecs; @vm[tid] = *(uint64)arg0; @exits[@vm[tid]] = count(); }
kretprobe:kvm_emulate_wbinvd /@start[tid]/ {
	@time[@vm[tid]] = hist(nsecs - @start[tid]); delete(@start[tid]); }'

figure() { echo "$*" >>"$RESULTS/figures"; }

# cost NAME FIRST-OF-ITS-PROGRAMS: nanoseconds and runs of its programs for each flush; the median of
# batches, since whatever else the machine does in the midst of a program counts as its time
cost() {
	local i
	for ((i = 0; i < batches; i++)); do
		"$ids" -s >/run/before
		step web1 "run:$flushes"
		"$ids" -s >/run/after
		awk -v n="$flushes" -v of="$2" '
			NR == FNR { ns[$2] = $3; runs[$2] = $4; next }
			$1 ~ of { time += $3 - ns[$2]; count += $4 - runs[$2] }
			END { printf "%.0f %.2f\n", time / n, count / n }' /run/before /run/after
	done | sort -n | awk -v name="$1" '
		{ line[NR] = $0 }
		END { print name, line[int((NR + 1) / 2)] }' >>"$RESULTS/figures"
}

# stop PID: ends a bpftrace; one that hangs on its way out is killed
stop() {
	local i
	kill -INT "$1"
	for ((i = 0; i < 1000; i++)); do
		kill -0 "$1" 2>/dev/null || break
		pause 0.02
	done
	kill -KILL "$1" 2>/dev/null || :
	wait "$1" || :
}

# start NAME WORDS PROGRAM [ARG...]: how long it takes to show these; whatever ran before has left by then
start() {
	pause 1
	"$LAB_DIR/../bench/start.py" "$@" >>"$RESULTS/figures" || figure "no_$1"
}

bpftrace_round() {	# NAME PROGRAM
	start "$1" ready bpftrace -e "$2"
	: >/run/bpftrace
	bpftrace -e "$2" >/run/bpftrace 2>&1 &
	await /run/bpftrace '^ready' $! || { cat /run/bpftrace; return 1; }
	cost "cost_$1" '^(kvm_emulate_wbi|kretfunc|kfunc)'
	stop $!
}

nosnoop_round() {
	start nosnooptop noncoherent,quit /run/nosnooptop
	top_start
	cost cost_nosnoop '^(fentry|fexit|kprobe|kretprobe)_'
	# exits that are none by WBINVD
	"$ids" -s >/run/before
	step web1 io:5000
	"$ids" -s >/run/after
	awk 'NR == FNR { runs[$2] = $4; next }
		$1 ~ /^(fentry|fexit|kprobe|kretprobe)_/ { count += $4 - runs[$2] }
		END { print "runs_at_5000_other_exits", count + 0 }' /run/before /run/after \
		>>"$RESULTS/figures"
	top_stop
}

main() {
	local i
	CELL=$RESULTS
	mkdir -p /run/cell
	: >"$RESULTS/figures"
	load_all
	bind "$A"
	a=$(group_of "$A")
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A" "add:$a"
	cp "$LAB_BUILD/nosnooptop" /run # where bpftrace is: in memory
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	for ((i = 0; i < rounds; i++)); do
		nosnoop_round
		bpftrace_round kfunc "$kfunc" || figure no_cost_kfunc
		bpftrace_round kprobe "$kprobe" || figure no_cost_kprobe
	done
	echo 0 >/proc/sys/kernel/bpf_stats_enabled
}

main
