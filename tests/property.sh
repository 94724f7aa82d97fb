#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# property.sh [FIXTURE...]: knocks out every fact of every fixture; nothing may look better for it
# (tests/property/property.h). Builds into $BUILD/property.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"

mapfile -t files < <(pure_sources)
read -ra package_flags <<<"$(pkg-config --cflags jansson smartcols)"
read -ra package_libs <<<"$(pkg-config --libs jansson smartcols)"
mkdir -p "$BUILD"
$CLANG -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -DNSN_VERSION='"test"' \
	-DNSN_REVISION='"test"' -Ibpf -Isrc -O2 -g "${package_flags[@]}" -o "$BUILD/property" \
	tests/property/*.c "${files[@]}" "${package_libs[@]}" -lm

shopt -s nullglob
fixtures=("$@")
[ $# -gt 0 ] || fixtures=(tests/fixtures/*.jsonl tests/fixtures/live/history-raised.jsonl)
if [ ${#fixtures[@]} -eq 0 ]; then
	fail "no fixtures in tests/fixtures"
	finish
	exit
fi
exec "$BUILD/property" "${fixtures[@]}"
