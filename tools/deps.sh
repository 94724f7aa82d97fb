#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# deps.sh [build|test]: the Debian packages that building (and testing) takes. Prints the one
# apt-get line that installs what is missing; as root with YES=1 or CI=true it runs it.
set -euo pipefail

build=(gcc make clang llvm pkg-config bpftool libbpf-dev libelf-dev zlib1g-dev libpci-dev
	libjansson-dev libsmartcols-dev uthash-dev libncurses-dev git scdoc libmicrohttpd-dev
	libgnutls28-dev libyaml-dev libcap-ng-dev libseccomp-dev libsystemd-dev libcrypt-dev)
test=(libcmocka-dev jq python3 python3-jsonschema shellcheck libclang-rt-14-dev qemu-system-x86
	busybox-static cpio kmod xz-utils zstd tmux util-linux time clang-format
	prometheus systemd python3-yaml curl binutils
	openssl apache2-utils
	flex bison bc libssl-dev dwarves) # the last five build the lab's kernels

packages=("${build[@]}")
[ "${1:-build}" = build ] || packages+=("${test[@]}")
missing=()
for package in "${packages[@]}"; do
	dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' ||
		missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" != 0 ] || { [ "${YES:-}" != 1 ] && [ "${CI:-}" != true ]; }; then
	echo "deps: run the line above as root, or this again as root with YES=1" >&2
	exit 1
fi
# Debian's package starts a server; the tests want its programs alone.
if [[ " ${missing[*]} " == *" prometheus "* ]] && [ -d /run/systemd/system ]; then
	systemctl mask prometheus.service
	echo "deps: prometheus.service is masked, so that it does not start; systemctl unmask takes that back" >&2
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "${missing[@]}"
