# SPDX-License-Identifier: GPL-2.0-or-later
# Holds what `devices[].if_assigned` forecast before the cell's VM was made ($p) against what the
# audit found after (the input): a list of checks. $without: "*" or names of VMs whose VMM has no
# kvm-vfio device, by the cell's own word.
def check(what; want; got): { expression: ("forecast: " + what), want: want, got: got,
	ok: (want == got) };
def forecast: . as $id | [$p[0].devices[]? | select(.id == $id) | .if_assigned // empty][0];
# What several devices of one VM come to, the worst first
def worst($order): . as $list | [$order[] | select(. as $v | $list | index([$v]))][0];

. as $audit
# each domain of a user's: it blocks as was said of each device in it
| [$audit.domains[] | select(.kind == "unmanaged" and (.groups | length) > 0) | . as $domain
   | .devices[] | . as $id | ($id | forecast) as $f
   | select(any($audit.groups[].members[]; .bdf == $id and .role == "vfio"))
   | check("\($id): its domain blocks No Snoop"; ($f // {}).blocks_nosnoop; $domain.enforced)]
# each device that no IOMMU stands behind
+ [$audit.vms[].paths[] | select(.device and .dma == "noiommu")
   | check("\(.device): nothing blocks No Snoop";
	   ((.device | forecast) // {}).blocks_nosnoop; .blocks_nosnoop)]
# each device that was claimed and can do no DMA: VFIO_SET_IOMMU refused it
+ [$audit.vms[].paths[] | select(.device and .dma == "none") | . as $path
   | check("\($path.device): it is refused";
	   (($path.device | forecast) // {}) | [.verdict, .step, .errno];
	   ["refused", "set_iommu", "EPERM"])]
# each VM: what KVM registered, and the verdict
+ [$audit.vms[] | . as $vm
   | [.paths[] | select(.dma == "domain" or .dma == "noiommu")
      | (.device // "" | forecast) // {}]
   | select(length > 0)
   | if ($without | index("*")) or ($without | index($vm.name)) then
	check("\($vm.name): KVM registered nothing"; 0; $vm.noncoherent_dma),
	check("\($vm.name): verdict without kvm-vfio";
	      map(.without_kvm_vfio) | worst(["unsafe", "noncoherent", "coherent"]); $vm.verdict)
     else
	check("\($vm.name): KVM registers"; any(.[]; .kvm_registers); $vm.noncoherent_dma > 0),
	check("\($vm.name): verdict";
	      map(.verdict) | worst(["refused", "unknown", "noncoherent", "coherent"]); $vm.verdict)
     end]
