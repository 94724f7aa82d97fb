#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules.sh: each rule id has one row with a function that exists, a section in docs/rules.md, and a
# test: a fixture whose expected output has the finding, or a unit test that names the rule. The ids
# are NS001 to NS023 without a gap.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"

# row ID: the row's text in the table, up to the next row
row() {
	cat src/rules*.c | awk -v id="\"$1\"" '
		index($0, id) { inside = 1 }
		inside && /"NS[0-9][0-9][0-9]"/ && !index($0, id) { exit }
		inside && /^};/ { exit }
		inside'
}

is_tested() {
	grep -qs "\b$1\b" tests/unit/*.c ||
		grep -qsE "\"rule\": ?\"$1\"" tests/expected/*.json
}

for number in $(seq -f '%03g' 1 23); do
	id=NS$number
	rows=$(cat src/rules*.c | grep -c "[{=(] *\"$id\"" || :)
	function=$(row "$id" | grep -om 1 '\bnsn_judge_\w*' || :)
	if [ "$rows" -ne 1 ]; then
		fail "$id: $rows rows in src/rules*.c, expected one"
	elif [ -z "$function" ] || ! grep -qE "^int $function\(" src/rules*.c; then
		fail "$id: its row names no function${function:+ that exists: $function}"
	else
		pass
	fi
	if grep -qsE "^#+ .*\b$id\b" docs/rules.md; then
		pass
	else
		fail "$id: no section in docs/rules.md"
	fi
	if is_tested "$id"; then
		pass
	else
		fail "$id: no fixture's expected output has it and no unit test names it"
	fi
done
others() {
	grep -hosE '\bNS[0-9]{3}\b' src/*.[ch] docs/*.md | sort -u |
		grep -vxE 'NS0(0[1-9]|1[0-9]|2[0-3])'
}
check "no other ids" others
finish
