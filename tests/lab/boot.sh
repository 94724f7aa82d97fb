#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# boot.sh [--results DIR] [--build DIR] [--cells GLOB] [--timeout S] KERNEL SCRIPT [QEMU-ARG...]:
# boots a kernel (a KEY of fetch-kernels.sh, or a folder laid out like its) under software
# emulation, on this host's root file system, read-only, and runs SCRIPT as its only program.
# QEMU's arguments come from the lines "# qemu: ..." in SCRIPT; "# emulator: trixie" asks for the
# QEMU of fetch-qemu.sh instead of this host's. Exit: 0 the script ended by
# itself with 0, 1 it failed, 75 can't run here, 124 no cell was finished for S seconds (240, or what
# its line "# patience: S" says).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

results='' build=$LAB_TOP/build cells='*' limit=''
while [ $# -gt 0 ]; do
	case $1 in
	--results) results=$2; shift 2 ;;
	--build) build=$2; shift 2 ;;
	--cells) cells=$2; shift 2 ;;
	--timeout) limit=$2; shift 2 ;;
	*) break ;;
	esac
done
if [ $# -lt 2 ]; then
	echo "usage: ${0##*/} [OPTION...] KERNEL SCRIPT [QEMU-ARG...]" >&2
	exit 2
fi
kernel=$1 script=$(realpath "$2")
# a script can ask for more patience: "# patience: S"
[ -n "$limit" ] || limit=$(sed -n 's/^# patience: //p' "$script")
limit=${limit:-240}
shift 2
case $kernel in
*/*) kdir=$(realpath "$kernel") ;;
*) kdir=$LAB_CACHE/kernels/$kernel ;;
esac
[ -s "$kdir/initrd.gz" ] || die "no kernel in $kdir: fetch-kernels.sh ${kernel##*/}"
need gcc
if [ "$(sed -n 's/^# emulator: //p' "$script")" = trixie ]; then
	qemu=$LAB_QEMU_DIR/qemu
	[ -x "$qemu" ] || skip "no QEMU of trixie in the cache: fetch-qemu.sh"
else
	need qemu-system-x86_64
	qemu=$(command -v qemu-system-x86_64)
fi
[ -d "$build" ] && build=$(realpath "$build")
tools=$(build_tools)

[ -n "$results" ] || results=$LAB_CACHE/results/by-hand
mkdir -p "$results"
results=$(realpath "$results")
rm -f "$results"/{done,failed,gdb.request,console.log}
for d in "$LAB_TOP" "$build" "$kdir" "$tools" "$LAB_QEMU_DIR" "$(dirname "$script")"; do
	[ ! -d "$d" ] || [ "$d" = "$LAB_DIR/boots" ] || echo "$d"
done >"$results/keep"
cat >"$results/init.sh" <<INIT
export LAB_DIR=$(printf %q "$LAB_DIR") LAB_BUILD=$(printf %q "$build")
export LAB_KDIR=$(printf %q "$kdir") LAB_TOOLS=$(printf %q "$tools")
export LAB_QEMU_DIR=$(printf %q "$LAB_QEMU_DIR")
export LAB_CELLS=$(printf %q "$cells") RESULTS=/run/results LAB_FULL=${LAB_FULL:+1}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TERM=dumb
export LC_ALL=C.UTF-8
echo lab >/proc/sys/kernel/hostname
mkdir -p /dev/pts /dev/shm
ln -s /proc/self/fd /dev/fd
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
ip link set lo up 2>/dev/null
cd /run
if bash $(printf %q "$script") >/run/results/out.log 2>&1 </dev/null; then
	echo 0 >/run/results/done
else
	echo \$? >/run/results/failed
fi
dmesg >/run/results/dmesg.log
busybox sync
busybox poweroff -f
INIT

# QEMU's own way to write a comma in a value
comma() { printf %s "${1//,/,,}"; }

run=$(mktemp -d)
qemu_pid=
cleanup() {
	[ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null || :
	rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

mapfile -t lines < <(sed -n 's/^# qemu: //p' "$script")
read -ra from_script <<<"${lines[*]:-}"
append=$(sed -n 's/^# append: //p' "$script" | tr '\n' ' ')

# One host thread for all virtual CPUs: with more, emulation races with the kernel's patching
# of its own code. On a busy host the timer may seem dead for a while: no_timer_check.
"$qemu" -accel tcg,thread=single -cpu max -smp 2 -m 3G \
	-machine q35,kernel-irqchip=off -nodefaults -no-user-config -display none -no-reboot \
	-serial "file:$(comma "$results/console.log")" \
	-chardev "socket,path=$run/gdb,server=on,wait=off,id=gdb" -gdb chardev:gdb \
	-kernel "$kdir/vmlinuz" -initrd "$kdir/initrd.gz" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check nowatchdog $append" \
	"${from_script[@]}" \
	-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap" \
	-device virtio-9p-pci,fsdev=root,mount_tag=root,addr=0x1c \
	-fsdev "local,id=results,path=$(comma "$results"),security_model=none" \
	-device virtio-9p-pci,fsdev=results,mount_tag=results,addr=0x1d \
	"$@" </dev/null >"$results/qemu.log" 2>&1 &
qemu_pid=$!

end=$((SECONDS + limit)) finished=0
while kill -0 "$qemu_pid" 2>/dev/null; do
	if [ -e "$results/gdb.request" ]; then
		read -r address bytes <"$results/gdb.request"
		rm "$results/gdb.request"
		if "$tools/gdbpoke" "$run/gdb" "$address" "$bytes" >&2; then
			: >"$results/gdb.done"
		fi
	fi
	cells_done=("$results"/*/done)
	if [ "${#cells_done[@]}" -ne "$finished" ]; then
		finished=${#cells_done[@]} end=$((SECONDS + limit))
	elif [ "$SECONDS" -ge "$end" ]; then
		say "${kernel##*/} ${script##*/}: nothing came of it for $limit s"
		exit 124
	fi
	sleep 0.1
done
wait "$qemu_pid" || say "QEMU: $(tail -n 3 "$results/qemu.log")"
qemu_pid=
[ -e "$results/done" ] || exit 1
