#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build-kernel.sh [--refresh] KEY...: builds a kernel with IOMMUFD from the distribution's kernel
# sources, with kernel-iommufd.config on top of tinyconfig, and for newest-mock kernel-mock.config
# on top of that, into the cache below kernels/KEY, laid out like those of fetch-kernels.sh. A build
# that was stopped goes on where it was; one that is there is built again only if its configuration
# has changed, or with --refresh if there is a newer source package. LAB_MAKE_JOBS: how many compilers
# at once (one a core). Exit: 0 all there, 75 the mirror can't be reached or a program is missing
# (tools/deps.sh names the packages), 1 any other failure.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

usage() { echo "usage: ${0##*/} [--refresh] KEY...   (KEY: $LAB_BUILT_KEYS)" >&2; exit 2; }

suites_of() {
	case $1 in
	6.12-iommufd) printf '%s\n' "archive trixie" "security trixie-security" \
		"security bookworm-security" ;;
	newest-iommufd | newest-mock) printf '%s\n' "archive trixie-backports" "archive sid" ;;
	*) usage ;;
	esac
}

# config_of KEY: what it has on top of tinyconfig; of a symbol's lines the last one holds
config_of() {
	cat "$LAB_DIR/kernel-iommufd.config"
	[[ $1 != *-mock ]] || cat "$LAB_DIR/kernel-mock.config"
}

# source_of KEY: "PACKAGE VERSION" of the newest source package that apt now knows
source_of() {
	local pattern='^linux-source-[0-9.]+$' package
	[ "${1%-*}" = newest ] || pattern="^linux-source-${1%-*}\$"
	package=$(apt-cache pkgnames linux-source- | grep -E "$pattern" | sort -V | tail -n 1)
	[ -n "$package" ] || die "$1: no source package in $(suites_of "$1" | tr '\n' ' ')"
	echo "$package $(apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p')"
}

# unpack KEY WORK PACKAGE VERSION: the source tree as WORK/src
unpack() {
	local key=$1 work=$2 package=$3
	rm -rf "$work"
	mkdir -p "$work"
	apt_download "$key" "$package"
	say "$key: unpacking $package $4"
	dpkg-deb --fsys-tarfile "$LAB_CACHE/debs/$key"/*.deb |
		tar -xO "./usr/src/$package.tar.xz" | xz -dcT0 | tar -x -C "$work"
	rm -r "${LAB_CACHE:?}/debs/$key"
	mv "$work/$package" "$work/src"
	echo "$package $4" >"$work/unpacked"
}

# configure KEY SRC: tinyconfig and ours; ends if one of our lines did not come through
configure() {
	local src=$2 symbol value got bad=''
	"${make[@]}" -C "$src" -s tinyconfig
	config_of "$1" >>"$src/.config"
	"${make[@]}" -C "$src" -s olddefconfig
	while IFS='=' read -r symbol value; do
		got=$(sed -n "s/^$symbol=//p" "$src/.config")
		[ "${got:-n}" = "$value" ] || bad+=" $symbol=${got:-n}"
	done < <(config_of "$1" | awk -F= '/^CONFIG_/ { line[$1] = $0 } END { for (s in line) print line[s] }')
	[ -z "$bad" ] || { echo "error: $1's configuration asks otherwise than:$bad"; return 1; }
}

# compile SRC OUT: the image and the modules, below OUT
compile() {
	local src=$1 out=$2
	"${make[@]}" -C "$src" -j"${LAB_MAKE_JOBS:-$(nproc)}" bzImage modules
	"${make[@]}" -C "$src" -s INSTALL_MOD_PATH="$out" INSTALL_MOD_STRIP=1 DEPMOD=true \
		modules_install
	rm -f "$out"/lib/modules/*/{build,source}
	cp "$src/arch/x86/boot/bzImage" "$out/vmlinuz"
	cp "$src/.config" "$out/config"
}

build() {
	local key=$1 dir=$LAB_CACHE/kernels/$1 work=$LAB_CACHE/build/$1 want source log hash
	log=$LAB_CACHE/build/$key.log
	hash=$(config_of "$key" | sha256sum | cut -c1-16)
	if [ -z "$refresh" ] && grep -qs " $hash\$" "$dir/source" && kernel_cached "$key"; then
		return
	fi
	need apt-get apt-cache dpkg-deb depmod make gcc flex bison bc pahole
	[ -e /usr/include/openssl/ssl.h ] || skip "not installed: libssl-dev"
	private_apt "$key" < <(suites_of "$key")
	source=$(source_of "$key")
	want="$source $hash"
	if [ -s "$dir/source" ] && [ "$(<"$dir/source")" = "$want" ]; then
		say "$key: $(<"$dir/release") is still the newest"
		return
	fi
	if [ ! -s "$work/unpacked" ] || [ "$(<"$work/unpacked")" != "$source" ]; then
		# shellcheck disable=SC2086 # two words
		unpack "$key" "$work" $source
	fi
	say "$key: building $source, which takes minutes (log: $log)"
	rm -rf "$work/out"
	mkdir "$work/out"
	# a shell of its own: a failure in it ends it, whatever the caller does with its exit code
	if ! "$0" --compile "$key" "$work/src" "$work/out" >"$log" 2>&1 </dev/null; then
		grep -iE 'error|\*\*\*' "$log" | tail -n 5 >&2 || :
		die "$key: the build failed (log: $log)"
	fi
	echo "$want" >"$work/out/source"
	kernel_install "$key" "$work/out" "$("${make[@]}" -C "$work/src" -s kernelrelease)"
	rm -rf "$work"
}

make=(make ARCH=x86_64 KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab LOCALVERSION=)
if [ "${1:-}" = --compile ]; then
	configure "$2" "$3"
	compile "$3" "$4"
	exit
fi
refresh=
[ "${1:-}" != --refresh ] || { refresh=1; shift; }
[ $# -gt 0 ] || usage
for key; do
	suites_of "$key" >/dev/null
done
need busybox cpio gzip xz modprobe
mkdir -p "$LAB_CACHE/kernels" "$LAB_CACHE/build"
for key; do
	exec 9>"$LAB_CACHE/kernels/.lock.$key"
	flock 9
	build "$key"
	exec 9>&-
done
