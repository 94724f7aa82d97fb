#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What runs inside a booted kernel: boots/*.sh source this, define a function cell_NAME for each
# cell and end in run_cells. A cell sets a state up, calls `audit`, and is torn down after.
# Under emulation a program takes a tenth of a second to start: what the shell can do itself it does.
set -euo pipefail

: "${RESULTS:?runs in a guest of the lab only}" "${LAB_TOOLS:?}" "${LAB_KDIR:?}"
CELL=	# the results folder of the running cell

mkfifo /run/quiet
exec {QUIET}<>/run/quiet	# nothing ever comes

# pause SECONDS: sleeps, without a program for it
pause() { read -rt "$1" -u "$QUIET" || :; }

# await FILE REGEX PID: until a line of the file matches; two minutes at most, and while PID lives
await() {
	local i line lines seen=0 -
	set +x
	for ((i = 0; i < 6000; i++)); do
		mapfile -s "$seen" -t lines <"$1"
		for line in "${lines[@]}"; do
			[[ ! $line =~ $2 ]] || return 0
		done
		# the last one may be half of a line
		[ "${#lines[@]}" -eq 0 ] || seen=$((seen + ${#lines[@]} - 1))
		kill -0 "$3" || break
		pause 0.02
	done
	echo "$1 has no line with '$2'" >&2
	return 1
}

# load MODULE...: each of them, with what it needs
load() {
	local m
	for m; do
		[ -d "/sys/module/${m//-/_}" ] || modprobe -d "$LAB_KDIR" "$m"
	done
}

load_all() { load kvm kvm_amd vfio vfio_iommu_type1 vfio_pci; }

# group_of NAME: the IOMMU group of a device, by its name on whatever bus
group_of() {
	local device
	for device in /sys/kernel/iommu_groups/*/devices/"$1"; do
		[ -e "$device" ] || return 1
		device=${device%/devices/*}
		echo "${device##*/}"
	done
}

# driver_of DEVICE: the name of the driver that a device, a folder of sysfs, is bound to; none: nothing
driver_of() {
	local driver
	driver=$(cd -P "$1/driver" 2>/dev/null && echo "$PWD") || :
	echo "${driver##*/}"
}

# bind BDF...: gives the devices to vfio-pci
bind() {
	local d dev
	for d; do
		dev=/sys/bus/pci/devices/$d
		[ ! -e "$dev/driver" ] || echo "$d" >"$dev/driver/unbind"
		echo vfio-pci >"$dev/driver_override"
		echo "$d" >/sys/bus/pci/drivers_probe
		[ -e "$dev/driver" ] || echo "bind $d: refused" >&2
	done
	forecast
}

# forecast: what nosnoop says would become of each device if it were assigned now; forecast.jq holds
# it against what then happens. One audit serves all cells of a boot for which nothing has changed.
forecast() {
	local key kept known n=0 program=$LAB_BUILD/nosnoop
	[ -x "$program" ] && [ ! -e /run/cell/pids ] || return 0
	key=$(
		shopt -s nullglob
		for kept in /sys/class/iommu/*/intel-iommu/ecap /sys/module/vfio*/parameters/*unsafe*; do
			read -r known <"$kept"
			printf '%s %s ' "$kept" "$known"
		done
		echo /sys/module/{kvm,vfio,iommufd}* /sys/bus/pci/devices/* /sys/bus/pci/drivers/*/*:*
	)
	for kept in /run/forecasts/*.key; do
		[ -e "$kept" ] || break
		IFS= read -rd '' known <"$kept" || :
		if [ "$known" = "$key" ]; then
			kept=${kept##*/}
			echo "${kept%.key}" >"$CELL/forecast"
			return
		fi
		n=$((n + 1))
	done
	mkdir -p /run/forecasts "$RESULTS/forecasts"
	"$program" audit --format json --fail-on never >/run/forecasts/new || return 0
	cp /run/forecasts/new "$RESULTS/forecasts/$n.json"
	printf %s "$key" >"/run/forecasts/$n.key"
	echo "$n" >"$CELL/forecast"
}

# unsafe_interrupts Y|N: VFIO's parameter, which type1 looks at when a group is attached
unsafe_interrupts() { echo "$1" >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts; }

# var NAME VALUE: a fact that the expectations can use as $v.NAME (VALUE is JSON)
var() { printf ',"%s":%s\n' "$1" "$2" >>/run/cell/vars; }

# name_groups BDF...: their groups are a, b, c from now on, for the script and for what is expected
# shellcheck disable=SC2034 # what sources this reads them
a='' b='' c=''
name_groups() {
	local letter
	for letter in a b c; do
		[ $# -gt 0 ] || break
		printf -v "$letter" %s "$(group_of "$1")"
		var "$letter" "${!letter}"
		shift
	done
}

# in_cgroup NAME COMMAND...: runs it in a control group of its own, as a VM manager would
in_cgroup() {
	local cg=/sys/fs/cgroup/machine.slice/$1.scope
	[ -d "$cg" ] || mkdir -p "$cg"
	shift
	echo "$BASHPID" >"$cg/cgroup.procs"
	exec "$@"
}

# vm NAME STEP...: starts labvm as the VMM of guest NAME, runs the steps; `step` can drive it on.
# The first failing step ends the cell. LABVM_CGROUP puts it into another's control group.
vm() {
	local name=$1 fifo=/run/cell/$1.fifo uuid
	shift
	uuid=$(uuid_of "$name")
	forecast
	mkfifo "$fifo" "$fifo.ack"
	(in_cgroup "${LABVM_CGROUP:-$name}" taskset -c 1 "$LAB_TOOLS/labvm" \
		-name "guest=$name,debug-threads=on" -uuid "$uuid" \
		"$@" "ready:/run/cell/$name.ready" "fifo:$fifo") >>"$CELL/steps.log" 2>&1 &
	VM_PID=$!
	echo "$VM_PID" >>/run/cell/pids
	var "$name" "$VM_PID"
	var "uuid_$name" "\"$uuid\""
	while [ ! -e "/run/cell/$name.ready" ]; do
		kill -0 "$VM_PID" 2>/dev/null || {
			echo "vm $name ended: $(tail -n 1 "$CELL/steps.log")" >&2
			return 1
		}
		pause 0.05
	done
	exec {fd}<>"$fifo.ack"
	eval "ACK_$name=$fd PID_$name=$VM_PID"
}

# step NAME STEP: one more step of a running labvm; prints its answer, fails if the step did
step() {
	local ack="ACK_$1" answer
	echo "$2" >"/run/cell/$1.fifo"
	read -r -t 120 answer <&"${!ack}"
	echo "$1: $answer" >>"$CELL/steps.log"
	[ "${answer%% *}" = ok ]
}

# A UUID that is the same in each run: the letters of the name
uuid_of() {
	local h='' i
	for ((i = 0; i < ${#1}; i++)); do
		printf -v h '%s%02x' "$h" "'${1:i:1}"
	done
	printf -v h '%-32s' "$h"
	h=${h// /0}
	echo "${h:0:8}-${h:8:4}-${h:12:4}-${h:16:4}-${h:20:12}"
}

# trixie_qemu ARG...: becomes QEMU 10 as a VMM in this guest, below a root of its own that has
# this guest's /dev, /proc, /sys and /run
trixie_qemu() {
	local d
	[ -s "$LAB_QEMU_DIR/version" ] || skip_cell "no QEMU of trixie in the cache: fetch-qemu.sh"
	for d in dev proc sys run; do
		mountpoint -q "$LAB_QEMU_DIR/$d" || mount --rbind "/$d" "$LAB_QEMU_DIR/$d"
	done
	exec chroot "$LAB_QEMU_DIR" /usr/bin/qemu-system-x86_64 "$@"
}

# count_begin: from now on the test itself counts WBINVDs that leave a guest and real flushes. Where
# there is no wbinvd_on_cpus_mask, KVM has wbinvd_ipi run on each CPU that the vCPU was on since the
# last one: the asking for it is counted, for one flush one, in a trace instance of its own.
count_begin() {
	local t=/sys/kernel/tracing func
	echo 'p:lab/exits kvm_emulate_wbinvd' >>$t/kprobe_events
	if ! echo 'p:lab/flushes wbinvd_on_cpus_mask' 2>/dev/null >>$t/kprobe_events; then
		func=0x$(awk '$3 == "wbinvd_ipi" { print $1; exit }' /proc/kallsyms)
		echo 'p:lab/sent on_each_cpu_cond_mask func=%si:x64' >>$t/kprobe_events
		mkdir $t/instances/lab
		echo "func == $func" >$t/instances/lab/events/lab/sent/filter
		echo 1 >$t/instances/lab/events/lab/sent/enable
	fi
	echo 1 >$t/events/lab/exits/enable
	[ -d $t/instances/lab ] || echo 1 >$t/events/lab/flushes/enable
}

# count_end [PREFIX]: $v.exits and $v.flushes say what KVM and the CPU did since; $v.missed what escaped
count_end() {
	local t=/sys/kernel/tracing n e=0 f=0 name missed m=0
	echo 0 >$t/events/lab/enable
	if [ -d $t/instances/lab ]; then
		echo 0 >$t/instances/lab/events/lab/enable
		f=$(cat $t/instances/lab/per_cpu/cpu*/stats |
			awk '$1 == "entries:" || $1 == "overrun:" { n += $2 } END { print n }')
		rmdir $t/instances/lab
	fi
	while read -r name n missed; do
		case $name in
		exits) e=$n m=$((m + missed)) ;;
		flushes) f=$n m=$((m + missed)) ;;
		sent) m=$((m + missed)) ;;
		esac
	done <$t/kprobe_profile
	echo >$t/kprobe_events
	var "${1:-}exits" "$e"
	var "${1:-}flushes" "$f"
	var "${1:-}missed" "$m"
}

# count_wbinvd NAME N [PREFIX]: runs N WBINVDs and counts
count_wbinvd() {
	count_begin
	step "$1" "run:$2"
	count_end "${3:-}"
}

# spun NAME: stops its spinning guest; $v.ran_NAME is how many WBINVDs that has run. The last is one by
# itself: if of the one before it the kernel left the exit's program out, that makes it good.
spun() {
	local word n last=
	step "$1" stop
	while read -r word n _; do
		[ "$word" != ran ] || last=$n
	done <"$CELL/steps.log"
	step "$1" run:1
	var "ran_$1" "$((last + 1))"
}

# often SHORT FULL: how often a cell does what takes long: FULL times if that was asked for
often() {
	local n=$1
	[ -z "${LAB_FULL:-}" ] || n=$2
	var repetitions "\"$n of $2\""
	echo "$n"
}

witness() { "$LAB_TOOLS/kpeek" >"$CELL/witness.json"; }

# tables: the Intel IOMMUs' own page tables as tables.json, where the kernel shows them
tables() {
	local dir=/sys/kernel/debug/iommu/intel
	[ -e "$dir/dmar_translation_struct" ] || return 0
	awk -f "$LAB_DIR/tables.awk" "$dir/dmar_translation_struct" \
		"$dir"/[0-9a-f]*/domain_translation_struct >"$CELL/tables.json"
}

# audit: the program under test (AUDIT: another build of it) looks at the state that now is; so do
# the witnesses
audit() {
	local code=0 program=${AUDIT:-$LAB_BUILD/nosnoop} files
	witness
	tables
	[ -x "$program" ] || return 0
	"$program" audit --format json --record /run/cell/record.jsonl \
		>/run/cell/audit.json 2>/run/cell/audit.err || code=$?
	files=(/run/cell/audit.json /run/cell/audit.err)
	[ ! -e /run/cell/record.jsonl ] || files+=(/run/cell/record.jsonl)
	cp "${files[@]}" "$CELL"
	echo "$code" >"$CELL/exit"
}

# trace_start [OPTION...]: nosnoop trace in the background; $t is what it told. Waits until it is
# attached.
# shellcheck disable=SC2120 # options are for some cells only
trace_start() {
	: >/run/cell/trace.err
	"$LAB_BUILD/nosnoop" trace --format json -v "$@" >/run/cell/trace.jsonl \
		2>/run/cell/trace.err &
	TRACE_PID=$!
	echo "$TRACE_PID" >>/run/cell/pids
	await /run/cell/trace.err 'probes are attached' "$TRACE_PID"
}

# top_read: takes in what nosnooptop has printed since: TOP_FRAME is the last whole one
top_read() {
	local line -
	set +x
	while IFS= read -ru "$TOP_FD" line; do
		TOP_FRAME=$TOP_HALF$line TOP_HALF=
		TOP_FRAMES=$((TOP_FRAMES + 1))
	done
	TOP_HALF+=$line
}

# top_start [OPTION...]: nosnooptop in the background; $l is its frames. The first comes before its
# probes are attached, those with rates after: it waits for one.
# shellcheck disable=SC2120 # options are for some cells only
top_start() {
	: >/run/cell/top.jsonl
	exec {TOP_FD}</run/cell/top.jsonl
	TOP_FRAMES=0 TOP_FRAME='' TOP_HALF=
	"$LAB_BUILD/nosnooptop" -b --format json -d 500ms "$@" >/run/cell/top.jsonl \
		2>/run/cell/top.err &
	TOP_PID=$!
	echo "$TOP_PID" >>/run/cell/pids
	top_until .interval_seconds
}

# top_frames N: waits until it has printed so many more
top_frames() {
	local i end
	top_read
	end=$((TOP_FRAMES + $1))
	for ((i = 0; i < 600; i++)); do
		top_read
		[ "$TOP_FRAMES" -lt "$end" ] || return 0
		pause 0.1
	done
	echo "nosnooptop printed no $1 frames more" >&2
	return 1
}

# top_until JQ: waits until that holds for its last frame
top_until() {
	local i asked=0
	for ((i = 0; i < 600; i++)); do
		top_read
		if [ "$asked" -ne "$TOP_FRAMES" ]; then
			asked=$TOP_FRAMES
			! jq -e "$1" <<<"$TOP_FRAME" >/dev/null 2>&1 || return 0
		fi
		kill -0 "$TOP_PID" || break
		pause 0.1
	done
	echo "nosnooptop does not show $1" >&2
	return 1
}

# top_stop: ends it after two frames more; $v.top_exit is its exit code
top_stop() {
	local code=0
	top_frames 2
	kill -INT "$TOP_PID"
	wait "$TOP_PID" || code=$?
	var top_exit "$code"
	cp /run/cell/top.jsonl /run/cell/top.err "$CELL"
}

# trace_stop: ends it as Ctrl-C does; $v.trace_exit is its exit code
trace_stop() {
	local code=0
	pause "${1:-1}"
	kill -INT "$TRACE_PID"
	wait "$TRACE_PID" || code=$?
	var trace_exit "$code"
	cp /run/cell/trace.jsonl /run/cell/trace.err "$CELL"
}

# exporter_start: serves on its own port, with its privileges given up
exporter_start() {
	"$LAB_BUILD/nosnoop-exporter" 2>>"$CELL/exporter.err" &
	EXPORTER_PID=$!
	echo "$EXPORTER_PID" >>/run/cell/pids
	until curl -sf http://127.0.0.1:10953/-/ready >/dev/null; do
		kill -0 "$EXPORTER_PID" || return 1
		pause 0.5
	done
}

# metric NAME{LABELS}: its value at a scrape of now
metric() { curl -sf http://127.0.0.1:10953/metrics | awk -v name="$1" 'index($0, name " ") == 1 { print $2 }'; }

# vm_end NAME: kills a VMM and waits until its VM is gone
vm_end() {
	local pid="PID_$1"
	kill -9 "${!pid}"
	wait "${!pid}" 2>/dev/null || :
}

# poke ADDRESS BYTES: writes them (hex, as they lie in memory) into the running kernel
poke() {
	local i
	rm -f "$RESULTS/gdb.done"
	echo "$1 $2" >"$RESULTS/gdb.request.new"
	mv "$RESULTS/gdb.request.new" "$RESULTS/gdb.request"
	for ((i = 0; i < 200; i++)); do
		[ ! -e "$RESULTS/gdb.done" ] || return 0
		pause 0.05
	done
	echo "poke $1 $2: the host did not write it" >&2
	return 1
}

# place GROUP FIELD: "ADDRESS BYTES BIT", where a field of a group, its domain or its device's
# driver lies, and what is there
place() { "$LAB_TOOLS/kpeek" place "$1" "$2"; }

# overwrite ADDRESS OLD NEW: until restore, or the end of the cell
overwrite() {
	echo "$1 ${2:0:${#3}}" >>/run/cell/changed
	poke "$1" "$3"
}

# change GROUP FIELD BYTES: the field has another value
change() {
	local address bytes
	read -r address bytes _ < <(place "$1" "$2")
	overwrite "$address" "$bytes" "$3"
}

# change_bit GROUP FIELD: turns the one bit over
change_bit() {
	local address bytes bit
	read -r address bytes bit < <(place "$1" "$2")
	overwrite "$address" "$bytes" "$(printf %02x $((0x${bytes:0:2} ^ 1 << bit)))"
}

# change_code FUNCTION: a function of an IOMMU driver returns 0 and does nothing else
change_code() {
	local address bytes
	read -r address bytes _ < <("$LAB_TOOLS/kpeek" code "$1")
	overwrite "$address" "$bytes" 31c0c3	# xor eax, eax; ret
}

restore() {
	local address bytes
	[ -e /run/cell/changed ] || return 0
	tac /run/cell/changed >/run/cell/restore
	rm /run/cell/changed
	while read -r address bytes; do
		poke "$address" "$bytes"
	done </run/cell/restore
}

# bytes_of TEXT: in hex
bytes_of() { printf %s "$1" | od -An -tx1 | tr -d ' \n'; }

# flip on|off: changes the IOMMU's snoop control capability under the running kernel
flip() {
	local address ecap new bytes='' i now
	read -r address ecap < <("$LAB_TOOLS/kpeek" |
		jq -r '.iommus[0] | "\(.ecap_address) \(.ecap)"')
	case $1 in
	on) new=$((0x$ecap | 0x80)) ;;
	off) new=$((0x$ecap & ~0x80)) ;;
	esac
	for ((i = 0; i < 64; i += 8)); do
		bytes+=$(printf %02x $((new >> i & 255)))
	done
	poke "$address" "$bytes"
	read -r now </sys/class/iommu/dmar0/intel-iommu/ecap
	[ $((0x$now)) -eq "$new" ]
}

# skip_cell REASON: this machine can't make that state
skip_cell() {
	echo "$1" >"$CELL/skip"
	exit 0
}

teardown() {
	local pid i scope
	restore || :
	[ -e /run/cell/pids ] || return 0
	while read -r pid; do
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done </run/cell/pids
	# a forked holder dies a little later than its parent
	for scope in /sys/fs/cgroup/machine.slice/*.scope; do
		[ -d "$scope" ] || break
		for ((i = 0; i < 100; i++)); do
			read -r pid <"$scope/cgroup.procs" || break
			pause 0.05
		done
		rmdir "$scope" || :
	done
	# and many VMs longer than their process
	for ((i = 0; i < 200; i++)); do
		compgen -G '/sys/kernel/debug/kvm/*-*' >/dev/null || break
		pause 0.1
	done
}

# run_cells: all functions cell_*, in the order of the script
run_cells() {
	local cell code cells vars release
	read -r release </proc/sys/kernel/osrelease
	mapfile -t cells < <(sed -n 's/^cell_\([a-z0-9_]*\)().*/\1/p' "$0")
	for cell in "${cells[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $cell == $LAB_CELLS ]] || continue
		CELL=$RESULTS/$cell
		rm -rf /run/cell "$CELL"
		mkdir -p /run/cell "$CELL"
		echo "lab: cell $cell" >/dev/kmsg
		var release "\"$release\""
		(
			set +e
			(set -ex; PS4='+$EPOCHREALTIME '; "cell_$cell") >"$CELL/cell.log" 2>&1
			code=$?
			[ "$code" -eq 0 ] || echo "$code" >"$CELL/broken"
			exit 0
		)
		teardown
		IFS= read -rd '' vars </run/cell/vars || :
		printf '{%s}\n' "${vars#,}" >"$CELL/vars.json"
		: >"$CELL/done"
	done
}
