#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [--no-lab] [SUITE...]: every test there is, or the suites named; `make check` calls it.
#
#   layout    what stands where, licences          tests/layout.sh
#   floors    which source may include which       tests/floors.sh
#   rules     row, function and section of each    tests/rules.sh
#   lint      shellcheck, gcc and clang            tests/lint.sh
#   labtools  what judges in the lab               tests/labtools.sh
#   unit      unit tests                           tests/unit.sh
#   sanitize  unit tests with sanitizers           tests/unit.sh --sanitize
#   cli       exit codes, closed descriptors       tests/cli.sh
#   doctor    its tables against the sources       tests/doctor.sh
#   golden    recordings and their output          tests/golden.sh
#   questions what people ask, by one command  tests/questions/run.sh
#   docs      pages and completion say what is so  tests/docs.sh
#   top       nosnooptop on a terminal, and in a pipe  tests/top.sh
#   trace     nosnoop trace: options, lines, schema  tests/trace.sh
#   export    metrics once, in a file, by HTTP     tests/export.sh
#   fleet     rules, units, dashboard, a real Prometheus  tests/fleet.sh
#   property  no fact missing makes it better      tests/property.sh
#   fuzz      hostile recordings                   tests/fuzz/run.sh
#   lab       kernels x devices in virtual machines  tests/lab/run.sh
#   topologies  a few random ones on one kernel, against an oracle  tests/lab/topologies/run.py
#
# Each suite's last line is "N passed, N failed, N skipped", and so is that of the sum. A suite that is
# not there or says nothing is a failure. Exit: 0 nothing failed, 1 something failed.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP" || exit 2

all=(layout floors rules lint labtools unit sanitize cli doctor golden questions docs top trace export fleet property fuzz
	lab topologies)
suites=()
for argument in "$@"; do
	case $argument in
	--no-lab) all=("${all[@]:0:${#all[@]}-2}") ;;
	-*) sed -n '3,27s/^# \?//p' "$0" >&2; exit 2 ;;
	*) suites+=("$argument") ;;
	esac
done
[ ${#suites[@]} -gt 0 ] || suites=("${all[@]}")

command_of() {
	case $1 in
	layout | floors | rules | lint | labtools | unit | cli | doctor | golden | docs | top | trace | \
		export | fleet | property) echo "tests/$1.sh" ;;
	sanitize) echo "tests/unit.sh --sanitize" ;;
	questions | fuzz) echo "tests/$1/run.sh" ;;
	lab) echo "tests/lab/run.sh --build $BUILD" ;;
	topologies) echo "tests/lab/topologies/run.py --build $BUILD --seeds 12 --kernels newest-iommufd" ;;
	esac
}

# run SUITE: shows its output and adds up its last line
run() {
	local suite=$1 log=$BUILD/check-$1.log status line command
	read -ra command <<<"$(command_of "$suite")"
	if [ ${#command[@]} -eq 0 ]; then
		fail "$suite: no such suite"
		return
	elif [ ! -x "${command[0]}" ]; then
		fail "$suite: ${command[0]} is not there"
		return
	fi
	echo "== $suite"
	"${command[@]}" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$log" | tail -n 1)
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
		if [ "$status" -ne 0 ] && [ "${BASH_REMATCH[2]}" -eq 0 ]; then
			fail "$suite: exit code $status"
		fi
	else
		fail "$suite: it ended without its count (exit code $status)"
	fi
}

mkdir -p "$BUILD"
summary=()
for suite in "${suites[@]}"; do
	[ -n "$suite" ] || continue
	before=("$passed" "$failed" "$skipped")
	start=$SECONDS
	run "$suite"
	summary+=("$(printf '%-10s %5d passed, %d failed, %d skipped (%d s)' "$suite" \
		$((passed - before[0])) $((failed - before[1])) $((skipped - before[2])) \
		$((SECONDS - start)))")
done
echo "== sum"
printf '%s\n' "${summary[@]}"
finish
