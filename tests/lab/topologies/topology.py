# SPDX-License-Identifier: GPL-2.0-or-later
"""Random topologies: what they are made of, and how one becomes a cell of the lab.

A topology is {"kind": IOMMU, "unsafe": "Y"|"N", "steps": [...]}; a step is ["vm", NAME, STEP...],
["step", NAME, STEP] (one of labvm's, with a, b, c for the groups and A to D for their devices) or
["flip", "on"|"off"]. The same seed is the same topology for ever, as long as this file does not change; with iommufd, some
VMMs use that, and it is another one.
"""
import random
import re

DEVICES = """\
# qemu: -device edu,addr=5 -device e1000e,addr=6
"""
# A group of two. Behind a virtio-iommu 7.3 gives no device a group if there is such a bridge.
BRIDGE = """\
# qemu: -device pcie-root-port,id=rp1,addr=7,chassis=1,slot=1
# qemu: -device pcie-pci-bridge,id=br1,bus=rp1,addr=0
# qemu: -device e1000,bus=br1,addr=1 -device e1000,bus=br1,addr=2
"""
KINDS = {
    "intel": """\
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=on
""" + DEVICES + BRIDGE,
    "amd": """\
# append: amd_iommu=on
# qemu: -device amd-iommu,intremap=on
""" + DEVICES + BRIDGE,
    "virtio": """\
# qemu: -device virtio-iommu-pci,addr=1
""" + DEVICES,
}
# Intel's has the most to get wrong
WEIGHTS = {"intel": 6, "amd": 2, "virtio": 2}
GROUPS = {"intel": "abc", "amd": "abc", "virtio": "ab"}
DEVICES_OF = {"a": "A", "b": "B", "c": "CD"}

SETUP = """\
# shellcheck source-path=SCRIPTDIR source=guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:05.0 B=0000:00:06.0

# setup Y|N: a, b are groups of one device, c, where there is one, has C and D behind a bridge;
# allow_unsafe_interrupts
setup() {
	[ -n "$(ls /sys/class/iommu)" ] || skip_cell "this kernel has no such IOMMU"
	local mine=("$A" "$B")
	C=$(cd /sys/bus/pci/devices && echo 0000:00:07.0/0000:*/0000:*:01.0)
	C=${C##*/} D=${C%01.0}02.0
	[ ! -e "/sys/bus/pci/devices/$C" ] || mine+=("$C" "$D")
	load_all
	bind "${mine[@]}"
	name_groups "${mine[@]}"
	var groups "{\\"$A\\":$a,\\"$B\\":$b,\\"$C\\":${c:--1},\\"$D\\":${c:--1}}"
	unsafe_interrupts "$1"
}

# try VM STEP: it may be refused; what came of it is in steps.log
try() { step "$@" || :; }

# finish VM...: looks, and then counts what a few WBINVDs of each VM do
finish() {
	local name
	audit
	for name; do
		count_wbinvd "$name" 3 "${name}_"
	done
}
"""


def vm_steps(rng, name, groups):
    """What one VMM does with its groups, in an order that is mostly right."""
    steps = []
    containers = ["k1", "k2"][: rng.choice([1, 1, 2])]
    for i, container in enumerate(containers):
        mine = groups[i :: len(containers)]
        if not mine:
            continue
        steps.append(f"container:{name}{container}")
        for j, group in enumerate(mine):
            ops = [f"group:{group}", f"set-container:{group}"]
            if j == 0 and rng.random() < 0.95:
                ops += ["set-iommu"] + (["map:64K"] if rng.random() < 0.9 else [])
            if rng.random() < 0.9:
                ops.insert(rng.randint(1, len(ops)), f"add:{group}")
            if rng.random() < 0.7:
                ops.append(f"device:{group}")
            steps += ops
        for group in mine:
            extra = rng.choice([[], [], [f"del:{group}"], [f"del:{group}", f"add:{group}"],
                                [f"unset-container:{group}"],
                                [f"unset-container:{group}", f"del:{group}"]])
            steps += extra
    return steps


def iommufd_group_steps(rng, groups):
    """The same with an iommufd context where a container would be."""
    steps = ["iommufd"]
    for group in groups:
        ops = [f"group:{group}", f"set-iommufd:{group}"]
        if rng.random() < 0.9:
            ops.insert(rng.randint(1, 2), f"add:{group}")
        if rng.random() < 0.85:
            ops.append(f"device:{group}")
        steps += ops + rng.choice([[], [], [f"del:{group}"], [f"del:{group}", f"add:{group}"]])
    return steps


def cdev_steps(rng, groups):
    """The same with the devices' own files."""
    steps = ["iommufd", "ioas-alloc"]
    for device in (d for group in groups for d in DEVICES_OF[group]):
        if device == "D" and rng.random() < 0.5:
            continue
        ops = [f"cdev:{device}", f"bind:{device}"]
        if rng.random() < 0.9:
            ops.append(f"{rng.choice(['attach'] * 4 + ['hwpt-attach'])}:{device}")
        if rng.random() < 0.9:
            ops.insert(rng.randint(1, len(ops)), f"add:{device}")
        steps += ops + (["map:64K"] if rng.random() < 0.3 else [])
        steps += rng.choice([[], [], [], [f"del:{device}"], [f"del:{device}", f"add:{device}"],
                             [f"detach:{device}"], [f"detach:{device}", f"attach:{device}"]])
    return steps


def vmm_steps(rng, name, groups, iommufd):
    style = rng.choices(["container", "group", "cdev"], [2, 3, 5])[0] if iommufd else "container"
    if style == "container" or not groups:
        return vm_steps(rng, name, groups)
    return (iommufd_group_steps if style == "group" else cdev_steps)(rng, groups)


def generate(seed, iommufd=False):
    rng = random.Random(seed)
    kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    groups = rng.sample(GROUPS[kind], rng.randint(1, len(GROUPS[kind])))
    names = ["w1", "w2"][: rng.choice([1, 1, 2])]
    starts, queues = [], {}
    for i, name in enumerate(names):
        kvm_vfio = ["kvm-vfio"] if rng.random() < 0.8 else []
        starts.append(["vm", name, "vm", *kvm_vfio, "vcpu"])
        mine = groups[i :: len(names)]
        if rng.random() < 0.1:
            mine = mine + [rng.choice(groups)]  # perhaps another VM's: EBUSY
        queues[name] = vmm_steps(rng, name, mine, iommufd)
    steps = list(starts)
    if kind == "intel" and rng.random() < 0.5:
        steps = [["flip", "off"]] + steps
    flips = rng.choice([0, 0, 1, 2]) if kind == "intel" else 0
    while any(queues.values()):
        name = rng.choice([n for n in names if queues[n]])
        steps.append(["step", name, queues[name].pop(0)])
    for _ in range(flips):
        steps.insert(rng.randint(len(starts) + 1, len(steps)), ["flip", rng.choice(["on", "off"])])
    return {"kind": kind, "unsafe": "Y" if rng.random() < 0.8 else "N", "steps": steps}


def shell(step):
    if step[0] == "vm":
        return " ".join(step)
    if step[0] == "flip":
        return f"flip {step[1]}"
    what = re.sub(r"^(device):([abc])$", lambda m: f"{m[1]}:${m[2].upper()}", step[2])
    what = re.sub(r"^(\S+):([abcABCD])$", lambda m: f"{m[1]}:${m[2]}", what)
    return f'try {step[1]} "{what}"'


def cell(name, topology):
    """The topology as a cell_NAME for a script of boots/."""
    steps = topology["steps"]
    lines = [f"setup {topology['unsafe']}"]
    if topology["kind"] == "intel":
        lines.append("flip on")
    lines += map(shell, steps)
    lines.append(" ".join(["finish"] + [s[1] for s in steps if s[0] == "vm"]))
    return f"cell_{name}() {{\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"


def script(kind, cells):
    """A whole script for boot.sh; cells is {name: topology}."""
    return (
        "#!/usr/bin/env bash\n# SPDX-License-Identifier: GPL-2.0-or-later\n"
        f"# Random topologies, made by tests/lab/topologies/run.py.\n{KINDS[kind]}{SETUP}\n"
        + "\n".join(cell(n, t) for n, t in cells.items())
        + "\nrun_cells\n"
    )
