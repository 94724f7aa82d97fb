#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules.sh: each rule id has one row with a function that exists, a section in docs/rules.md, and a
# test: a fixture whose expected output has the finding, or a unit test that names the rule. What the
# section names as raising the rule must assert that, and what stands close by that it is not raised.
# The ids are NS001 to NS023 without a gap.
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

# cell_asserts ID FILE: "raised" and "absent", each once for every line of a cell's expectations that
# asserts so of the rule. A line that merely has its id asserts nothing of it. All findings are told by
# an expression that starts with [.findings[] and selects none; one rule's by select(.rule == "ID") or
# by its row of rules[].
cell_asserts() {
	awk -v id="$1" '
		/^[#%]/ || !/ => / { next }
		{
			sub(/^@[^:]*: /, "")
			at = 0
			for (i = index($0, " => "); i; i = index(substr($0, at + 1), " => "))
				at += i
			expression = substr($0, 1, at - 1)
			want = substr($0, at + 4)
			quoted = "\"" id "\""
			one = index(expression, "select(.rule == " quoted ")")
			row = index(expression, ".rules[]") && index(expression, ".id == " quoted)
		}
		row {
			# of several rules each has its id in front of its status
			if (index(want, quoted))
				want = substr(want, index(want, quoted) + length(quoted), 20)
			if (want ~ /^[^a-z]*"?fail/)
				print "raised"
			else if (want ~ /^[^a-z]*"?(pass|not_applicable)/)
				print "absent"
			next
		}
		expression == ".findings" && want == "[]" { print "absent" }
		expression !~ /\.findings\[\]/ { next }
		one { print want == "[]" ? "absent" : "raised"; next }
		expression ~ /^\[(\$l\[\])?\.findings\[\]/ && expression !~ /select\(/ {
			print index(want, quoted) ? "raised" : "absent"
		}' "$2"
}

# status ID FIXTURE: what the audit of that recording says of the rule
status() {
	"$BUILD/nosnoop" audit --replay "tests/fixtures/$2.jsonl" --format json 2>/dev/null |
		jq -r --arg id "$1" '.rules[] | select(.id == $id) | .status'
}

# raises ID KIND NAME, spares ID KIND NAME: whether that test asserts that the rule is raised, and that
# it is not. A unit test has both sides in one file.
raises() {
	case $2 in
	cell) cell_asserts "$1" "tests/lab/cells/$3.expect" | grep -qx raised ;;
	fixture) [ "$(status "$1" "$3")" = fail ] ;;
	"unit test") grep -q "$1" "tests/unit/$3.c" ;;
	esac
}
spares() {
	case $2 in
	cell) [ "$(cell_asserts "$1" "tests/lab/cells/$3.expect" | sort -u)" = absent ] ;;
	fixture) status "$1" "$3" | grep -qxE 'pass|not_applicable' ;;
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
	raises "$1" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" ||
		echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]} does not assert that it is raised"
	spares "$1" "${BASH_REMATCH[3]}" "${BASH_REMATCH[4]}" ||
		echo "${BASH_REMATCH[3]} ${BASH_REMATCH[4]} does not assert that it is not raised"
}

# The judge itself: what a line of expectations asserts of a rule.
said() { printf '%s\n' "$2" | cell_asserts "$1" /dev/stdin; }
judge() {
	local id want line
	while IFS='|' read -r id want line; do
		[ "$(said "$id" "$line")" = "$want" ] || echo "$id: not \"$want\" of: $line"
	done <<'LINES'
NS001|raised|[.findings[].rule] | unique => ["NS001", "NS007"]
NS002|absent|[.findings[].rule] | unique => ["NS001", "NS007"]
NS002|raised|@!6.1: [.findings[] | [.rule, .severity]] => [["NS002", "warning"]]
NS001|absent|[.findings[].rule] => []
NS001|absent|.findings => []
NS001|absent|[.findings[] | select(.rule == "NS001")] => []
NS001|raised|[.findings[] | select(.rule == "NS001") | .severity] => ["critical"]
NS002||[.findings[] | select(.rule == "NS001") | .severity] => ["critical"]
NS023|raised|$l[-1].findings[] | select(.rule == "NS023") | .severity => "info"
NS008||[$t[] | select(.event == "device_refused") | .rule] => ["NS008"]
NS023||[.rules[] | select(.id == "NS023") | .status] => ["needs_events"]
NS020|absent|[.rules[] | select(.id == "NS020") | [.status, .subjects]] => [["pass", 1]]
NS007|raised|[.rules[] | select(.id == "NS007") | .status] => ["fail"]
NS022|absent|[.rules[] | select(.id == "NS013" or .id == "NS022") | [.id, .status]] => [["NS013", "fail"], ["NS022", "pass"]]
NS001||# NS001 is raised
NS001||%forecast except NS001
LINES
}
check "what a line asserts" judge

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
