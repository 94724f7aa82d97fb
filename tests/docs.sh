#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# docs.sh: what the documents, manual pages and the completion say of the program is so: each option
# that --help prints is in the command's page and is completed, links lead somewhere, figures that
# stand in the sources too are the same.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"
nosnoop=$BUILD/nosnoop
[ -x "$nosnoop" ] || { echo "$nosnoop is missing: run make first" >&2; exit 2; }
PATH=$BUILD:$PATH
# shellcheck source-path=SCRIPTDIR source=../tools/completions/nosnoop.bash
. tools/completions/nosnoop.bash

commands() { "$nosnoop" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'; }
# long_options COMMAND: as --help prints them, "=" behind those that take a value
long_options() { "$nosnoop" "$1" --help | sed -n 's/^ *\(-[A-Za-z], *\)\?\(--[a-z.-]*=\?\).*/\2/p' | sort -u; }

# completions LINE: what a Tab at its end offers
completions() {
	COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
	_nosnoop nosnoop 2>/dev/null
	printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

# lines_differ GOT WANTED: prints what is missing or too much
lines_differ() { diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") | sed -n 's/^< /too much: /p; s/^> /missing: /p'; }

page_of() { echo "docs/man/nosnoop-$1.8.scd"; }
options_in_page() {
	local option
	long_options "$1" | tr -d = | while read -r option; do
		grep -qF -- "*$option*" "$(page_of "$1")" || echo "$option is not in $(page_of "$1")"
	done
}
complete_options() { lines_differ "$(completions "nosnoop $1 --" | grep -e --)" "$(long_options "$1" | grep -e --)"; }

[ -n "$(commands)" ] || fail "nosnoop --help lists no command"
for command in $(commands); do
	if [ ! -e "$(page_of "$command")" ]; then
		fail "no page $(page_of "$command")"
		continue
	fi
	check "$command: options in its page" options_in_page "$command"
	check "$command: options completed" complete_options "$command"
	if grep -qF "nosnoop-$command*(8)" docs/man/nosnoop.8.scd; then
		pass
	else
		fail "nosnoop.8 does not name nosnoop-$command"
	fi
done
complete_commands() { lines_differ "$(completions "nosnoop " | grep -v -e --)" "$(commands | sort -u)"; }
check "commands completed" complete_commands
values() { lines_differ "$(completions "nosnoop audit $1")" "$(printf '%s\n' "${@:2}" | sort -u)"; }
check "--format completed" values "--format " text json
check "--format= completed" values "--format=" text json
check "--format of export completed" lines_differ "$(completions "nosnoop export --format ")" \
	"$(printf '%s\n' openmetrics prometheus)"
check "--color completed" values "--color " auto always never
check "--fail-on completed" values "--fail-on " critical warning info never
mapfile -t rules < <("$nosnoop" audit --list-rules | grep -oE '^NS[0-9]{3}')
check "--explain completed" values "--explain " "${rules[@]}"
check "files completed" values "--replay tests/fixtures/host" tests/fixtures/hostile-names.jsonl

for page in docs/man/*.scd; do
	if ! command -v scdoc >/dev/null; then
		skipped=$((skipped + 1))
		echo "skip  $page: scdoc is not installed"
	elif why=$(scdoc <"$page" 2>&1 >/dev/null); then
		pass
	else
		fail "$page: $why"
	fi
done

mapfile -t documents < <(sources | grep '\.md$' | while read -r file; do [ ! -f "$file" ] || echo "$file"; done)
# Links to files of the tree, without what stands behind "#".
dead_links() {
	local file link
	for file in "${documents[@]}"; do
		grep -oE '\]\([^)]+\)' "$file" | sed 's/^](//; s/)$//; s/#.*//' | while read -r link; do
			case $link in
			'' | *://*) continue ;;
			esac
			[ -e "$(dirname "$file")/$link" ] || echo "$file: $link"
		done
	done
}
check "links lead somewhere" dead_links
# Paths of the tree that stand between backquotes; X and NAME stand for any.
dead_paths() {
	local file path
	for file in "${documents[@]}"; do
		# shellcheck disable=SC2016 # no expansion is meant
		grep -oE '`(bpf|src|tools|tests|docs|vmlinux)/[A-Za-z0-9_./-]+`' "$file" | tr -d '`' |
			while read -r path; do
				[[ -e $path || $path =~ NAME|_X\. ]] || echo "$file: $path"
			done
	done
}
check "paths that are named exist" dead_paths
machine_paths() { grep -nE '(^|[^A-Za-z0-9_.~-])/(root|home/[a-z]+|work)/' "${documents[@]}" docs/man/*.scd; }
check "no path of somebody's machine" machine_paths

# Every source has a place in the table of floors, and under its own floor.
placed() {
	local file name floor patterns pattern found
	for file in src/*.c; do
		name=$(basename "$file" .c) found=
		while IFS='|' read -r _ floor patterns _; do
			for pattern in $(tr -d '`;' <<<"$patterns"); do
				# shellcheck disable=SC2053 # a pattern it is
				[[ $name != $pattern ]] || found+=" ${floor// /}"
			done
		done < <(grep -E '^\| [0-4] \|' docs/architecture.md)
		[[ " $found " == *" $(floor "$file") "* ]] || echo "$file:${found:- nowhere}, not $(floor "$file")"
	done
}
check "floors of sources in docs/architecture.md" placed

# The bounds of the walks stand in docs/limits.md.
bounds() {
	local name value
	sed -n 's/^#define \(MAX_[A-Z0-9_]*\) *\([0-9]*\).*/\1 \2/p' bpf/*.bpf.[ch] | while read -r name value; do
		value=$(LC_ALL=C sed ':a; s/\B[0-9]\{3\}\b/,&/; ta' <<<"$value")
		grep -qE "\| +$value \|" docs/limits.md || echo "$name: $value"
	done
}
check "bounds of lists in docs/limits.md" bounds
# Each verdict is explained in the audit's page.
verdicts() {
	local verdict
	jq -r '[.. | objects | select(has("enum")) | .enum | select(index("no_passthrough"))[]] | unique[]' \
		docs/audit.schema.json | while read -r verdict; do
		grep -qxF "*$verdict*" docs/man/nosnoop-audit.8.scd || echo "$verdict"
	done
	jq -e '[.. | objects | select(has("enum")) | .enum | select(index("no_passthrough"))] | length > 0' \
		docs/audit.schema.json >/dev/null || echo "the schema lists no verdicts"
}
check "verdicts in nosnoop-audit.8" verdicts
table_is_there() {
	# shellcheck disable=SC2016 # no expansion is meant
	[ "$(sed -n '/^<!-- BEGIN/,/^<!-- END/p' docs/kernels.md | grep -c '^| `')" -gt 0 ] || echo "it is empty"
}
check "docs/kernels.md has its table" table_is_there
metrics_table() { diff <("$nosnoop" export --list-metrics) docs/metrics.md; }
check "docs/metrics.md is what --list-metrics prints" metrics_table
exporter_options() {
	local option
	"$BUILD/nosnoop-exporter" --help | sed -n 's/^ *\(-[A-Za-z], *\)\?\(--[a-z.-]*\).*/\2/p' | sort -u |
		while read -r option; do
			case $option in --vm | --device | --group | --format) continue ;; esac # refused
			grep -qF -- "*$option*" docs/man/nosnoop-exporter.8.scd || echo "$option"
		done
}
check "nosnoop-exporter: options in its page" exporter_options
version_in_changelog() {
	local version
	version=$("$nosnoop" --version | awk '{ print $2 }')
	grep -q "^## \[$version\]" CHANGELOG.md || echo "$version is not in CHANGELOG.md"
}
check "the version is in the changelog" version_in_changelog
finish
