#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# layout.sh: the top level holds what it is meant to hold and nothing else; each file says what it is.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"

wanted=(bpf src vmlinux tools docs tests Makefile README.md LICENSE CHANGELOG.md CONTRIBUTING.md
	SECURITY.md .ci .clang-format .gitignore)

for entry in "${wanted[@]}"; do
	if [ -e "$entry" ]; then
		pass
	else
		fail "missing: $entry"
	fi
done
strangers() {
	sources | cut -d / -f 1 | sort -u | while read -r entry; do
		[[ " ${wanted[*]} " == *" $entry "* ]] || echo "$entry"
	done
}
check "nothing else stands at the top level" strangers

# Every file of ours that can hold a comment names its licence within its first three lines.
licences() {
	local file
	sources | while read -r file; do
		[ -f "$file" ] || continue
		case $file in
		LICENSE | *.md | *.json | *.jsonl | *.txt | *.png | *.svg) continue ;;
		tests/fixtures/* | tests/expected/* | tests/lab/screens/* | *.golden | *.expect) continue ;;
		esac
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file"
	done
}
check "every source names its licence" licences
gpl() {
	grep -q 'GNU GENERAL PUBLIC LICENSE' LICENSE && grep -q 'Version 2, June 1991' LICENSE ||
		echo "it is not"
}
check "LICENSE is the GPL, version 2" gpl
bpf_gpl() { grep -hq 'SEC("license") = "GPL"' bpf/*.[ch] || echo "they are not"; }
check "BPF programs are GPL" bpf_gpl
not_executable() {
	local file
	sources | while read -r file; do
		[ -f "$file" ] && [ ! -x "$file" ] && head -n 1 "$file" | grep -q '^#!' && echo "$file"
	done
}
check "scripts are executable" not_executable

# Fixtures are recordings of anybody's machine: none may hold an address or a home.
private() {
	grep -snEo '0x[0-9a-f]{12,}|\bffff[0-9a-f]{12}\b|/home/[a-z]+' \
		tests/fixtures/*.jsonl tests/expected/* | head -n 20
}
check "fixtures hold no kernel address and nobody's home" private
finish
