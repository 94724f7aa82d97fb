#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gen-matrix.sh SUMMARY...: makes the table cells x kernels of docs/kernels.md (Markdown, on
# stdout) from the summary.jsonl files that run.sh left behind: how many cells of each kernel passed,
# and a column for each kernel that is in them, by its release.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || { echo "usage: ${0##*/} SUMMARY.jsonl..." >&2; exit 2; }

# the first line of each cell's expectations says what it is
titles=$(for f in "$LAB_DIR"/cells/*.expect; do
	jq -n --arg n "$(basename "$f" .expect)" --arg t "$(sed -n '1s/^# //p' "$f")" '{($n): $t}'
done | jq -s add)

# the kernels that each cell is meant for
meant=$(for f in "$LAB_DIR"/boots/*.sh; do
	keys=()
	for key in $LAB_KEYS; do
		! planned "$key" "$(basename "$f" .sh)" "$LAB_KEYS" || keys+=("$key")
	done
	sed -n 's/^cell_\([a-z0-9_]*\)().*/\1/p' "$f" |
		jq -R --arg keys "${keys[*]}" '{(.): ($keys / " ")}'
done | jq -s add)

jq -rs --argjson titles "$titles" --argjson meant "$meant" '
	# equal neighbours are told once
	def list: reduce (.[] | tostring) as $x ([];
			if .[-1:][0].x == $x then .[-1].n += 1 else . + [{x: $x, n: 1}] end) |
		map(. as $r | if .n > 2 then "\(.x) × \(.n)" else range(.n) | $r.x end) | join(" ");
	def flush: if .exits == null then "" else ", \(.flushes) of \(.exits) flushed" end;
	def entry($cell; $kernel):
		if . == null then
			if $meant[$cell] // [] | index([$kernel]) then "not run" else "–" end
		elif .outcome == "skip" then "skipped: \(.reason)"
		else (if .outcome == "ok" then "" else "**failed** " end) + (.values |
			(if .verdict == null then "" elif .verdict == [] then "no VM"
			 else (.verdict | list) end) +
			"<br>registered \(if .registered == [] then "–" else .registered | list end)" +
			", enforced \(if .enforced == [] then "–" else .enforced | list end)" +
			flush +
			(if .findings == null then ""
			 else "<br>exit \(.exit_code)" +
			      (if .findings == [] then "" else ": " + (.findings | list) end) end))
		end;
	# a cell that ran twice counts as it did the last time
	(reduce .[] as $r ({}; .[$r.cell][$r.kernel] = $r)) as $by |
	([.[] | {kernel, release}] | unique_by(.kernel) |
		sort_by(.release | [scan("[0-9]+") | tonumber])) as $kernels |
	(reduce .[].cell as $c ([]; if index([$c]) then . else . + [$c] end)) as $cells |
	def of($kernel; $outcome): [$by[][$kernel] | select(. != null and .outcome == $outcome)] | length;
	($kernels[] | "- \(if .release == "" then "(none)" else .release end) (`\(.kernel)`): " +
		"\(of(.kernel; "ok")) cells passed, \(of(.kernel; "fail")) failed, " +
		"\(of(.kernel; "skip")) skipped"),
	"",
	"| cell | " + ([$kernels[] | .release] | join(" | ")) + " |",
	"| --- | " + ([$kernels[] | "---"] | join(" | ")) + " |",
	($cells[] as $c | "| `\($c)`: \($titles[$c] // "") | " +
		([$kernels[].kernel as $k | $by[$c][$k] | entry($c; $k)] | join(" | ")) + " |")
' "$@"
