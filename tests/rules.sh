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

# names ID KIND NAME: whether that test has the rule's id; a recording, whether it raises the rule
names() {
	case $2 in
	cell) grep -q "$1" "tests/lab/cells/$3.expect" ;;
	fixture) grep -q "\"rule\": \"$1\"" "tests/expected/$3.json" ;;
	"unit test") grep -q "$1" "tests/unit/$3.c" ;;
	esac
}
exists() {
	case $1 in
	cell) [ -e "tests/lab/cells/$2.expect" ] ;;
	fixture) [ -e "tests/fixtures/$2.jsonl" ] ;;
	"unit test") [ -e "tests/unit/$2.c" ] ;;
	*) false ;;
	esac
}
# shown ID: prints what is wrong with the rule's line "Shown by" in docs/rules.md
shown() {
	# shellcheck disable=SC2016 # backquotes of the document
	local line example='(cell|fixture|unit test) `([^`]+)`' pattern
	pattern="^- \*\*Shown by:\*\* $example; not raised by $example\.$"
	line=$(awk -v id="## $1:" 'index($0, id) == 1 { inside = 1; next } /^## / { inside = 0 }
		inside && /^- \*\*Shown by/' docs/rules.md)
	[[ $line =~ $pattern ]] || { echo "no line \"Shown by\" that can be read: $line"; return; }
	exists "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" || echo "no ${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
	exists "${BASH_REMATCH[3]}" "${BASH_REMATCH[4]}" || echo "no ${BASH_REMATCH[3]} ${BASH_REMATCH[4]}"
	names "$1" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" ||
		echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]} does not raise it"
	# a unit test has both sides in one file
	[ "${BASH_REMATCH[3]}" = "unit test" ] || ! names "$1" "${BASH_REMATCH[3]}" "${BASH_REMATCH[4]}" ||
		echo "${BASH_REMATCH[3]} ${BASH_REMATCH[4]} raises it"
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
	check "$id: what shows it" shown "$id"
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
