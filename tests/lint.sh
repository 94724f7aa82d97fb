#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lint.sh: shellcheck over every script; both compilers over every source, warnings being errors; the
# layout of the sources.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"

scripts=()
while read -r file; do
	[ ! -f "$file" ] || ! head -n 1 "$file" | grep -qE '^#!.*\b(ba)?sh$' && [[ $file != *.sh ]] ||
		scripts+=("$file")
done < <(sources)
for file in "${scripts[@]}"; do
	check "shellcheck $file" shellcheck -x "$file"
done

for compiler in gcc clang; do
	if $MAKE -s "BUILD=$BUILD/lint-$compiler" "CC=$compiler" >"$BUILD/lint-$compiler.log" 2>&1; then
		pass
	else
		fail "does not build with $compiler"
		tail -n 30 "$BUILD/lint-$compiler.log"
	fi
done

# No source is wider than 110 columns, a tab being 8 wide, no script than 130, and nothing ends in blanks.
widths() {
	local file most
	sources | grep -E '\.[ch]$|\.sh$|^Makefile$' | while read -r file; do
		[ -f "$file" ] || continue
		most=110
		[[ $file == *.[ch] ]] || most=130
		expand "$file" | LC_ALL=C.UTF-8 awk -v file="$file" -v most="$most" \
			'length($0) > most { print file ":" NR ": " length($0) " columns" }'
		grep -nHE '[ 	]+$' "$file" || :
	done
}
check "columns and blanks" widths

# Every version of it thinks differently of some lines.
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
	unformatted() {
		sources | grep '\.[ch]$' | while read -r file; do
			[ ! -f "$file" ] || clang-format --dry-run "$file" 2>&1 | grep -m 1 -F "$file:" || :
		done
	}
	check "sources are as clang-format has them (make format)" unformatted
else
	skipped=$((skipped + 1))
	echo "skip  the layout of the sources: clang-format 14 is not here"
fi
finish
