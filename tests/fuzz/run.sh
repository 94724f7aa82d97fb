#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fuzz/run.sh [SECONDS]: builds the fuzzer with sanitizers into $BUILD/fuzz and lets it run, 30
# seconds unless told, from a fixed seed (FUZZ_SEED). An input that breaks something stays in
# $BUILD/fuzz/found; run the fuzzer with it as its argument to see it again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$TOP"

seconds=${1:-${FUZZ_SECONDS:-30}}
out=$BUILD/fuzz
mkdir -p "$out/corpus" "$out/seeds" "$out/found"
rm -f "$out"/seeds/* "$out"/found/*

# log.c is replaced by the fuzzer.
mapfile -t files < <(pure_sources | grep -v '/log\.c$')
packages=(jansson smartcols)
read -ra package_flags <<<"$(pkg-config --cflags "${packages[@]}")"
read -ra package_libs <<<"$(pkg-config --libs "${packages[@]}")"
flags=(-std=gnu11 -D_GNU_SOURCE -DNSN_VERSION='"fuzz"' -DNSN_REVISION='"fuzz"' -Ibpf -Isrc
	-O2 -g -fno-omit-frame-pointer "${package_flags[@]}")
sanitize=address,undefined

$CLANG "${flags[@]}" -o "$out/seeds.bin" tests/fuzz/seeds.c src/util.c src/recdesc.c src/version.c \
	src/newfile.c src/recfile.c src/recfile_read.c src/collect_replay.c src/log.c \
	"${package_libs[@]}" -lm
$CLANG "${flags[@]}" -fsanitize=fuzzer,$sanitize -fno-sanitize-recover=$sanitize \
	-o "$out/fuzz_recfile" tests/fuzz/fuzz_recfile.c "${files[@]}" "${package_libs[@]}" -lm

shopt -s nullglob
fixtures=(tests/fixtures/*.jsonl)
if [ ${#fixtures[@]} -eq 0 ]; then
	fail "no fixtures in tests/fixtures to start from"
	finish
	exit
fi
"$out/seeds.bin" "$out/seeds" "${fixtures[@]}"
mv "$out/seeds/keys.dict" "$out/keys.dict"

export ASAN_OPTIONS=malloc_context_size=8:quarantine_size_mb=32

# run NAME ARGUMENT...: one run of the fuzzer; what it found is shown
run() {
	local name=$1
	shift
	if "$out/fuzz_recfile" -artifact_prefix="$out/found/" -timeout=25 -rss_limit_mb=2048 \
		"$@" >"$out/log" 2>&1; then
		echo "$name: $(sed -n 's/^Done \([0-9]* runs\).*/\1/p; s/^Executed \(.*\)/\1/p' "$out/log" |
			tail -n 1)"
		pass
	else
		fail "$name (log: $out/log)"
		grep -m 1 -A 30 -E 'ERROR|SUMMARY|runtime error|broken promise' "$out/log" ||
			tail -n 30 "$out/log"
	fi
}

# The seeds and fixtures themselves first: they must hold before anything is changed in them.
run "seeds" "$out"/seeds/* "${fixtures[@]}"
run "fuzzing for $seconds s" -max_total_time="$seconds" -seed="${FUZZ_SEED:-1}" -max_len=100000 \
	-len_control=20 -dict="$out/keys.dict" "$out/corpus" "$out/seeds" tests/fixtures
finish
