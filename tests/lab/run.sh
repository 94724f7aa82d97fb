#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [--kernels "KEY..."|all] [--cells GLOB] [--build DIR] [--results DIR] [--resume] [--full]
# [--witness] [-v]: boots the kernels, makes each state, and compares what nosnoop and the witness say
# of it with cells/NAME.expect. One line per cell and kernel; the last line is "N passed, N failed, N
# skipped". --full: as many repetitions as a release wants. --witness: without nosnoop, asserts only
# the state itself. Without --kernels: 6.1 and the newest, and for a script of boots/ that names its
# kernels, those.
# Exit: 0 nothing failed, 1 something failed, 2 bad usage or nothing built.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kernels='' cells='*' build=$LAB_TOP/build results=$LAB_CACHE/results/run
resume='' witness_only='' verbose='' jobs=${LAB_JOBS:-$(($(nproc) + 1))}
while [ $# -gt 0 ]; do
	case $1 in
	--kernels) kernels=$2; shift 2 ;;
	--cells) cells=$2; shift 2 ;;
	--build) build=$2; shift 2 ;;
	--results) results=$2; shift 2 ;;
	--resume) resume=1; shift ;;
	--full) export LAB_FULL=1; shift ;;
	--witness) witness_only=1; shift ;;
	-v) verbose=1; shift ;;
	*) sed -n '3,9s/^# //p' "$0" >&2; exit 2 ;;
	esac
done
[ "$kernels" != all ] || kernels=$LAB_KEYS
command -v jq >/dev/null || { echo "run.sh: not installed: jq"; echo "0 passed, 0 failed, 0 skipped"; exit 2; }
if [ -n "$witness_only" ]; then
	build=/nonexistent
elif [ ! -x "$build/nosnoop" ]; then
	say "no $build/nosnoop: build it, or assert the states alone with --witness"
	exit 2
fi
mkdir -p "$results"
results=$(realpath "$results")
passed=0 failed=0 skipped=0
forecasts=0 exceptions=0	# of `devices[].if_assigned`: held, and told wrong on purpose
[ -n "$resume" ] || : >"$results/summary.jsonl"
: >"$results/by_tables.jsonl"

# cells_of BOOT: those of its cells that were asked for
cells_of() {
	local c
	sed -n 's/^cell_\([a-z0-9_]*\)().*/\1/p' "$LAB_DIR/boots/$1.sh" | while read -r c; do
		# shellcheck disable=SC2053 # a pattern
		[[ $c == $cells ]] && echo "$c"
	done || :
}

# record KERNEL BOOT CELL OUTCOME REASON [DIR]: a line of the summary
record() {
	local dir=${6:-/nonexistent} release=''
	[ ! -s "$LAB_CACHE/kernels/$1/release" ] || release=$(<"$LAB_CACHE/kernels/$1/release")
	jq -cn --arg kernel "$1" --arg release "$release" --arg boot "$2" --arg cell "$3" \
		--arg outcome "$4" --arg reason "$5" \
		--slurpfile audit <(cat "$dir/audit.json" 2>/dev/null || :) \
		--slurpfile checks <(cat "$dir/checks.json" 2>/dev/null || :) \
		--slurpfile vars <(cat "$dir/vars.json" 2>/dev/null || :) \
		--slurpfile witness <(cat "$dir/witness.json" 2>/dev/null || :) '
		{ kernel: $kernel, release: $release, boot: $boot, cell: $cell,
		  outcome: $outcome, reason: $reason, checks: ($checks[0] // []),
		  values: ({
			registered: ([$witness[0].vms[]?.noncoherent_dma]),
			enforced: [$witness[0].groups[]? | select(.owned and (.blocking | not))
				   | .force_snooping],
			exits: $vars[0].exits, flushes: $vars[0].flushes
		  } + if $audit[0] then {
			verdict: [$audit[0].vms[]? | .verdict],
			guest_wbinvd: [$audit[0].vms[]? | .guest_wbinvd],
			findings: [$audit[0].findings[]? | .rule] | unique,
			exit_code: $audit[0].result.exit_code
		  } else {} end) }' >>"$results/summary.jsonl"
}

# applies LINE KERNEL: whether a line "@6.1 6.12: ..." or "@!6.1: ..." is meant for that kernel
applies() {
	local tag=${1%%:*} not=''
	tag=${tag#@}
	case $tag in
	!*) not=1 tag=${tag#!} ;;
	esac
	# shellcheck disable=SC2086 # a list
	if kernel_is "$2" $tag; then
		[ -z "$not" ]
	else
		[ -n "$not" ]
	fi
}

# program KERNEL FILE...: the expectations as one jq program that prints a list of checks
program() {
	local kernel=$1 line
	shift
	# shellcheck disable=SC2016 # jq's variables
	echo '$w[0] as $w | $s[0] as $s | ($v[0] // {}) as $v | ['
	cat "$@" | while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'' | '#'*) continue ;;
		@*)
			applies "$line" "$kernel" || continue
			line=${line#*: }
			;;
		esac
		case $line in
		%*) continue ;;
		esac
		if [ -n "$witness_only" ]; then
			[[ $line == '$'* ]] || continue
		fi
		printf '{expression: %s, want: (%s), got: ([try (%s) catch "error: \\(.)"] |
			if length == 1 then .[0] else {outputs: .} end)},\n' \
			"$(jq -Rn --arg x "${line%% => *}" '$x')" "${line##* => }" "${line%% => *}"
	done
	echo 'empty] | map(. + {ok: (.got == .want)})'
}

# by_tables DIR: adds to a cell's checks those by the IOMMU's own page tables; domains without such
# a witness are counted
by_tables() {
	jq --argjson tables "$(cat "$1/tables.json" 2>/dev/null || echo null)" \
		-f "$LAB_DIR/tables.jq" "$1/audit.json" >"$1/by_tables.json" 2>"$1/tables.err" &&
	jq -s '.[0] + .[1].checks' "$1/checks.json" "$1/by_tables.json" >"$1/checks.new" &&
	mv "$1/checks.new" "$1/checks.json" &&
	jq -c . "$1/by_tables.json" >>"$results/by_tables.jsonl"
}

# witness_total: how many domains the page tables spoke of, and why they did not of the others
witness_total() {
	[ -s "$results/by_tables.jsonl" ] || return 0
	jq -rs '([.[].checks[]] | "witness of the page tables: \(length) domains, " +
			"\(map(select(.ok | not)) | length) disagree"),
		([.[].without[]] | group_by(.)[] | "no witness: \(.[0]): \(length) domains")' \
		"$results/by_tables.jsonl"
}

# directive KERNEL FILE NAME: what stands behind "%forecast NAME" in the expectations
directive() {
	local line
	while IFS= read -r line; do
		case $line in
		@*)
			applies "$line" "$1" || continue
			line=${line#*: }
			;;
		esac
		case $line in
		"%forecast $3"*) echo "${line#"%forecast $3"}" ;;
		esac
	done <"$2"
}

# foresee KERNEL CELL DIR: adds to checks.json whether the forecast held, and prints how many did.
# "%forecast without_kvm_vfio [VM...]": these VMs' VMMs have no kvm-vfio device. "%forecast except
# REASON": the cell makes it otherwise on purpose, which is then checked too.
foresee() {
	local file=$LAB_DIR/cells/$2.expect except without
	except=$(directive "$1" "$file" 'except ')
	without=$(directive "$1" "$file" without_kvm_vfio | jq -Rcs 'if . == "" then [] else
		[splits("\\s+")] - [""] | if . == [] then ["*"] else . end end')
	jq --slurpfile p <(cat "$(dirname "$3")/forecasts/$(cat "$3/forecast").json" || :) --argjson without "$without" \
		-f "$LAB_DIR/forecast.jq" "$3/audit.json" >"$3/forecast-checks.json" || return 1
	jq -s --arg except "$except" '.[1] as $new | .[0] + (if $except == "" then $new else
		[{expression: "forecast: it is otherwise: \($except)", want: true,
		  got: any($new[]; .ok | not)} | .ok = .got] end)' \
		"$3/checks.json" "$3/forecast-checks.json" >"$3/checks.new" || return 1
	mv "$3/checks.new" "$3/checks.json"
	if [ -n "$except" ]; then
		exceptions=$((exceptions + 1))
	else
		forecasts=$((forecasts + $(jq length "$3/forecast-checks.json")))
	fi
}

# screens KERNEL DIR: what differs from the screens that are expected, of those that a cell kept
screens() {
	! compgen -G "$2/*.screen" >/dev/null ||
		"$LAB_DIR/screens.py" "$1" "$(<"$LAB_CACHE/kernels/$1/release")" "$2"
}

# check KERNEL BOOT CELL: prints the cell's line and counts it
check() {
	local kernel=$1 boot=$2 cell=$3 dir=$results/$1/$2/$3 exit_code=null n bad reason=''
	local label="$1 $3"
	if [ -e "$dir/skip" ]; then
		reason=$(<"$dir/skip")
		printf 'skip  %s: %s\n' "$label" "$reason"
		skipped=$((skipped + 1))
		record "$kernel" "$boot" "$cell" skip "$reason" "$dir"
		return
	fi
	if [ ! -e "$LAB_DIR/cells/$cell.expect" ]; then
		reason="no cells/$cell.expect"
	elif [ ! -e "$dir/done" ]; then
		reason="the guest ended before it ($(tail -n 1 "$results/$1/$2/console.log" \
			2>/dev/null | tr -d '\r'))"
	elif [ -e "$dir/broken" ]; then
		reason="the state could not be made: $({ grep -v '^+' "$dir/cell.log" || :; } |
			tail -n 1)"
	elif [ -z "$witness_only" ] && ! jq -es 'length == 1' "$dir/audit.json" >/dev/null 2>&1; then
		reason="no JSON from the audit: $(tail -n 1 "$dir/audit.err" 2>/dev/null)"
	fi
	if [ -z "$reason" ]; then
		[ ! -s "$dir/exit" ] || exit_code=$(<"$dir/exit")
		program "$kernel" "$LAB_DIR/cells/common.expect" "$LAB_DIR/cells/$cell.expect" \
			>"$dir/checks.jq"
		jq --argjson exit "$exit_code" --arg kernel "$kernel" \
			--slurpfile w "$dir/witness.json" \
			--slurpfile v <(cat "$dir/vars.json" 2>/dev/null || :) \
			--slurpfile t <(cat "$dir/trace.jsonl" 2>/dev/null || :) \
			--slurpfile s <(screens "$kernel" "$dir") \
			--slurpfile l <(cat "$dir/top.jsonl" 2>/dev/null || :) -f "$dir/checks.jq" \
			<(cat "$dir/audit.json" 2>/dev/null || echo null) \
			>"$dir/checks.json" 2>"$dir/checks.err" ||
			reason="bad expectation: $(grep -m 1 error "$dir/checks.err")"
	fi
	if [ -z "$reason" ] && [ -z "$witness_only" ]; then
		by_tables "$dir" || reason="tables.jq: $(tail -n 1 "$dir/tables.err")"
	fi
	if [ -z "$reason$witness_only" ]; then
		foresee "$kernel" "$cell" "$dir" 2>"$dir/checks.err" ||
			reason="the forecast could not be compared: $(tail -n 1 "$dir/checks.err")"
	fi
	if [ -n "$reason" ]; then
		printf 'FAIL  %s: %s\n' "$label" "$reason"
		failed=$((failed + 1))
		rm -f "$dir/checks.json"
		record "$kernel" "$boot" "$cell" fail "$reason" "$dir"
		return
	fi
	n=$(jq length "$dir/checks.json")
	bad=$(jq 'map(select(.ok | not)) | length' "$dir/checks.json")
	if [ "$bad" -eq 0 ]; then
		printf 'ok    %s (%s checks%s)\n' "$label" "$n" "$(jq -r \
			'.repetitions // empty | ", \(.) repetitions"' "$dir/vars.json" 2>/dev/null)"
		[ -z "$verbose" ] || jq -r '.[] | "        \(.expression) => \(.got | tojson)"' \
			"$dir/checks.json"
		passed=$((passed + 1))
		record "$kernel" "$boot" "$cell" ok '' "$dir"
	else
		printf 'FAIL  %s: %s of %s checks\n' "$label" "$bad" "$n"
		jq -r '.[] | select(.ok | not) |
			"        \(.expression)\n          expected \(.want | tojson)\n" +
			"          got      \(.got | tojson)"' "$dir/checks.json"
		failed=$((failed + 1))
		record "$kernel" "$boot" "$cell" fail "$bad checks" "$dir"
	fi
}

skip_all() {	# KERNEL REASON
	local boot cell
	for boot in $boots; do
		planned "$1" "$boot" "$kernels" || continue
		for cell in $(cells_of "$boot"); do
			printf 'skip  %s %s: %s\n' "$1" "$cell" "$2"
			skipped=$((skipped + 1))
			record "$1" "$boot" "$cell" skip "$2"
		done
	done
}

# job KERNEL BOOT: one boot, repeated once if it never came to the scenario
job() {
	local dir=$results/$1/$2 code=0 try
	for try in 1 2; do
		rm -rf "$dir"
		mkdir -p "$dir"
		code=0
		"$LAB_DIR/boot.sh" --results "$dir" --build "$build" --cells "$cells" "$1" \
			"$LAB_DIR/boots/$2.sh" >"$dir/boot.log" 2>&1 || code=$?
		if [ "$code" -eq 0 ] || [ "$code" -eq "$LAB_SKIP" ] || [ -e "$dir/out.log" ]; then
			break
		fi
		say "$1 $2: the kernel did not boot (try $try): $(tail -n 1 "$dir/boot.log")"
	done
	return "$code"
}

finish() {	# KERNEL BOOT CODE: a boot has ended
	local kernel=$1 boot=$2 cell
	for cell in $(cells_of "$boot"); do
		[ "$3" -ne "$LAB_SKIP" ] ||
			tail -n 1 "$results/$kernel/$boot/boot.log" >"$(mkdir -p \
				"$results/$kernel/$boot/$cell"; echo "$results/$kernel/$boot/$cell/skip")"
		check "$kernel" "$boot" "$cell"
	done
}

# wait_one: until a boot ends; it is looked at when the next one runs, by finish_ended
ended=()
wait_one() {
	local pid code=0
	wait -n -p pid || code=$?
	ended+=("${job_kernel[$pid]}" "${job_boot[$pid]}" "$code")
	unset "job_kernel[$pid]" "job_boot[$pid]"
}

finish_ended() {
	[ "${#ended[@]}" -eq 0 ] || finish "${ended[@]}"
	ended=()
}

# the longest boots first: those that ask for patience, then those with many cells
boots=
for f in "$LAB_DIR"/boots/*.sh; do
	boot=$(basename "$f" .sh)
	n=$(cells_of "$boot" | wc -l)
	[ "$n" -eq 0 ] || boots+="$(sed -n 's/^# patience: //p' "$f") $n $boot"$'\n'
done
boots=$(printf %s "$boots" | sed 's/^ /0 /' | sort -k1,1nr -k2,2nr | cut -d' ' -f3)
[ -n "$boots" ] || die "no cell is called $cells"

declare -A job_kernel=() job_boot=()
usable=
for kernel in ${kernels:-$LAB_KEYS}; do
	wanted=
	for boot in $boots; do
		! planned "$kernel" "$boot" "$kernels" || wanted=1
	done
	[ -n "$wanted" ] || continue
	code=0
	"$LAB_DIR/fetch-kernels.sh" "$kernel" 2>&1 | tee "$results/fetch.log" >&2 || code=$?
	why=$(tail -n 1 "$results/fetch.log")
	case $code in
	0) usable+=" $kernel" ;;
	"$LAB_SKIP") skip_all "$kernel" "${why#*.sh: }" ;;
	*) die "$why" ;;
	esac
done
for boot in $boots; do
	if grep -q '^# emulator: trixie' "$LAB_DIR/boots/$boot.sh"; then
		"$LAB_DIR/fetch-qemu.sh" || say "boots that want it are skipped"
		break
	fi
done

stop() {
	local pid
	for pid in "${!job_kernel[@]}"; do
		kill -- "-$pid" 2>/dev/null || :
	done
}
trap stop EXIT
trap 'exit 143' TERM INT HUP
set -m	# each boot in a process group of its own, so that stop() reaches all of it

for boot in $boots; do
	for kernel in $usable; do
		planned "$kernel" "$boot" "$kernels" || continue
		dir=$results/$kernel/$boot
		if [ -n "$resume" ] && [ "$dir/done" -nt "$build/nosnoop" ]; then
			for cell in $(cells_of "$boot"); do
				check "$kernel" "$boot" "$cell"
			done
			continue
		fi
		[ "${#job_kernel[@]}" -lt "$jobs" ] || wait_one
		job "$kernel" "$boot" &
		job_kernel[$!]=$kernel
		job_boot[$!]=$boot
		finish_ended
	done
done
while [ "${#job_kernel[@]}" -gt 0 ]; do
	wait_one
	finish_ended
done

[ -n "$witness_only" ] ||
	echo "forecasts compared: $forecasts; cells that make it otherwise on purpose: $exceptions"
witness_total
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
