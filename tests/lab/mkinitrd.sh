#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mkinitrd.sh KERNEL-DIR RELEASE OUT: a busybox initramfs that mounts this host's root over 9p,
# read-only, gives it empty /run /var /mnt /tmp, keeps the folders visible which the lab needs
# (results/keep, a path a line), and starts the scenario. RELEASE "none": everything is built in.
# virtio-iommu's module, where the kernel has one, is loaded only on a machine with such an IOMMU:
# no device behind it is probed before.
set -euo pipefail

kdir=$1 release=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{bin,dev,proc,sys,newroot,results,hold,modules,virtio-iommu}
cp "$(command -v busybox)" "$work/bin/busybox"

# unpack FOLDER MODULE...: the modules and what they need, in the order of their loading
unpack() {
	local folder=$1 m f to n=0
	shift
	for m; do
		modprobe -d "$kdir" -S "$release" --show-depends "$m"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/list"
	while read -r f; do
		n=$((n + 1))
		to=$folder/$(printf %02d "$n")-$(basename "$f")
		case $f in
		*.xz) xz -dc "$f" >"${to%.xz}" ;;
		*.zst) zstd -qdc "$f" >"${to%.zst}" ;;
		*) cp "$f" "$to" ;;
		esac
	done <"$work/list"
	rm "$work/list"
}

if [ "$release" != none ]; then
	unpack "$work/modules" virtio_pci 9pnet_virtio 9p
	[ -z "$(find "$kdir/lib/modules/$release" -name 'virtio-iommu.ko*')" ] ||
		unpack "$work/virtio-iommu" virtio_iommu
fi

cat >"$work/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
for m in /modules/*.ko; do [ -e "$m" ] && $b insmod "$m"; done
if $b grep -qs 0x1057 /sys/bus/pci/devices/*/device; then
	for m in /virtio-iommu/*.ko; do [ -e "$m" ] && $b insmod "$m" 2>/dev/null; done
	n=0	# the kernel comes back to the devices behind it in its own time
	while [ $n -lt 100 ] && [ ! -d /sys/bus/virtio/drivers/9pnet_virtio/virtio1 ]; do
		n=$((n + 1))
		$b usleep 100000
	done
fi
o=trans=virtio,version=9p2000.L,msize=512000
$b mount -t 9p -o rw,$o results /results &&
$b mount -t 9p -o ro,$o,cache=loose root /newroot || {
	echo "lab: no 9p share"
	$b poweroff -f
}
n=0
while IFS= read -r d; do
	n=$((n + 1))
	$b mkdir /hold/$n && $b mount --bind "/newroot$d" /hold/$n
done </results/keep
for d in dev proc sys; do $b mount --move /$d /newroot/$d; done
for d in run var mnt tmp; do $b mount -t tmpfs -o mode=1777 tmpfs /newroot/$d; done
n=0
while IFS= read -r d; do
	n=$((n + 1))
	case $d in
	/run/*|/var/*|/mnt/*|/tmp/*)
		$b mkdir -p "/newroot$d"
		$b mount --move /hold/$n "/newroot$d" ;;
	*)	$b umount /hold/$n ;;
	esac
done </results/keep
$b mkdir -p /newroot/run/results
$b mount --move /results /newroot/run/results
exec $b switch_root /newroot /bin/bash /run/results/init.sh
INIT
chmod +x "$work/init"
(cd "$work" && find . | cpio -o -H newc --quiet | gzip -1) >"$out.new"
mv "$out.new" "$out"
