// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * probes.c - the names that nosnoop needs from a kernel. Floor 2.
 */
#include "probes.h"

#include <string.h>

#include "util.h"

const struct nsn_module_row nsn_module_rows[] = {
	{ .name = "vmlinux", .gives = "everything that is read from the kernel", .part = true },
	{ .name = "kvm",
	  .gives = "vms[] and all that KVM knows of them",
	  .functions = { "kvm_vm_ioctl", "kvm_put_kvm", "kvm_vm_release" } },
	{ .name = "kvm_amd",
	  .gives = "host.wbinvd_exiting on AMD",
	  .optional = true,
	  .functions = { "svm_has_wbinvd_exit", "svm_vcpu_run" } },
	{ .name = "kvm_intel",
	  .gives = "host.wbinvd_exiting on Intel",
	  .optional = true,
	  .functions = { "cpu_has_vmx_wbinvd_exit", "vmx_vcpu_run" } },
	{ .name = "vfio",
	  .gives = "containers[], and which VM has which group",
	  .functions = { "vfio_register_group_dev", "vfio_group_fops_release" } },
	{ .name = "vfio_iommu_type1",
	  .gives = "the domains and groups of containers, domains[].coherency.vfio_flag",
	  .functions = { "vfio_iommu_type1_attach_group", "vfio_iommu_type1_ioctl" } },
	{ .name = "iommufd",
	  .gives = "containers[] of kind iommufd",
	  .optional = true,
	  .functions = { "iommufd_fops_release", "iommufd_ctx_get" } },
	{ .name = "vhost_vdpa",
	  .gives = "containers[] of kind vdpa",
	  .optional = true,
	  .functions = { "vhost_vdpa_release", "vhost_vdpa_open" } },
	{ .name = "iommu",
	  .gives = "groups[], domains[]",
	  .part = true,
	  .functions = { "iommu_attach_group", "iommu_group_get", "iommu_domain_free" } },
	{ .name = "intel_iommu",
	  .gives = "what Intel's IOMMU driver knows of domains and devices",
	  .part = true,
	  .optional = true,
	  .functions = { "intel_iommu_attach_device", "intel_iommu_probe_device",
			 "intel_iommu_capable" } },
	{ .name = "amd_iommu",
	  .gives = "what AMD's IOMMU driver knows of domains",
	  .part = true,
	  .optional = true,
	  .functions = { "amd_iommu_attach_device", "amd_iommu_probe_device",
			 "amd_iommu_capable" } },
	{ .name = "pci",
	  .gives = "what PCI drivers say of DMA",
	  .part = true,
	  .functions = { "__pci_register_driver", "pci_unregister_driver" } },
};

const size_t nsn_module_rows_count = NSN_ARRAY_SIZE(nsn_module_rows);

const struct nsn_module_row *nsn_module_row__find(const char *name)
{
	for (size_t i = 0; i < nsn_module_rows_count; i++)
		if (strcmp(nsn_module_rows[i].name, name) == 0)
			return &nsn_module_rows[i];
	return NULL;
}

#define FUNCTION(id, symbol, from, what)                                                           \
	[NSN_SYM_##id] = { .name = symbol, .module = from, .data = false, .gives = what }
#define VARIABLE(id, symbol, from, what)                                                           \
	[NSN_SYM_##id] = { .name = symbol, .module = from, .data = true, .gives = what }

const struct nsn_symbol_row nsn_symbol_rows[NSN_SYM_MAX] = {
	FUNCTION(KVM_VM_RELEASE, "kvm_vm_release", "kvm", "which descriptors hold a VM"),
	FUNCTION(KVM_VCPU_RELEASE, "kvm_vcpu_release", "kvm", "which descriptors hold a vCPU"),
	FUNCTION(VFIO_CONTAINER_RELEASE, "vfio_fops_release", "vfio",
		 "which descriptors hold a container"),
	FUNCTION(VFIO_GROUP_RELEASE, "vfio_group_fops_release", "vfio",
		 "which descriptors hold a VFIO group"),
	FUNCTION(VFIO_DEVICE_RELEASE, "vfio_device_fops_release", "vfio",
		 "which descriptors hold a VFIO device"),
	FUNCTION(IOMMUFD_RELEASE, "iommufd_fops_release", "iommufd",
		 "which descriptors hold an iommufd context"),
	FUNCTION(VDPA_RELEASE, "vhost_vdpa_release", "vhost_vdpa",
		 "which descriptors hold a vDPA device"),
	VARIABLE(VM_LIST, "vm_list", "kvm", "VMs that no descriptor holds any more"),
	VARIABLE(GROUP_KSET, "iommu_group_kset", "vmlinux",
		 "containers that no descriptor holds any more; groups that nobody opened"),
	VARIABLE(IRQ_REMAPPING, "irq_remapping_enabled", "vmlinux",
		 "whether interrupts are really remapped"),
	VARIABLE(KVM_OPS, "kvm_x86_ops", "kvm", "whether guest WBINVD exits to KVM"),
	FUNCTION(SVM_WBINVD_EXIT, "svm_has_wbinvd_exit", "kvm_amd",
		 "whether guest WBINVD exits to KVM on AMD"),
	FUNCTION(VMX_WBINVD_EXIT, "cpu_has_vmx_wbinvd_exit", "kvm_intel",
		 "whether guest WBINVD exits to KVM on Intel"),
	FUNCTION(TYPE1_ATTACH, "vfio_iommu_type1_attach_group", "vfio_iommu_type1",
		 "whether containers with domains can exist"),
	VARIABLE(KVM_CAPS, "kvm_caps", "kvm", "which quirks of memory types KVM has"),
	VARIABLE(VMCS_CONFIG, "vmcs_config", "kvm_intel",
		 "whether guest WBINVD exits to KVM on Intel"),
};

#define EVENT(NAME) (1ULL << NSN_EVENT_##NAME)
#define PROBE(id, shows, part, where, of, what, ...)                                               \
	{                                                                                          \
		.name = id, .events = shows, .module = part, .points = NSN_PROBE_##where,          \
		.feature = of, .gives = what, .alternatives = {                                    \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

const struct nsn_probe_row nsn_probe_rows[] = {
	/* KVM */
	PROBE("vm_create", EVENT(VM_CREATE), "kvm", EXIT, "vm",
	      "vm_create: counters of a new VM start at zero", "kvm_arch_init_vm"),
	PROBE("vm_destroy", EVENT(VM_DESTROY), "kvm", ENTRY, "vm",
	      "vm_destroy: the last counts of a VM", "kvm_destroy_vm"),
	PROBE("wbinvd", 0, "kvm", BOTH, "wbinvd",
	      "wbinvd: exits, executed, ignored, durations; NS003", "kvm_emulate_wbinvd"),
	PROBE("wbinvd_emulated", 0, "kvm", BOTH, "wbinvd",
	      "wbinvd: those that KVM's instruction emulator meets", "emulator_wbinvd"),
	PROBE("kvm_register", EVENT(KVM_REGISTER), "kvm", EXIT, "registration",
	      "kvm_register: a VM turns non-coherent", "kvm_arch_register_noncoherent_dma"),
	PROBE("kvm_unregister", EVENT(KVM_UNREGISTER), "kvm", EXIT, "registration",
	      "kvm_unregister: a VM turns coherent", "kvm_arch_unregister_noncoherent_dma"),
	PROBE("kvm_coherency", 0, "kvm", EXIT, "registration",
	      "why a registration changed, or did not", "kvm_vfio_update_coherency"),
	PROBE("kvm_file", EVENT(KVM_FILE_ADD) | EVENT(KVM_FILE_DEL), "kvm", BOTH, "files",
	      "kvm_file_add, kvm_file_del", "kvm_vfio_set_attr"),

	/* VFIO */
	PROBE("device_register", EVENT(DEVICE_REGISTER), "vfio", EXIT, "device_register",
	      "device_register, device_refused; NS008", "vfio_register_group_dev"),
	PROBE("device_open", EVENT(DEVICE_OPEN), "vfio", EXIT, "device_open", "device_open",
	      "vfio_df_open", "vfio_device_assign_container"),
	PROBE("device_close", EVENT(DEVICE_CLOSE), "vfio", ENTRY, "device_open", "device_close",
	      "vfio_df_close", "vfio_device_fops_release"),
	PROBE("container_open", EVENT(CONTAINER_OPEN), "vfio", EXIT, "container", "container_open",
	      "vfio_fops_open"),
	PROBE("container_close", EVENT(CONTAINER_CLOSE), "vfio", ENTRY, "container",
	      "container_close", "vfio_fops_release"),
	PROBE("iommufd_open", 0, "iommufd", EXIT, "container",
	      "container_open: contexts of iommufd", "iommufd_fops_open"),
	PROBE("iommufd_close", 0, "iommufd", ENTRY, "container",
	      "container_close: contexts of iommufd", "iommufd_fops_release"),
	PROBE("container_set_group", EVENT(CONTAINER_SET_GROUP), "vfio", EXIT, "container",
	      "container_set_group", "vfio_container_attach_group"),
	PROBE("container_set_iommu", EVENT(CONTAINER_SET_IOMMU), "vfio_iommu_type1", EXIT,
	      "container", "container_set_iommu", "vfio_iommu_type1_open"),
	PROBE("group_attach", EVENT(GROUP_ATTACH), "vfio_iommu_type1", BOTH, "attach",
	      "group_attach: a group's final domain and what it enforces; refusals",
	      "vfio_iommu_type1_attach_group"),
	PROBE("group_detach", EVENT(GROUP_DETACH), "vfio_iommu_type1", BOTH, "attach",
	      "group_detach", "vfio_iommu_type1_detach_group"),

	/* IOMMU core */
	PROBE("domain_attach", 0, "iommu", EXIT, "domain",
	      "group_attach: each try, and those of iommufd",
	      "iommu_attach_group iommu_attach_group_handle iommu_replace_group_handle",
	      "iommu_attach_group"),
	PROBE("domain_detach", 0, "iommu", EXIT, "domain", "group_detach: those of iommufd too",
	      "iommu_detach_group iommu_detach_group_handle", "iommu_detach_group"),
	PROBE("domain_alloc", EVENT(DOMAIN_ALLOC), "iommu", EXIT, "domain", "domain_alloc",
	      "iommu_paging_domain_alloc_flags", "iommu_paging_domain_alloc iommu_domain_alloc",
	      "iommu_domain_alloc"),
	/* of vmlinux, but mostly iommufd's: a kernel without both misses nothing */
	PROBE("pasid_attach", 0, "iommufd", EXIT, "domain", "group_attach: those of a PASID alone",
	      "iommu_attach_device_pasid iommu_replace_device_pasid", "iommu_attach_device_pasid"),
	PROBE("pasid_detach", 0, "iommufd", EXIT, "domain", "group_detach: those of a PASID alone",
	      "iommu_detach_device_pasid"),
	PROBE("hwpt_alloc", 0, "iommufd", BOTH, "domain", "domain_alloc: page tables of iommufd",
	      "iommufd_hwpt_paging_alloc"),
	PROBE("domain_free", EVENT(DOMAIN_FREE), "iommu", ENTRY, "domain", "domain_free",
	      "iommu_domain_free"),
	PROBE("dma_owner_claim", EVENT(DMA_OWNER_CLAIM), "iommu", EXIT, "dma_owner",
	      "dma_owner_claim: who was refused",
	      "iommu_group_claim_dma_owner iommu_device_claim_dma_owner",
	      "iommu_group_claim_dma_owner"),
	PROBE("dma_owner_release", EVENT(DMA_OWNER_RELEASE), "iommu", ENTRY, "dma_owner",
	      "dma_owner_release", "iommu_group_release_dma_owner iommu_device_release_dma_owner",
	      "iommu_group_release_dma_owner"),

	/* IOMMU drivers */
	PROBE("enforce_intel", 0, "intel_iommu", BOTH, "enforce",
	      "enforce: what Intel's driver answered; NS009",
	      "intel_iommu_enforce_cache_coherency_fs intel_iommu_enforce_cache_coherency_ss",
	      "intel_iommu_enforce_cache_coherency"),
	PROBE("enforce_amd", 0, "amd_iommu", BOTH, "enforce", "enforce: what AMD's driver answered",
	      "amd_iommu_enforce_cache_coherency"),

	/* who flushes the host's caches */
	PROBE("host_flush", 0, "vmlinux", ENTRY, "host_flush",
	      "host_flush: nosnoop_host_cache_flushes_total",
	      "wbinvd_on_all_cpus wbnoinvd_on_all_cpus wbnoinvd_on_cpus_mask",
	      "wbinvd_on_all_cpus"),
	/* KVM flushes by the first since 6.17; before, by a handler of its own */
	PROBE("guest_flush", 0, "kvm", ENTRY, "host_flush",
	      "wbinvd: executed or ignored, where that changes meanwhile; host_flush: KVM's",
	      "wbinvd_on_cpus_mask", "wbinvd_ipi"),
};

const size_t nsn_probe_rows_count = NSN_ARRAY_SIZE(nsn_probe_rows);

/* clang-format off */
#define KVM(function, program) { function, NSN_OBJECT_KVM_EVENTS, program }
#define KVM_VFIO(function, program) { function, NSN_OBJECT_KVM_VFIO_EVENTS, program }
#define VFIO(function, program) { function, NSN_OBJECT_VFIO_EVENTS, program }
#define TYPE1(function, program) { function, NSN_OBJECT_TYPE1_EVENTS, program }
#define IOMMU(function, program) { function, NSN_OBJECT_IOMMU_EVENTS, program }
#define IOMMUFD(function, program) { function, NSN_OBJECT_IOMMUFD_EVENTS, program }
/* clang-format on */

const struct nsn_program_row nsn_function_rows[] = {
	KVM("kvm_arch_init_vm", "vm_create"),
	KVM("kvm_destroy_vm", "vm_destroy"),
	KVM("kvm_emulate_wbinvd", "wbinvd"),
	KVM("emulator_wbinvd", "wbinvd_emulated"),
	KVM("wbinvd_on_cpus_mask", "flush_mask"),
	KVM("wbinvd_ipi", "flush_guest"),
	KVM("kvm_arch_register_noncoherent_dma", "kvm_register"),
	KVM("kvm_arch_unregister_noncoherent_dma", "kvm_unregister"),
	KVM_VFIO("kvm_vfio_update_coherency", "kvm_coherency"),
	KVM_VFIO("kvm_vfio_set_attr", "kvm_file"),

	VFIO("vfio_register_group_dev", "device_register"),
	VFIO("vfio_df_open", "device_file_open"),
	VFIO("vfio_device_assign_container", "device_open"),
	VFIO("vfio_df_close", "device_file_close"),
	VFIO("vfio_device_fops_release", "device_release"),
	VFIO("vfio_fops_open", "container_open"),
	VFIO("vfio_fops_release", "container_close"),
	VFIO("vfio_container_attach_group", "container_set_group"),

	TYPE1("vfio_iommu_type1_open", "container_set_iommu"),
	TYPE1("vfio_iommu_type1_attach_group", "type1_attach"),
	TYPE1("vfio_iommu_type1_detach_group", "type1_detach"),

	IOMMU("iommu_attach_group", "attach"),
	IOMMU("iommu_attach_group_handle", "attach_handle"),
	IOMMU("iommu_replace_group_handle", "replace"),
	IOMMU("iommu_detach_group", "detach"),
	IOMMU("iommu_detach_group_handle", "detach_handle"),
	IOMMU("iommu_paging_domain_alloc_flags", "domain_alloc_flags"),
	IOMMU("iommu_paging_domain_alloc", "domain_alloc"),
	IOMMU("iommu_domain_alloc", "domain_alloc_bus"),
	IOMMUFD("iommu_attach_device_pasid", "pasid_attach"),
	IOMMUFD("iommu_replace_device_pasid", "pasid_replace"),
	IOMMUFD("iommu_detach_device_pasid", "pasid_detach"),
	IOMMUFD("iommufd_hwpt_paging_alloc", "hwpt_alloc"),
	IOMMU("iommu_domain_free", "domain_free"),
	IOMMUFD("iommufd_fops_open", "iommufd_open"),
	IOMMUFD("iommufd_fops_release", "iommufd_close"),
	IOMMU("iommu_group_claim_dma_owner", "claim"),
	IOMMU("iommu_device_claim_dma_owner", "claim_device"),
	IOMMU("iommu_group_release_dma_owner", "release"),
	IOMMU("iommu_device_release_dma_owner", "release_device"),
	IOMMU("intel_iommu_enforce_cache_coherency", "enforce"),
	IOMMU("intel_iommu_enforce_cache_coherency_fs", "enforce"),
	IOMMU("intel_iommu_enforce_cache_coherency_ss", "enforce_second"),
	IOMMU("amd_iommu_enforce_cache_coherency", "enforce_amd"),
	IOMMU("wbinvd_on_all_cpus", "flush_all"),
	IOMMU("wbnoinvd_on_all_cpus", "flush_all_noinvd"),
	IOMMU("wbnoinvd_on_cpus_mask", "flush_mask_noinvd"),
};

const size_t nsn_function_rows_count = NSN_ARRAY_SIZE(nsn_function_rows);

const struct nsn_program_row *nsn_program_of(const char *function)
{
	for (size_t i = 0; i < nsn_function_rows_count; i++)
		if (strcmp(nsn_function_rows[i].function, function) == 0)
			return &nsn_function_rows[i];
	return NULL;
}

const struct nsn_probe_row *nsn_probe_row__find(const char *name)
{
	for (size_t i = 0; i < nsn_probe_rows_count; i++)
		if (strcmp(nsn_probe_rows[i].name, name) == 0)
			return &nsn_probe_rows[i];
	return NULL;
}

bool nsn_probe__is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == length && strncmp(at, name, length) == 0)
			return true;
	return false;
}

const char *nsn_probe__not_one(const char *list, char *out, size_t size)
{
	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') {
		size_t length = strcspn(at, ",");

		if (length >= size)
			length = size - 1;
		memcpy(out, at, length);
		out[length] = '\0';
		if (!nsn_probe_row__find(out))
			return out;
	}
	return NULL;
}

bool nsn_next_word(const char **list, char *word, size_t size)
{
	size_t length;

	*list += strspn(*list, " ");
	length = strcspn(*list, " ");
	if (!length || length >= size)
		return false;
	memcpy(word, *list, length);
	word[length] = '\0';
	*list += length;
	return true;
}

static bool all_offered(const char *functions, const struct nsn_probe_kernel *kernel, bool btf)
{
	char function[NSN_SYMBOL_LEN];

	while (nsn_next_word(&functions, function, sizeof(function)))
		if (!kernel->has_symbol(kernel->context, function) ||
		    (btf && !kernel->has_btf(kernel->context, function)))
			return false;
	return true;
}

enum nsn_probe_method nsn_probe__choose(const struct nsn_probe_row *row,
					const struct nsn_probe_kernel *kernel,
					const char **alternative)
{
	const bool usable[] = {
		[NSN_PROBE_FENTRY] = kernel->fentry, [NSN_PROBE_KPROBE] = kernel->kprobe
	};

	for (int method = 0; method < NSN_PROBE_NONE; method++) {
		for (size_t i = 0; usable[method] && i < NSN_PROBE_ALTERNATIVES; i++) {
			*alternative = row->alternatives[i];
			if (*alternative &&
			    all_offered(*alternative, kernel, method == NSN_PROBE_FENTRY))
				return method;
		}
	}
	*alternative = NULL;
	return NSN_PROBE_NONE;
}

void nsn_iommu_driver_name(const char *symbol, char *out, size_t size)
{
	static const struct {
		const char *prefix, *name;
	} drivers[] = {
		{ "intel_", "intel" }, { "amd_", "amd" },   { "viommu_", "virtio" },
		{ "identity_", "" },   { "blocking_", "" },
	};
	size_t length = strcspn(symbol, "_ ");

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (strncmp(symbol, drivers[i].prefix, strlen(drivers[i].prefix)))
			continue;
		nsn_format(out, size, "%s", drivers[i].name);
		return;
	}
	if (length >= size)
		length = size - 1;
	memmove(out, symbol, length);
	out[length] = '\0';
}

/* By 6.18: one enforce function for each stage. */
int nsn_page_table_of_op(const char *symbol)
{
	if (strcmp(symbol, "intel_iommu_enforce_cache_coherency_fs") == 0)
		return NSN_PT_FIRST_STAGE;
	if (strcmp(symbol, "intel_iommu_enforce_cache_coherency_ss") == 0)
		return NSN_PT_SECOND_STAGE;
	return -1;
}
