// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * accessors.c - what nosnoop reads of a kernel, as tables. Floor 2.
 */
#include "accessors.h"

#include "util.h"

/* A row: the accessor, its part of the kernel, the facts, the alternatives. */
#define ROW(accessor, part, facts, ...)                                                            \
	{                                                                                          \
		.name = #accessor, .module = part, .gives = facts, .alternatives = { __VA_ARGS__ } \
	}
/* The same with what the absence means, or what would help. */
#define ROW_WITHOUT(accessor, part, facts, absence, ...)                                           \
	{                                                                                          \
		.name = #accessor, .module = part, .gives = facts,                                 \
		.alternatives = { __VA_ARGS__ }, .without = absence                                \
	}
#define ROW_REMEDY(accessor, part, facts, help, ...)                                               \
	{                                                                                          \
		.name = #accessor, .module = part, .gives = facts,                                 \
		.alternatives = { __VA_ARGS__ }, .remedy = help                                    \
	}

#define SINCE_5_19 "Linux 5.19 or later, where drivers can be asked to enforce cache coherency"

const struct nsn_accessor_row nsn_accessor_rows[] = {
	/* registers */
	ROW(nsn_regs_argument, "vmlinux", "events by kprobes", "pt_regs.di pt_regs.si pt_regs.dx"),
	ROW(nsn_regs_result, "vmlinux", "results of events by kretprobes", "pt_regs.ax"),

	/* files */
	ROW(nsn_file_release, "vmlinux", "which descriptors hold VMs, containers, groups, devices",
	    "file.f_op file_operations.release"),
	ROW(nsn_file_private, "vmlinux", "which descriptors hold VMs, containers, groups, devices",
	    "file.private_data"),
	ROW(nsn_vcpu_vm, "kvm", "vms[] of which only a vCPU's descriptor is left", "kvm_vcpu.kvm"),
	ROW(nsn_file_vfio_device, "vfio", "groups[].opened_by, vms[].devices",
	    "file.private_data vfio_device_file.device",
	    "file.private_data vfio_device !vfio_device_file"),
	ROW(nsn_file_iommufd, "vfio", "devices bound to containers[] of kind iommufd",
	    "file.private_data vfio_device_file.iommufd", "vfio_device !vfio_device_file"),
	ROW(nsn_task_file, "vmlinux", "the group of kvm_file_add and kvm_file_del",
	    "task_struct.files files_struct.fdt fdtable.fd fdtable.max_fds"),

	/* KVM */
	ROW(nsn_vm_mm, "kvm", "vms[].links by same_mm", "kvm.mm"),
	ROW(nsn_vm_creator, "kvm", "vms[].pid where the process has exited", "kvm.userspace_pid"),
	ROW_REMEDY(nsn_vm_owner, "kvm", "vms[].pid, comm and names of VMs no descriptor shows",
		   "a kernel with CONFIG_MEMCG=y, where an mm knows its process",
		   "kvm.mm mm_struct.owner"),
	ROW(nsn_task_pid, "vmlinux", "vms[].pid", "task_struct.tgid"),
	ROW(nsn_task_start, "vmlinux", "vms[].started_at, vms[].id",
	    "task_struct.group_leader task_struct.start_boottime"),
	ROW(nsn_task_comm, "vmlinux", "vms[].comm", "task_struct.group_leader task_struct.comm"),
	ROW(nsn_task_mm, "vmlinux", "vms[].links by same_process", "task_struct.mm"),
	ROW(nsn_vm_vcpus, "kvm", "vms[].vcpus", "kvm.created_vcpus"),
	ROW(nsn_vm_noncoherent_dma, "kvm", "vms[].noncoherent_dma, guest_wbinvd, verdict",
	    "kvm.arch.noncoherent_dma_count.counter"),
	ROW(nsn_has_vm_type, "kvm", "not_applicable[]: vms.vm_type", "kvm.arch.vm_type"),
	ROW_WITHOUT(nsn_vm_type, "kvm", "vms[].vm_type",
		    "VMs have no type on x86 before Linux 6.8 (89ea60c2c7b5)", "kvm.arch.vm_type"),
	ROW(nsn_vm_quirks_disabled, "kvm", "whether KVM honours the guest's memory types",
	    "kvm.arch.disabled_quirks"),
	ROW(nsn_vm_debugfs, "kvm", "which is which of several vms[] of one process",
	    "kvm.debugfs_dentry dentry.d_name.name"),
	ROW(nsn_vm_is_listed, "kvm", "vms[]: that a VM was alive when it was read",
	    "kvm.vm_list"),
	ROW(nsn_vm_devices, "kvm", "vms[].links by kvm_vfio", "kvm.devices"),
	ROW(nsn_kvm_device_is_vfio, "kvm", "vms[].links by kvm_vfio",
	    "kvm_device.ops kvm_device_ops.name"),
	ROW(nsn_kvm_device_vfio, "kvm", "vms[].links by kvm_vfio", "kvm_device.private"),
	ROW(nsn_kvm_vfio_noncoherent, "kvm", "rule NS015: what kvm-vfio found",
	    "kvm_vfio.noncoherent"),
	ROW(nsn_kvm_vfio_files, "kvm", "vms[].links by kvm_vfio", "kvm_vfio.file_list",
	    "kvm_vfio.group_list"),
	ROW(nsn_kvm_vfio_file, "kvm", "vms[].links by kvm_vfio",
	    "kvm_vfio_file.node kvm_vfio_file.file", "kvm_vfio_group.node kvm_vfio_group.file"),
	ROW(nsn_kvm_device_vm, "kvm", "the VM of kvm_file_add and kvm_file_del", "kvm_device.kvm"),
	ROW(nsn_kvm_vfio_attr, "kvm", "kvm_file_add and kvm_file_del",
	    "kvm_device_attr.group kvm_device_attr.attr kvm_device_attr.addr"),
	ROW(nsn_emulator_vcpu, "kvm", "WBINVDs that KVM's instruction emulator meets",
	    "x86_emulate_ctxt.vcpu"),
	ROW(nsn_wbinvd_exiting, "kvm", "host.wbinvd_exiting, vms[].guest_wbinvd",
	    "kvm_x86_ops.has_wbinvd_exit kvm_intel:vmcs_config.cpu_based_2nd_exec_ctrl",
	    "!kvm_x86_ops kvm_intel:vmcs_config.cpu_based_2nd_exec_ctrl"),
	ROW(nsn_criterion_capability, "iommu", "host.kvm_criterion",
	    "iommu_cap.IOMMU_CAP_ENFORCE_CACHE_COHERENCY", "iommu_cap"),

	/* VFIO */
	ROW(nsn_vfio_group_iommu_group, "vfio", "which group a VFIO group is for",
	    "vfio_group.iommu_group"),
	ROW(nsn_vfio_group_container, "vfio", "vms[].containers, containers[] by their groups",
	    "vfio_group.container", "vfio_group"),
	ROW(nsn_vfio_group_vm, "vfio", "which VM a group was given to", "vfio_group.kvm"),
	ROW(nsn_vfio_group_iommufd, "vfio", "groups in containers[] of kind iommufd",
	    "vfio_group.iommufd", "vfio_group"),
	ROW(nsn_vfio_group_type, "vfio", "paths[].dma: emulated, noiommu", "vfio_group.type"),
	ROW(nsn_vfio_group_opened, "vfio", "groups[].opened_by, rule NS007",
	    "vfio_group.opened_file"),
	ROW(nsn_vfio_group_devices, "vfio", "vms[].devices, groups[].residual",
	    "vfio_group.device_list"),
	ROW(nsn_vfio_group_device, "vfio", "vms[].devices, groups[].residual",
	    "vfio_device.group_next"),
	ROW(nsn_vfio_device_group, "vfio", "groups of devices", "vfio_device.group"),
	ROW(nsn_vfio_device_vm, "vfio", "which VM a device was given to", "vfio_device.kvm"),
	ROW(nsn_vfio_device_open_count, "vfio", "groups[].residual", "vfio_device.open_count"),
	ROW(nsn_vfio_device_parent, "vfio", "which device a VFIO device is", "vfio_device.dev"),
	ROW_WITHOUT(nsn_device_file_device, "vfio", "the device of device_open and device_close",
		    "before Linux 6.4 (b1a5959c69b2) a device's functions are given the device",
		    "vfio_device_file.device"),
	ROW(nsn_container_driver, "vfio", "containers[].kind",
	    "vfio_container.iommu_driver vfio_iommu_driver.ops vfio_iommu_driver_ops.name"),
	ROW(nsn_container_noiommu, "vfio", "paths[].dma: noiommu, rule NS013",
	    "vfio_container.noiommu"),
	ROW(nsn_container_type1, "vfio", "containers[].domains, vms[].paths",
	    "vfio_container.iommu_data"),
	ROW(nsn_type1_mm, "vfio_iommu_type1", "vms[].links by same_mm",
	    "vfio_iommu.dma_list.rb_node vfio_dma.node vfio_dma.mm"),
	ROW(nsn_type1_domains, "vfio_iommu_type1", "containers[].domains, vms[].paths",
	    "vfio_iommu.domain_list"),
	ROW(nsn_type1_emulated, "vfio_iommu_type1", "paths[].dma: emulated",
	    "vfio_iommu.emulated_iommu_groups"),
	ROW(nsn_type1_domain, "vfio_iommu_type1", "containers[].domains", "vfio_domain.next"),
	ROW(nsn_vfio_domain_domain, "vfio_iommu_type1", "containers[].domains",
	    "vfio_domain.domain"),
	ROW_REMEDY(nsn_vfio_domain_enforced, "vfio_iommu_type1", "domains[].coherency.vfio_flag",
		   SINCE_5_19, "vfio_domain.enforce_cache_coherency"),
	ROW(nsn_vfio_domain_groups, "vfio_iommu_type1", "domains[].groups of containers",
	    "vfio_domain.group_list"),
	ROW(nsn_type1_group_group, "vfio_iommu_type1", "domains[].groups of containers",
	    "vfio_iommu_group.next vfio_iommu_group.iommu_group"),

	/* IOMMU core and drivers */
	ROW(nsn_group_kset_list, "iommu", "groups[] that nobody opened", "kset.list"),
	ROW(nsn_kset_group, "iommu", "groups[] that nobody opened",
	    "kobject.entry iommu_group.kobj"),
	ROW(nsn_group_id, "iommu", "groups[].id", "iommu_group.id"),
	ROW(nsn_group_domain, "iommu", "groups[].domain", "iommu_group.domain"),
	ROW(nsn_group_default_domain, "iommu", "domains[] of id gN/default",
	    "iommu_group.default_domain"),
	ROW_REMEDY(nsn_group_blocking, "iommu", "paths[].dma: none",
		   "Linux 5.19 or later, where a group knows its blocking domain",
		   "iommu_group.domain iommu_group.blocking_domain"),
	ROW_REMEDY(nsn_group_owner, "iommu", "groups[].owner",
		   "Linux 5.19 or later, where a group's DMA has an owner", "iommu_group.owner"),
	ROW_REMEDY(nsn_group_owner_count, "iommu", "groups[].owner",
		   "Linux 5.19 or later, where a group's DMA has an owner",
		   "iommu_group.owner_cnt"),
	ROW(nsn_group_owner_vfio, "iommu", "groups[].owner, containers[] no descriptor shows",
	    "iommu_group.owner vfio_group.iommu_group", "iommu_group.owner !vfio_group"),
	ROW(nsn_group_devices, "iommu", "groups[].devices", "iommu_group.devices"),
	ROW(nsn_group_device, "iommu", "groups[].devices", "group_device.list group_device.dev"),
	ROW(nsn_device_iommu_group, "vmlinux", "the group of device_register and device_open",
	    "device.iommu_group"),
	ROW(nsn_device_name, "vmlinux", "devices[].id", "device.kobj.name"),
	ROW(nsn_device_bus, "vmlinux", "devices[].bus", "device.bus bus_type.name"),
	ROW(nsn_device_driver, "vmlinux", "devices[].driver, groups[].viable",
	    "device.driver device_driver.name"),
	ROW_REMEDY(nsn_pci_driver_managed_dma, "pci", "groups[].viable, rule NS018",
		   "Linux 5.19 or later, where drivers say who manages their DMA",
		   "device.driver pci_driver.driver pci_driver.driver_managed_dma"),
	ROW(nsn_device_iommu_ops, "iommu", "devices[].iommu",
	    "device.iommu dev_iommu.iommu_dev iommu_device.ops"),
	ROW(nsn_iommu_ops_symbol, "iommu", "iommus[].driver as devices see it",
	    "iommu_ops.probe_device"),
	ROW(nsn_intel_unit, "intel_iommu", "iommus[].snoop_control as devices see it",
	    "device.iommu dev_iommu.priv device_domain_info.iommu intel_iommu"),
	ROW(nsn_intel_snoop_control, "intel_iommu",
	    "iommus[].snoop_control as devices see it, devices[].cap_enforce_coherency",
	    "intel_iommu.ecap"),
	ROW(nsn_intel_name, "intel_iommu", "devices[].iommu", "intel_iommu.name"),
	ROW(nsn_has_cap_enforce, "iommu", "devices[].cap_enforce_coherency",
	    "iommu_cap.IOMMU_CAP_ENFORCE_CACHE_COHERENCY", "iommu_cap"),
	ROW(nsn_domain_type, "iommu", "domains[].kind", "iommu_domain.type"),
	ROW(nsn_domain_ops, "iommu", "domains[].iommu_driver, coherency", "iommu_domain.ops"),
	ROW_REMEDY(nsn_domain_op, "iommu", "domains[].coherency.op, state", SINCE_5_19,
		   "iommu_domain_ops.enforce_cache_coherency"),
	ROW(nsn_domain_attach_op, "iommu", "domains[].iommu_driver", "iommu_domain_ops.attach_dev"),
	ROW(nsn_dmar_domain, "intel_iommu", "domains[].coherency.driver_flag, page_table",
	    "dmar_domain.domain"),
	ROW_REMEDY(nsn_intel_force_snooping, "intel_iommu", "domains[].coherency.driver_flag",
		   SINCE_5_19, "dmar_domain.force_snooping dmar_domain.domain"),
	ROW(nsn_intel_first_stage, "intel_iommu", "domains[].page_table",
	    "dmar_domain.use_first_level dmar_domain.domain",
	    "dmar_domain.flags dmar_domain.domain", "intel_iommu_enforce_cache_coherency_ss()"),
	ROW_WITHOUT(nsn_intel_has_mappings, "intel_iommu", "rule NS009: mapped before enforced",
		    "dmar_domain.has_mappings is in Linux 6.12 to 6.18 only",
		    "dmar_domain.has_mappings dmar_domain.domain"),
	ROW(nsn_amd_version, "amd_iommu", "domains[].page_table, rule NS014",
	    "protection_domain.pd_mode protection_domain.domain"
	    " protection_domain_mode.PD_MODE_V1 protection_domain_mode.PD_MODE_V2",
	    "protection_domain.flags protection_domain.domain"),
	ROW(nsn_interrupt_remapping, "vmlinux", "iommus[].interrupt_remapping", NULL),
};

const size_t nsn_accessor_rows_count = NSN_ARRAY_SIZE(nsn_accessor_rows);

const struct nsn_accessor_row nsn_program_rows[] = {
	ROW(resolve_symbols, "vmlinux", "every symbol below", NULL),
	ROW(iterate_files, "vmlinux", "which descriptors hold VMs, containers, groups, devices",
	    "bpf_iter__task_file.task bpf_iter__task_file.file bpf_iter__task_file.fd"
	    " bpf_iter__task_file.meta bpf_iter_meta.seq task_struct.tgid task_struct.pid"
	    " file.f_op file_operations.release"),
	ROW(walk_vms, "kvm", "vms[]",
	    "kvm.vm_list kvm.devices kvm_device.vm_node kvm_vfio"),
	ROW(walk_vfio_groups, "vfio", "vms[].groups", "vfio_group"),
	ROW(walk_vfio_devices, "vfio", "vms[].devices", "vfio_device"),
	ROW(walk_containers, "vfio_iommu_type1", "containers[]",
	    "vfio_container vfio_iommu vfio_domain"),
	ROW(check_type1, "vfio_iommu_type1", "containers[].domains", "vfio_iommu vfio_domain"),
	ROW(walk_groups, "iommu", "groups[]", NULL),
	ROW(walk_given_groups, "iommu", "groups[] of containers", NULL),
	ROW(walk_domains, "iommu", "domains[]", NULL),
};

const size_t nsn_program_rows_count = NSN_ARRAY_SIZE(nsn_program_rows);
