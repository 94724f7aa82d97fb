#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# top.sh: nosnooptop as its readers see it: driven through tmux, its screen captured; its batch mode;
# and the terminal afterwards, however the program ended. Needs tmux; works on recordings.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP" || exit 2
export LC_ALL=C.UTF-8
unset NO_COLOR COLUMNS LINES

top=$BUILD/nosnooptop
fixture=$TOP/tests/fixtures/live/flushes.jsonl
still=$TOP/tests/fixtures/four-verdicts.jsonl
work=$(mktemp -d)
socket=$work/tmux
trap 'mux kill-server 2>/dev/null; rm -rf "$work"' EXIT
command -v tmux >/dev/null || { skipped=1; finish; }
[ -x "$top" ] || { fail "$top is not there: run make first"; finish; }

mux() { tmux -S "$socket" -f /dev/null "$@"; }
screen() { mux capture-pane -t top -p; }
# press KEY...: each as tmux names it
press() {
	local key
	for key; do mux send-keys -t top "$key"; done
}
size() { mux resize-window -t top -x "$1" -y "$2"; }

# sees NAME PATTERN...: within 5 s each extended regular expression matches a line of the screen
sees() {
	local name=$1 pattern shown tries
	shift
	for pattern; do
		for ((tries = 0; tries < 50; tries++)); do
			shown=$(screen)
			grep -qE -- "$pattern" <<<"$shown" && break
			sleep 0.1
		done
		if [ "$tries" -eq 50 ]; then
			fail "$name: no '$pattern'"
			printf '%s\n' "${shown//$'\n'/$'\n'  |}"
			return
		fi
	done
	pass
}
# lacks NAME PATTERN: what was seen before is not there (any more)
lacks() {
	local tries
	for ((tries = 0; tries < 30; tries++)); do
		screen | grep -qE -- "$2" || { pass; return; }
		sleep 0.1
	done
	fail "$1: there is '$2'"
}

# begin WIDTH HEIGHT [VARIABLE=VALUE...]: a terminal with a shell in it
begin() {
	mux kill-server 2>/dev/null
	sleep 0.2
	mux new-session -d -s top -x "$1" -y "$2" \
		"cd $work && exec env TERM=tmux-256color PS1='ready> ' ${*:3} bash --norc --noprofile"
	sees "a shell" 'ready>'
}
# type LINE: a command line for that shell
type_line() { mux send-keys -t top "$*" Enter; }
pid() { pgrep -f "^$top .*$work/$1" -n || pgrep -P "$(mux display -t top -p '#{pane_pid}')" -n; }
launch() {
	type_line "clear; $top --replay $fixture --speed 20 -d 200ms"
	sees "the first screen" 'nosnooptop  hv-17' '\[1 VMs\]'
}
# restored NAME: the shell is back, the modes are those of before, and the screen is the old one
restored() {
	sees "$1: the shell is back" 'ready> ?$'
	type_line "stty -a >$work/after; echo compared"
	sees "$1: the shell answers" '^compared'
	check "$1: modes of the terminal" diff "$work/before" "$work/after"
	lacks "$1: the screen is the one of before" '\[1 VMs\]'
	check "$1: the cursor" sh -c "[ $(mux display -t top -p '#{cursor_flag}') = 1 ] || echo hidden"
	check "$1: the alternate screen" \
		sh -c "[ $(mux display -t top -p '#{alternate_on}') = 0 ] || echo 'it is on'"
}

# ---- views, at two sizes -------------------------------------------------------------------------

all_views() {
	sees "$1: VMs" 'VM +PID.? +VCPU +DEV +VERDICT +REG +EXIT/s +EXEC/s +TIME% +P50 +P99' \
		'render-farm-07 +3456 +32 +2 +noncoherent +1 +[0-9]+ +[0-9]+ +[0-9.]+ +[0-9.]+ms +[0-9.]+ms' \
		'web1 +1234 +4 +1 +unsafe +0 +12 +0' '[0-9]+ executed/s +12 ignored/s' 'lost [03] ' 'snapshot .* ago'
	press 2
	sees "$1: domains" '\[2 Domains\]' 'DOMAIN +VMS' 'g20 +render-farm-07 .*no.*refused' 'g14 .*yes.*enforced'
	press 3
	sees "$1: devices" '\[3 Devices\]' '0000:00:02.0 .*2 .*vfio-pci +yes'
	press 4
	sees "$1: findings" '\[4 Findings\]' 'critical +NS001 +vm web1' 'warning +NS002 +vm render-farm-07'
	press Enter
	sees "$1: a finding" 'Why ' 'To do ' 'Check by hand'
	press Escape 5
	sees "$1: events" '\[5 Events\]' 'device_refused .*0000:03:00.0 .*EINVAL' 'group_attach .*group 7 .*EPERM +interrupt' \
		'kvm_register +render-farm-07'
	press 6
	sees "$1: IOMMUs" '\[6 IOMMUs\]' 'dmar0 +intel +no' 'dmar1 +intel +yes'
	press 1
	sees "$1: back" '\[1 VMs\]'
}

begin 80 24
type_line "stty -a >$work/before; echo noted"
sees "modes are noted" '^noted'
launch
all_views 80x24
press '?'
sees "help" 'Keys ' 'Enter, Esc' 'Verdicts'
press Escape
lacks "help is gone" 'Enter, Esc'
press Down Enter
sees "the pane of a VM" 'web1 ─' 'critical NS001' 'Guest cache flushes' '[0-9]+ to [0-9]+ of [0-9]+ lines'
press End
sees "its end" 'Time of a flush'
press Escape
press Up Enter
press End
sees "bars of another one" '< 4.2ms +[0-9.]+k? +█'
press Escape

press s Right Right Enter
sees "sorted by pid" 'PID▲'
check "its order" sh -c "tmux -S '$socket' capture-pane -t top -p | grep -oE '^.(web1|db-primary|render-farm-07|plain) ' |
	tr -d ' ▌\n' | grep -qx web1db-primaryrender-farm-07plain || echo 'not by pid'"
press I
sees "inverted" 'PID▼'
press s Escape I
press / w e b
sees "a filter" 'Filter: web' '1 of 4'
lacks "a filter hides" 'db-primary +2345'
press Enter Escape
sees "without it" 'db-primary +2345'
press Space
sees "paused" ' PAUSED '
press Space
lacks "not paused" ' PAUSED '
press d 5 0 0 m s Enter
sees "another delay" 'every 500ms'
press d x Enter
sees "no delay" 'a delay is 100ms to 24h, not x'
press w
sees "the screen is written" 'written to nosnooptop-.*\.txt'
check "the file has the screen" sh -c "grep -q 'render-farm-07' $work/nosnooptop-*.txt || echo no"
check "the file is its owner's alone" sh -c "[ \$(stat -c %a $work/nosnooptop-*.txt) = 600 ] || echo no"
press R
sees "a replay is not recorded" 'this is a recording already'

size 200 50
sees "at 200x50" 'EXECUTED/s OF LATE' 'DEVICES'
all_views 200x50
press Enter
sees "the pane beside the list" 'render-farm-07 +3456' 'Devices, and what stands between ─.*Guest cache flushes' \
	'What KVM decided ─' 'Memory types +unknown: whether KVM honours'
press Escape
size 40 10
sees "at 40x10" '\[1 VMs\]' 'EXEC/s'
size 39 10
sees "too narrow" '^nosnooptop needs 40x10 cells'
size 60 9
sees "too low" '^nosnooptop needs 40x10 cells'
size 1 1
sleep 0.3
size 80 24
sees "at 80x24 again" 'VM +PID.? +VCPU +DEV +VERDICT' 'help  q quit'
press q
restored "q"

# ---- whatever ends it ----------------------------------------------------------------------------

for signal in INT TERM HUP; do
	launch
	kill "-$signal" "$(pid flushes)"
	restored "SIG$signal"
done
for signal in SEGV ABRT BUS FPE ILL; do
	launch
	kill "-$signal" "$(pid flushes)"
	restored "SIG$signal"
done
launch
press C-z
sees "stopped" 'Stopped'
type_line "clear; fg"
sees "it goes on" '\[1 VMs\]'
press q
restored "after it was stopped"
type_line "clear; $top --replay $work/none.jsonl"
sees "a recording that is not there" 'none.jsonl: cannot open'
restored "an error"
sed '$d' "$fixture" | sed '400s/.*/{"rec":"vm","vm":"x"}/' >"$work/bad.jsonl"
type_line "clear; $top --replay $work/bad.jsonl --speed 50"
sees "a bad line amid a replay" 'bad.jsonl:400'
restored "an error while it runs"
type_line "clear; $top -n 2 -d 100ms --replay $still; echo over-\$?"
sees "-n ends it on a terminal" 'over-0'
type_line "clear; TERM=nonsense $top --replay $still"
sees "an unknown terminal" 'this terminal is unknown \(TERM=nonsense\)'
type_line "clear; TERM=dumb $top --replay $still"
sees "a terminal to type on" "can't move its cursor \(TERM=dumb\)"
restored "an unknown terminal"
type_line "clear; $top --vm nobody --replay $still"
sees "an unknown VM" "no such VM 'nobody'"
restored "an unknown VM"
type_line "clear; $top --vm web1 --replay $still"
sees "one VM" '\[1 VMs\]' 'web1 +1234'
lacks "one VM alone" 'db-primary'
press q
restored "one VM"
type_line "clear; $BUILD/nosnoop top --replay $still"
sees "nosnoop top" '\[1 VMs\]'
press q
restored "nosnoop top"

escape=$'\033'

# ---- other terminals -----------------------------------------------------------------------------

begin 80 24 NO_COLOR=1
launch
colours() { mux capture-pane -t top -p -e | grep -aE "$escape\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])[0-9;]*m" | head -n 3; }
reversed() { mux capture-pane -t top -p -e | grep -qaE "$escape\[([0-9]+;)*7(;[0-9]+)*m" || echo 'nothing is'; }
check "NO_COLOR: no colour" colours
check "NO_COLOR: what is chosen is reversed" reversed
press q
begin 80 24 LC_ALL=C
launch
sees "ASCII" '^>render-farm-07' 'Flushes .* executed/s'
press Enter End
sees "ASCII bars" '< 4.2ms +[0-9.]+k? +#+'
check "ASCII alone" sh -c "tmux -S '$socket' capture-pane -t top -p | LC_ALL=C grep -n '[^ -~]'"
press q
begin 100 50
type_line "clear; $top --replay $TOP/tests/fixtures/6.1-snoop_on.jsonl"
sees "a machine of 6.1" '\[1 VMs\]' '^.?web1'
press Enter
sees "what KVM decided for a VM" 'What KVM decided ─' 'KVM goes by +what each domain' \
	"Memory types +the guest's own" 'Guest PAT +honoured' 'Guest MTRRs +ignored' 'On a change +KVM drops no'
press q
begin 80 24
before_title=$(mux display -t top -p '#{pane_title}')
type_line "clear; $top --replay $TOP/tests/fixtures/hostile-names.jsonl"
sees "hostile names" '\[1 VMs\]'
sees "hostile names are escaped" '\\x1b\[31mred'
title() { mux display -t top -p '#{pane_title}' | grep -v "^$before_title\$"; }
check "hostile names: the terminal's title" title
press q
mux kill-server

# a recording that is still written, by way of a pipe: keys are heard between its snapshots
mkfifo "$work/pipe"
cut_at=$(($(grep -n '"rec": *"end"' "$fixture" | sed -n '2s/:.*//p') + 5)) # in the midst of the third
{
	head -n "$cut_at" "$fixture"
	until [ -e "$work/go-on" ]; do
		sleep 0.05
	done
	tail -n +$((cut_at + 1)) "$fixture"
} >"$work/pipe" &
begin 80 24
type_line "$top --replay $work/pipe -d 200ms --speed 20"
sees "what has come of a pipe" '\[1 VMs\]'
press 2
sees "keys while its writer waits" '\[2 Domains\]'
: >"$work/go-on"
sees "what comes later" 'REPLAY, ENDED'
press q
restored "q, of a pipe"
mux kill-server

# ---- batch ---------------------------------------------------------------------------------------

frames() { "$top" --replay "$fixture" "$@" 2>"$work/stderr"; }
# is NAME WANTED FOUND
is() { if [ "$2" = "$3" ]; then pass; else fail "$1: '$3', not '$2'"; fi; }

is "one frame without a terminal" 1 "$(frames | grep -c '^nosnooptop')"
is "it is the last one" 1 "$(frames | grep -c 'REPLAY, ENDED')"
is "-b shows each snapshot" 8 "$(frames -b --speed 0 | grep -c '^nosnooptop')"
is "-n ends it" 3 "$(frames -b -n 3 --speed 0 | grep -c '^nosnooptop')"
is "the first has no rate" 1 "$(frames -b -n 1 --speed 0 | grep -c -- '- executed/s')"
is "no escape in a pipe" 0 "$(frames | grep -c $'\033')"
is "its own time" 2 "$(frames -b -n 2 --speed 10 -d 100ms | grep -c '^nosnooptop')"
is "-s sorts" "plain db-primary web1 render-farm-07" \
	"$(frames -s vcpu -b -n 1 | awk '/VERDICT/ { on = 1; next } on && NF > 5 { print $1 }' | tac | xargs |
		awk '{ print $1, $3, $2, $4 }' | sed 's/web1 db-primary/db-primary web1/')"
is "-s - inverts" plain "$(frames -s -vcpu | awk '/VERDICT/ { getline; print $1 }')"
frames -s nonsense >/dev/null
is "no such column" 2 $?
check "the columns are told" sh -c "grep -q 'columns of vms are: VM, PID' '$work/stderr' || cat '$work/stderr'"
frames -d 1ms >/dev/null
is "no such delay" 2 $?
is "a view" 1 "$(frames --view iommus | grep -c '^dmar0 ')"
is "--vm" "render-farm-07" "$(frames --vm render-farm-07 | awk '/VERDICT/ { getline; print $1 }')"
frames --vm nobody >/dev/null
is "no such VM" 2 $?
# it starts when nobody reads any more: what it prints would fit into the pipe
{
	until [[ -e $work/left ]]; do
		sleep 0.01
	done
	frames -b --speed 0
} | {
	exec <&-
	: >"$work/left"
}
is "a reader who leaves" "141 0" "${PIPESTATUS[*]}"
# a recording is finished all the same
{
	until [[ -e $work/left2 ]]; do
		sleep 0.01
	done
	frames -b --speed 0 --record "$work/kept.jsonl"
} | {
	exec <&-
	: >"$work/left2"
}
is "a reader who leaves a recording" "2 0" "${PIPESTATUS[*]}"
check "what was recorded by then is whole" sh -c \
	"'$BUILD/nosnoop' audit --replay '$work/kept.jsonl' 2>&1 >'$work/audit'"
chosen() { frames -b --speed 0 --view events --vm "$1" | grep -c -- "$2"; }
is "--vm: its events are shown" 1 "$(chosen render-farm-07 'kvm_register.*render-farm-07' | awk '{ print ($1 > 0) }')"
is "--vm: those of others are not" 0 "$(chosen web1 render-farm-07)"
is "--vm: nor those of nobody" 0 "$(chosen web1 'container_open\|device_refused')"
# a terminal that closes sends SIGHUP more than once, and the recording is brought to its end before
twice() { # OPTION...: of all frames, with two signals that wait at once; its exit code and what it leaves
	local code=0 i
	rm -rf "$work/twice" && mkdir "$work/twice"
	"$top" "$@" --replay "$fixture" --speed 0.001 -d 200ms --record "$work/twice/kept.jsonl" \
		>"$work/frames" 2>"$work/stderr" &
	for ((i = 0; i < 100; i++)); do
		[ ! -s "$work/frames" ] || break
		sleep 0.05
	done
	kill -STOP $!
	kill -HUP $!
	kill -TERM $!
	kill -CONT $!
	wait $! || code=$?
	echo "$code, $(ls -A "$work/twice")"
}
is "two signals at once" "0, kept.jsonl" "$(twice -b)"
# a disk that is full: the recording ends with a whole snapshot, and nosnooptop goes on
if [ "$(id -u)" = 0 ]; then
	mkdir "$work/disk"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c 'mount -t tmpfs -o size=64k none "$1" && cd "$1" || exit
		"$2" --replay "$3" -b --speed 0 --record kept.jsonl >"$4/frames" 2>"$4/stderr"
		echo "$?, $(ls -A)" >"$4/full"
		cp kept.jsonl "$4/full.jsonl" && : >kept.jsonl
		"$5" trace --replay "$3" --record traced.jsonl >"$4/events" 2>>"$4/stderr"
		echo "$?, $(ls -A | xargs)" >>"$4/full"' \
		sh "$work/disk" "$top" "$fixture" "$work" "$BUILD/nosnoop"
	is "a full disk: nosnooptop, its exit code and what it leaves" "2, kept.jsonl" "$(head -n 1 "$work/full")"
	is "a full disk: it goes on" 8 "$(grep -c '^nosnooptop' "$work/frames")"
	is "a full disk: whole snapshots are kept" 1 "$(("$(grep -c '"end"' "$work/full.jsonl")" > 1))"
	is "a full disk: nothing behind the last" 1 "$(tail -n 1 "$work/full.jsonl" | grep -c '"rec":"end"')"
	is "a full disk: trace" "2, kept.jsonl traced.jsonl" "$(tail -n 1 "$work/full")"
	is "a full disk: it tells all events" "$("$BUILD/nosnoop" trace --replay "$fixture" 2>&1 | sha256sum)" \
		"$(sha256sum <"$work/events")"
	is "a full disk is told, of both" 2 "$(grep -c 'No space left on device): it is kept up to' "$work/stderr")"
else
	skipped=$((skipped + 1))
	echo "skip  a full disk: needs root"
fi
# cut off behind the last snapshot's end: what happened then, and no machine
{
	cat "$fixture"
	grep -m 1 '"rec": "event"' "$fixture"
} >"$work/cut.jsonl"
is "the end of a recording that was cut off" "$(frames | grep -c 'render-farm-07')" \
	"$("$top" --replay "$work/cut.jsonl" 2>"$work/stderr" | grep -c 'render-farm-07')"
is "which is told" 1 "$(grep -c 'has no end' "$work/stderr")"
for width in 40 80 200; do
	COLUMNS=$width frames -b --speed 0 >"$work/frames"
	check "$width cells" tests/check-width "$width" "$work/frames"
done
LC_ALL=C frames -b --speed 0 >"$work/frames"
check "ASCII in a pipe" grep -n '[^ -~]' "$work/frames"

frames -b --speed 0 --format json >"$work/live.jsonl"
is "JSON: one object a line" 8 "$(wc -l <"$work/live.jsonl")"
split -l 1 "$work/live.jsonl" "$work/line."
for line in "$work"/line.*; do
	check "nosnoop.live/1 $(basename "$line")" python3 tests/validate.py docs/live.schema.json "$line"
done
is "JSON: rates" "289 289 0.79178" "$(tail -n 1 "$work/live.jsonl" | jq -r '.vms[] |
	select(.name == "render-farm-07").wbinvd | "\(.exits_per_second) \(.executed_per_second) \(.cpu_share)"')"
is "JSON: no rate at first" "null" \
	"$(head -n 1 "$work/live.jsonl" | jq -r '.vms[0].wbinvd.exits_per_second')"
is "JSON: the audit has none of it" 0 \
	"$("$BUILD/nosnoop" audit --replay "$fixture" --format json | jq '[.vms[] | select(.wbinvd)] | length')"

# The live schema is the audit's and what it adds, no more.
drift() {
	local audit=docs/audit.schema.json live=docs/live.schema.json filter
	# shellcheck disable=SC2016 # of jq
	filter='del(.title, .description, .properties.schema, .properties.interval_seconds,
		."$defs".vm.properties.wbinvd) | .required -= ["interval_seconds"] | ."$defs".vm.required -= ["wbinvd"]'
	diff <(jq "$filter" "$audit") <(jq "$filter" "$live")
}
check "the live schema has not drifted from the audit's" drift
finish
