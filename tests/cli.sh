#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cli.sh: the command line as strangers use it: exit codes, nothing on stdout where there is no
# verdict, closed and full descriptors, folders and files that are not there.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP" || exit 2

nosnoop=$BUILD/nosnoop
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fixture=tests/fixtures/four-verdicts.jsonl

# refuses WHAT ARGUMENT...: exit code 2, a message, and nothing on stdout
refuses() {
	local what=$1 status=0
	shift
	timeout 20 "$nosnoop" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	if [ "$status" -ne 2 ]; then
		fail "$what: exit code $status instead of 2 (nosnoop $*)"
	elif [ -s "$work/out" ] || [ ! -s "$work/err" ]; then
		fail "$what: stdout must be empty and stderr must not (nosnoop $*)"
	else
		pass
	fi
}

# takes WHAT WANTED ARGUMENT...: this exit code
takes() {
	local what=$1 wanted=$2 status=0
	shift 2
	timeout 20 "$nosnoop" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	if [ "$status" -eq "$wanted" ]; then
		pass
	else
		fail "$what: exit code $status instead of $wanted (nosnoop $*)"
	fi
}

# echo_unless WANTED IS
echo_unless() { [ "$1" = "$2" ] || echo "$2 instead of $1"; }

refuses "no command"
refuses "an unknown command" bogus
refuses "an unknown option" audit --bogus
refuses "an unknown severity" audit --fail-on=x
refuses "an unknown format" audit --format=xml
refuses "an unknown rule" audit --explain=NS099
refuses "an argument" audit extra
refuses "an unknown VM" audit --replay "$fixture" --vm nobody
refuses "an unknown device" audit --replay "$fixture" --device 0
refuses "an unknown group" audit --replay "$fixture" --group 99999
refuses "a device that is not the VM's" audit --replay "$fixture" --vm web1 --device 0000:01:00.0
refuses "a group that is not the VM's" audit --replay "$fixture" --vm web1 --group 14
refuses "a device that is not the group's" audit --replay "$fixture" --device 0000:00:02.0 --group 14
refuses "a recording that is not there" audit --replay "$work/none"
refuses "a folder as recording" audit --replay "$work"
refuses "an endless line" audit --replay /dev/zero
refuses "a sysroot that is not there" audit --sysroot "$work/none"
refuses "a file as sysroot" audit --sysroot /etc/passwd
refuses "an empty sysroot" audit --sysroot ""
refuses "a folder without sys" audit --sysroot "$work"
refuses "a sysroot that is not there, of the doctor" doctor --sysroot "$work/none"
refuses "two machines for the doctor" doctor --sysroot / --btf "$work"
refuses "a recording in no folder" audit --replay "$fixture" --record "$work/none/file"
refuses "a recording on a full device" record --replay "$fixture" /dev/full
refuses "a recording amid the audit" audit --replay "$fixture" --record -
refuses "a recording amid the events" trace --replay "$fixture" --record -
refuses "a recording amid the frames" top --replay "$fixture" --record -
refuses "a buffer that is no power of 2" trace --replay "$fixture" --buffer 5000
refuses "the same of top" top --replay "$fixture" --ring-size 5000
refuses "a buffer beyond 32 bits" top --replay "$fixture" --ring-size 4294967296
refuses "a time beyond all" trace --replay "$fixture" --min-us 18446744073709551615
refuses "a recording of one VM" record --replay "$fixture" --vm web1 "$work/one"
refuses "a recording in a format" record --replay "$fixture" --format bogus "$work/one"
refuses "no recording" record --replay "$fixture"
refuses "two recordings" record --replay "$fixture" --record "$work/one" "$work/two"
refuses "a recording of a recording over some time" record --replay "$fixture" --duration 2s "$work/one"
refuses "a recording in no time" record --duration 0 "$work/one"
refuses "a recording in no unit of time" record --duration 3x "$work/one"
refuses "an interval of one snapshot" record --snapshot-interval 2s "$work/one"
refuses "probes for one snapshot" record --without wbinvd "$work/one"
refuses "a probe that is none" record --duration 2s --without bogus "$work/one"
check "nothing is left of what was refused" find "$work" -name 'one*'
refuses "probes for metrics of now" export --once --without wbinvd
refuses "no way to give metrics" export
refuses "events for no time" trace --replay "$fixture" --duration 0
# what a command refuses it does not offer
offers() {
	"$nosnoop" doctor --help | grep -E -- '--(vm|device|group|replay|record)='
	"$nosnoop" record --help | grep -E -- '--(vm|device|group|format)='
	"$nosnoop" export --help | grep -E -- '--(vm|device|group)='
	for option in vm device group format replay record; do
		"$nosnoop" audit --help | grep -q -- "--$option=" || echo "audit: no --$option"
	done
}
check "options that are refused are not offered" offers
takes "the options in short" 0 audit --usage
takes "a rule in lower case" 0 audit --explain=ns001
takes "findings" 1 audit --replay "$fixture"

for arguments in "audit --replay $fixture" "audit --list-rules" "audit --help" --version; do
	status=0
	# shellcheck disable=SC2086
	"$nosnoop" $arguments >/dev/full 2>/dev/null || status=$?
	check "$arguments on a full device" echo_unless 2 "$status"
	status=0
	# shellcheck disable=SC2086
	"$nosnoop" $arguments >&- 2>/dev/null || status=$?
	check "$arguments with stdout closed" echo_unless 2 "$status"
done

# What is said to a closed stderr must not end in the file that is written.
head -n -1 "$fixture" >"$work/endless" # of which it warns
"$nosnoop" record --replay "$work/endless" "$work/plain" 2>/dev/null
"$nosnoop" record --replay "$work/endless" "$work/closed" 2>&- </dev/null
check "a recording with stderr closed" cmp "$work/plain" "$work/closed"

# Over some time: several snapshots, each complete; a signal ends it early and keeps what there is.
ends() { grep -c '^{"rec":"end"' "$1"; }
at_least() { [ "$2" -ge "$1" ] || echo "$2 instead of at least $1"; }
takes "a recording of three seconds" 0 record --duration 3s --snapshot-interval 1s "$work/long"
check "its snapshots" at_least 4 "$(ends "$work/long")"
check "its mode" echo_unless 600 "$(stat -c %a "$work/long")"
"$BUILD/nosnooptop" -b --format json --speed 0 --replay "$work/long" >"$work/frames" 2>&1
check "a frame for each" echo_unless "$(ends "$work/long")" "$(wc -l <"$work/frames")"
takes "a trace of it" 0 trace --event snapshot --format json --replay "$work/long"
check "each snapshot is told" echo_unless "$(ends "$work/long")" "$(wc -l <"$work/out")"
"$nosnoop" audit --format json --fail-on never --replay "$work/long" >"$work/out"
check "an audit of the last" echo_unless true "$(jq '.schema == "nosnoop.audit/1"' "$work/out")"
"$nosnoop" record --duration 1h "$work/cut" 2>/dev/null &
recorder=$!
for ((i = 0; i < 100; i++)); do # its signals wait from before it makes the file
	! compgen -G "$work/*cut*" >/dev/null || break
	sleep 0.1
done
check "no half a file under its name" find "$work" -name cut
kill -TERM "$recorder"
status=0
wait "$recorder" || status=$?
check "a recording that was cut short" echo_unless 0 "$status"
check "its first and its last snapshot" at_least 2 "$(ends "$work/cut")"

# A message that quotes a name: no control character, nothing that reorders the line.
"$nosnoop" audit --replay "$fixture" --vm $'\e[31m\u202e\u009b\xff' >/dev/null 2>"$work/err"
check "a hostile name on stderr" env LC_ALL=C grep -P '[\x00-\x09\x0b-\x1f\x7f-\xff]' "$work/err"

# Only those that match are listed.
sed '/"rec": "process"/s/"name": "[^"]*"/"name": "twin"/' "$fixture" |
	sed '0,/"name": "twin"/s//"name": "single"/' >"$work/twins"
"$nosnoop" audit --replay "$work/twins" --vm name:twin >/dev/null 2>"$work/err"
check "several VMs of one name" echo_unless several "$(grep -o several "$work/err")"
check "VMs of another name" grep "name 'single'" "$work/err"
# A VM that no descriptor holds, where KVM's list can't be walked: its container has no VM, and that is no "clean"
without_the_vm() { # VM_LIST: whether the list was walked
	python3 - tests/fixtures/7.3-no_kvm_vfio.jsonl "$1" <<'PYTHON'
import collections, json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
kept = [line for line in lines[1:-1] if line["rec"] not in ("vm", "vm_file")
        and not (line["rec"] == "file" and line["kind"] in (1, 2))]
for line in kept:
    if line["rec"] == "kernel" and "vm_list" in line:
        line["vm_list"] = int(sys.argv[2])
count = collections.Counter(line["rec"] for line in kept)
end = {key: "end" if key == "rec" else count[key] for key in lines[-1]}
for line in lines[:1] + kept + [end]:
    print(json.dumps(line))
PYTHON
}
for walked in 0 1; do
	without_the_vm "$walked" >"$work/without.jsonl"
	status=0
	"$nosnoop" audit --replay "$work/without.jsonl" >"$work/out" || status=$?
	check "a container without a VM, KVM's list walked: $walked" echo_unless "$((3 - 3 * walked))" "$status"
done

finish
