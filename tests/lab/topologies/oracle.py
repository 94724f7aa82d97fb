# SPDX-License-Identifier: GPL-2.0-or-later
"""The oracle of the random topologies: what an audit must say of one.

It knows the script (topology and what became of its steps), the witness (kpeek: registrations and
the domains' flags, read from kernel memory), and what KVM did with the WBINVDs that were run. It
shares no code with nosnoop. What neither of these can tell is left out.
"""
import re


class Held:
    """What the VMs hold at the end, by the steps that succeeded."""

    def __init__(self, topology, log, group_of):
        """group_of: {BDF: group}"""
        self.vms = [s[1] for s in topology["steps"] if s[0] == "vm"]
        # of groups: who opened it or bound a device of it, and its container; and of VMs: their
        # newest container. An iommufd context is one.
        self.opened, self.container, self.containers = {}, {}, {}
        files = {}  # that were added to a KVM: (group, VM), of a group's file or a device's
        for line in log.splitlines():
            m = re.match(r"(w\d): ok ([a-z-]+)(?::(\S+))?$", line)
            if not m:
                continue
            vm, op, arg = m.groups()
            group = group_of[arg] if arg in group_of else int(arg) if (arg or "").isdigit() else None
            if op in ("container", "iommufd"):
                self.containers[vm] = arg or vm
            elif op in ("group", "bind"):
                self.opened[group] = vm
            elif op in ("set-container", "set-iommufd", "attach", "hwpt-attach"):
                self.container[group] = self.containers[vm]
            elif op == "unset-container":
                self.container.pop(group, None)
            elif op == "add":
                files[arg] = (group, vm)
            elif op == "del":
                files.pop(arg, None)
        self.added = sorted(set(files.values()))  # (group, VM)


def translating(group):
    """Whether the group is in a user's page table (1: an unmanaged domain)."""
    return group["owned"] and not group["blocking"] and group.get("type") == 1


def blocks(group):
    """Whether the domain that the group is in blocks No Snoop, by its driver's flag or format."""
    if group["driver"] == "intel":
        return bool(group["force_snooping"])
    return group["driver"] == "amd" and group["page_table"] == "v1"


def unit_can(kind, witness):
    """Whether this kind of IOMMU could block, now. Of a group in no user's page table, the kernel's
    memory does not tell the driver."""
    if kind == "intel":
        return bool(int(witness["iommus"][0]["ecap"], 16) & 0x80)
    return kind == "amd"


def would_register(vm, held, groups, can, criterion):
    """Whether KVM would find non-coherent DMA if it looked at the VM's added groups now."""
    for gid in (g for g, owner in held.added if owner == vm):
        if criterion == "capability":
            if not can:
                return True
        elif gid in held.container:  # 6.1: a group without a container counts as coherent
            mates = [groups[g] for g, k in held.container.items() if k == held.container[gid]]
            inside = [g for g in mates if translating(g)]
            if not inside or not all(map(blocks, inside)):
                return True
    return False


def verdict(paths, container, executed):
    """The contract's verdict for paths (True: blocks) and whether the VM has a container open."""
    if not paths:
        return "unattached" if container else "no_passthrough"
    if executed:
        return "noncoherent"
    return "coherent" if all(paths) else "unsafe"


def of_vm(vm, held, groups, can, flushed, criterion):
    """(verdict, guest_wbinvd, rules that fail) of one VM."""
    mine = [g for g, owner in held.opened.items() if owner == vm]
    paths = [blocks(groups[g]) for g in mine if g in held.container and translating(groups[g])]
    expected = verdict(paths, vm in held.containers, flushed)
    rules = set()
    if expected == "unsafe":
        rules.add("NS001")
    if flushed:
        rules.add("NS002")
    if True in paths and False in paths:
        rules.add("NS005")
    if flushed and paths and all(paths):
        rules.add("NS011")
    given = [blocks(groups[g]) for g, owner in held.added
             if owner == vm and g in held.container and translating(groups[g])]
    by_domains = not all(given) if criterion == "capability" and given else flushed
    if flushed != would_register(vm, held, groups, can, criterion) or flushed != by_domains:
        rules.add("NS015")
    return expected, "executed" if flushed else "ignored", rules


def domain_rules(groups, can):
    """(groups in a domain that should block and does not, groups in one that does and can't)"""
    users = [g for g in groups.values() if translating(g) and g["driver"] == "intel"]
    return {
        "NS006": sorted(g["id"] for g in users if not blocks(g) and can),
        "NS016": sorted(g["id"] for g in users if blocks(g) and not can),
    }


def rule_groups(audit, rule):
    """The groups of the domains of which the audit says that the rule fails."""
    domains = {d["id"]: d["groups"] for d in audit["domains"]}
    return sorted({g for f in audit["findings"] if f["rule"] == rule
                   for g in domains.get(f["subject"]["id"], [f["subject"]["id"]])})


def compare(topology, log, variables, witness, audit):
    """The disagreements between oracle and audit: a list of (what, expected, got)."""
    held, bad = Held(topology, log, variables["groups"]), []
    groups = {g["id"]: g for g in witness["groups"]}
    by_pid = {v["pid"]: v for v in audit["vms"]}
    registered = {v["pid"]: v["noncoherent_dma"] for v in witness["vms"]}
    criterion = "domain" if variables["release"].startswith("6.1.") else "capability"
    can = unit_can(topology["kind"], witness)
    worst = False

    def same(what, want, got):
        if want != got:
            bad.append((what, want, got))

    same("VMs", sorted(registered), sorted(by_pid))
    same("KVM's criterion", criterion, audit["host"]["kvm_criterion"])
    for name in held.vms:
        pid = variables[name]
        vm, flushes = by_pid.get(pid), variables[f"{name}_flushes"]
        if vm is None:
            continue
        same(f"{name}: WBINVD exits", 3, variables[f"{name}_exits"])
        flushed = flushes > 0
        same(f"{name}: flushes, of 3", 3 if registered[pid] else 0, flushes)
        expected, wbinvd, rules = of_vm(name, held, groups, can, flushed, criterion)
        same(f"{name}: registered", registered[pid], vm["noncoherent_dma"])
        same(f"{name}: guest_wbinvd", wbinvd, vm["guest_wbinvd"])
        same(f"{name}: verdict", expected, vm["verdict"])
        for rule in ("NS001", "NS002", "NS005", "NS011", "NS015"):
            same(f"{name}: {rule} fails", rule in rules,
                 any(f["rule"] == rule and f["subject"]["id"] in (vm["id"], vm["uuid"])
                     for f in audit["findings"]))
        worst = worst or bool(rules)
    for rule, want in domain_rules(groups, can).items():
        same(f"{rule}, groups", want, rule_groups(audit, rule))
        worst = worst or bool(want)
    for g in groups.values():
        if translating(g):
            same(f"group {g['id']}: enforced", [blocks(g)],
                 [d["enforced"] for d in audit["domains"]
                  if g["id"] in d["groups"] and d["kind"] == "unmanaged"])
    if worst:
        same("exit code", 1, audit["result"]["exit_code"])
    return bad
