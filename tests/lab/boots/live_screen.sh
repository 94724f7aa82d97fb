#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU without snoop control: nosnooptop on a terminal, with VMs that flush.
# patience: 900
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0 B=0000:00:03.0

mux() { tmux -S /run/cell/tmux -f /dev/null "$@"; }
press() { mux send-keys -t top "$@"; }

# seen PATTERN: polls until the screen matches
seen() {
	local i
	for ((i = 0; i < 600; i++)); do
		mux capture-pane -t top -p >/run/cell/screen
		[[ ! $(</run/cell/screen) =~ $1 ]] || return 0
		pause 0.1
	done
	cat /run/cell/screen
	echo "the screen does not show '$1'" >&2
	return 1
}

# shot NAME: the screen as it is now, not while it is painted; ../screens.py compares it
shot() {
	local i before=
	for ((i = 0; i < 20; i++)); do
		mux capture-pane -t top -p >"$CELL/$1.screen"
		[ "$before" != "$(<"$CELL/$1.screen")" ] || return 0
		before=$(<"$CELL/$1.screen")
		pause 0.1
	done
	echo "the screen $1 does not stand still" >&2
	return 1
}

# shots SIZE: each view, the help and the pane of a VM
shots() {
	local view views=(vms domains devices findings events iommus)
	for ((view = 1; view <= 6; view++)); do
		press $view
		seen "\[$view "
		shot "$1-${views[view - 1]}"
	done
	press '?'
	seen Verdicts
	shot "$1-help"
	press End
	seen 'host_flush'
	shot "$1-help-end"
	press Escape
	seen '\[6 IOMMUs\].*dmar0'
	press 1
	seen '\[1 VMs\]'
	press Home Enter
	seen 'Guest cache flushes'
	shot "$1-detail"
	press End
	seen 'kvm_unregister'
	shot "$1-detail-end"
	press Escape
	seen 'Last events'
}

# shell_back WAY: the shell has its terminal again, as it was; how that was found is $v.ends
shell_back() {
	seen 'ready>$'
	press "clear; echo code \$?; stty -a >after" Enter
	seen $'code [0-9]+\nready>$'
	grep -oE 'code [0-9]+' /run/cell/screen >/run/cell/code
	jq -cn --arg way "$1" --arg code "$(</run/cell/code)" \
		--arg modes "$(diff /run/cell/before /run/cell/after)" \
		--arg screen "$(mux display -t top -p 'alternate #{alternate_on}, cursor #{cursor_flag}')" \
		'{way: $way, code: $code, modes: $modes, screen: $screen}' >>/run/cell/ends
}

cell_screen() {
	command -v tmux >/dev/null || skip_cell "tmux is not installed"
	load_all
	bind "$A" "$B"
	a=$(group_of "$A") b=$(group_of "$B")
	# pids of three digits, like those that lines were broken with in the screens to compare
	local last=0
	until [ "$last" -ge 100 ]; do
		: &
		last=$!
	done
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A" "add:$a"
	vm db1 vm vcpu container "group:$b" "set-container:$b" set-iommu map:16M "device:$B"
	audit
	mux new-session -d -s top -x 80 -y 24 \
		"cd /run/cell && exec env TERM=tmux-256color PS1='ready> ' bash --norc --noprofile"
	seen 'ready>'
	press "stty -a >before; echo noted" Enter
	seen $'\nnoted'
	press "clear; $LAB_BUILD/nosnooptop -d 1s" Enter
	seen 'web1 +[0-9]+ +1 +1 +noncoherent'
	seen 'probes [0-9]+ of'
	# events that all kernels tell alike, and a finding that takes time to be one
	step web1 "del:$a"
	step web1 "add:$a"
	step web1 spin:20000
	step db1 spin:500000
	seen 'noncoherent.*NS001.*NS002.*NS003.*kvm_file_add'
	seen '[1-9][0-9]* executed/s +[1-9]'
	shots 80x24
	mux resize-window -t top -x 200 -y 50
	press 1
	seen 'EXECUTED/s OF LATE'
	shots 200x50
	mux resize-window -t top -x 80 -y 24
	press 1
	seen '\? help +q quit'
	shot resized
	var shots "$(find "$CELL" -name '*.screen' | wc -l)"
	kill -TERM "$(pgrep -x nosnooptop)"
	shell_back SIGTERM
	press "clear; $LAB_BUILD/nosnooptop" Enter
	seen 'probes [0-9]+ of'
	kill -INT "$(pgrep -x nosnooptop)"
	shell_back SIGINT
	press "clear; $LAB_BUILD/nosnooptop" Enter
	seen 'probes [0-9]+ of'
	press q
	shell_back q
	# while the probes are being attached, which takes seconds here: it hears keys
	press "clear; $LAB_BUILD/nosnooptop" Enter
	seen 'attaching probes'
	press 2
	seen '\[2 .*attaching probes'
	press q
	shell_back "q at once"
	var ends "$(jq -cs . /run/cell/ends)"
	mux kill-server
}

run_cells
