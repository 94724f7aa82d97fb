#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [NUMBER...]: the questions that people bring, each put by one command: tests/questions/
# NN-*.sh, whose line "# Q: ..." is the question. Recordings stand in for their machines. Only
# questions that a command answers today are here. Ends with "N passed, N failed, N skipped".
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$TOP"

[ -x "$BUILD/nosnoop" ] || { echo "$BUILD/nosnoop is missing: run make first" >&2; exit 2; }
scripts=(tests/questions/[0-9]*.sh)
if [ $# -gt 0 ]; then
	scripts=()
	for number; do
		scripts+=(tests/questions/"$number"-*.sh)
	done
fi
for script in "${scripts[@]}"; do
	question=$(sed -n 's/^# Q: //p' "$script")
	if answer=$("$script" 2>&1); then
		pass
		echo "ok      $question"
	else
		fail "$question"
		printf '%s\n' "${answer:-  $script said nothing}"
	fi
done
finish
