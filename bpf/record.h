/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - the one header that BPF programs and user space share.
 *
 * Every fact about the machine, wherever it comes from, is a field of a record: BPF walks, sysfs,
 * /proc and replayed recordings all speak this language, and nothing else feeds the model.
 *
 * A record is a struct nsn_rec header and the fields of its list below. Three kinds of field exist:
 *   NUM(name)           __u64: a count, an id, a flag (0 or 1), an enum of this file
 *   KEY(name, class)    __u64: an object. In the kernel an address; the collector replaces it by a
 *                       small number of the same class before anything else sees the record, so no
 *                       address is ever printed or recorded. 0 means "no such object".
 *   STR(name, size)     char[size], NUL-terminated: valid UTF-8 once it left the collector
 *
 * nsn_rec.known has bit i set if field i of the list could be read. A field whose bit is clear has
 * no value: it is unknown, never zero.
 *
 * Floor 0: includes nothing. Kernel sources are named where the facts are read
 * (core_compat.bpf.h).
 */
#ifndef NSN_RECORD_H
#define NSN_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define NSN_NAME_LEN   32  /* driver and unit names */
#define NSN_DEVICE_LEN 40  /* BDFs, mdev uuids */
#define NSN_SYMBOL_LEN 56  /* a kernel function's name */
#define NSN_COMM_LEN   16  /* TASK_COMM_LEN */
#define NSN_DETAIL_LEN 96  /* user space only: what an event's line tells besides */
#define NSN_TEXT_LEN   256 /* user space only: guest names, cgroup paths, reasons */

/*
 * Classes of object keys. Two keys of different classes never name the same object, except that
 * NSN_CLASS_OWNER is an opaque "who claimed the DMA", compared with nothing but itself.
 */
enum nsn_class {
	NSN_CLASS_VM,          /* struct kvm */
	NSN_CLASS_MM,          /* struct mm_struct */
	NSN_CLASS_CONTAINER,   /* struct vfio_container */
	NSN_CLASS_VFIO_GROUP,  /* struct vfio_group */
	NSN_CLASS_VFIO_DEVICE, /* struct vfio_device */
	NSN_CLASS_GROUP,       /* struct iommu_group */
	NSN_CLASS_DOMAIN,      /* struct iommu_domain */
	NSN_CLASS_IOMMUFD,     /* struct iommufd_ctx */
	NSN_CLASS_VDPA,        /* struct vhost_vdpa */
	NSN_CLASS_OWNER,       /* iommu_group.owner, whatever it points to */
	NSN_CLASS_MAX,
};

/* What kind of object a file descriptor holds (NSN_REC_FILE.kind, NSN_REC_VM_FILE.kind). */
enum nsn_file_kind {
	NSN_FILE_NONE,
	NSN_FILE_VM,          /* object: VM */
	NSN_FILE_VCPU,        /* object: the vCPU's VM */
	NSN_FILE_CONTAINER,   /* object: container */
	NSN_FILE_GROUP,       /* object: VFIO group */
	NSN_FILE_VFIO_DEVICE, /* object: VFIO device */
	NSN_FILE_IOMMUFD,     /* object: iommufd context */
	NSN_FILE_VDPA,        /* object: vhost-vdpa instance */
	NSN_FILE_MAX,
};

/* struct vfio_group.type (enum vfio_group_type, 5.16 and later, same values). */
enum nsn_vfio_group_type {
	NSN_VFIO_GROUP_IOMMU = 0,
	NSN_VFIO_GROUP_EMULATED = 1,
	NSN_VFIO_GROUP_NOIOMMU = 2,
};

/* Page-table format of a domain (NSN_REC_DOMAIN.page_table). */
enum nsn_page_table {
	NSN_PT_OTHER,        /* the driver has one format, or none */
	NSN_PT_FIRST_STAGE,  /* Intel: the PASID entry carries the snoop bit */
	NSN_PT_SECOND_STAGE, /* Intel: each leaf carries it */
	NSN_PT_AMD_V1,       /* AMD: each entry carries FC, always set */
	NSN_PT_AMD_V2,       /* AMD: the format has no such bit */
};

/* Where the No Snoop bit of a device was read (NSN_REC_DEVICE.nosnoop_source). */
enum nsn_nosnoop_source {
	NSN_NOSNOOP_SELF,
	NSN_NOSNOOP_PF,          /* a VF's own bit is reserved; its PF's governs */
	NSN_NOSNOOP_NO_PCIE_CAP, /* conventional PCI: there is no such bit */
};

/* Why a group has several members (NSN_REC_SYS_GROUP.why). */
enum nsn_group_why {
	NSN_WHY_SINGLE,
	NSN_WHY_ALIAS,         /* they share a requester id behind a PCIe-to-PCI bridge */
	NSN_WHY_MULTIFUNCTION, /* functions of one device without isolation between them */
	NSN_WHY_ACS,           /* a bridge above lets them reach each other */
};

/* Lists that can be cut at a limit (NSN_REC_TRUNCATED.list). */
enum nsn_list {
	NSN_LIST_VMS,
	NSN_LIST_KVM_DEVICES,
	NSN_LIST_KVM_VFIO_FILES,
	NSN_LIST_TYPE1_DOMAINS,
	NSN_LIST_TYPE1_GROUPS,
	NSN_LIST_VFIO_DEVICES,
	NSN_LIST_GROUPS,
	NSN_LIST_GROUP_DEVICES,
	NSN_LIST_IOMMUFD_OBJECTS,
	NSN_LIST_RECORDS, /* records that no buffer had room for */
	NSN_LIST_MAX,
};

/* State of a source of facts (NSN_REC_SOURCE.state). */
enum nsn_source_state {
	NSN_SOURCE_OK,
	NSN_SOURCE_ABSENT, /* there is nothing to read: the module is not loaded. Knowledge. */
	NSN_SOURCE_FAILED, /* could not be read: everything it gives is unknown, reason says why */
};

/* Kernel symbols whose addresses the BPF programs compare or start from (names: src/probes.c). */
enum nsn_symbol {
	NSN_SYM_KVM_VM_RELEASE,
	NSN_SYM_KVM_VCPU_RELEASE,
	NSN_SYM_VFIO_CONTAINER_RELEASE,
	NSN_SYM_VFIO_GROUP_RELEASE,
	NSN_SYM_VFIO_DEVICE_RELEASE,
	NSN_SYM_IOMMUFD_RELEASE,
	NSN_SYM_VDPA_RELEASE,
	NSN_SYM_VM_LIST,
	NSN_SYM_GROUP_KSET,
	NSN_SYM_IRQ_REMAPPING,
	NSN_SYM_KVM_OPS,
	NSN_SYM_SVM_WBINVD_EXIT,
	NSN_SYM_VMX_WBINVD_EXIT,
	NSN_SYM_VMCS_CONFIG,
	NSN_SYM_TYPE1_ATTACH,
	NSN_SYM_KVM_CAPS,
	NSN_SYM_MAX,
};

/* What an event record tells of (NSN_REC_EVENT.event): E(NAME, name in the trace). */
#define NSN_EVENTS(E)                                                                              \
	E(DOMAIN_ALLOC, domain_alloc)                                                              \
	E(DOMAIN_FREE, domain_free)                                                                \
	E(GROUP_ATTACH, group_attach)                                                              \
	E(GROUP_DETACH, group_detach)                                                              \
	E(DEVICE_REGISTER, device_register)                                                        \
	E(DEVICE_REFUSED, device_refused)                                                          \
	E(DEVICE_OPEN, device_open)                                                                \
	E(DEVICE_CLOSE, device_close)                                                              \
	E(ENFORCE, enforce)                                                                        \
	E(CONTAINER_OPEN, container_open)                                                          \
	E(CONTAINER_CLOSE, container_close)                                                        \
	E(CONTAINER_SET_GROUP, container_set_group)                                                \
	E(CONTAINER_SET_IOMMU, container_set_iommu)                                                \
	E(DMA_OWNER_CLAIM, dma_owner_claim)                                                        \
	E(DMA_OWNER_RELEASE, dma_owner_release)                                                    \
	E(KVM_FILE_ADD, kvm_file_add)                                                              \
	E(KVM_FILE_DEL, kvm_file_del)                                                              \
	E(KVM_REGISTER, kvm_register)                                                              \
	E(KVM_UNREGISTER, kvm_unregister)                                                          \
	E(WBINVD, wbinvd)                                                                          \
	E(HOST_FLUSH, host_flush)                                                                  \
	E(VM_CREATE, vm_create)                                                                    \
	E(VM_DESTROY, vm_destroy)                                                                  \
	E(PROBE, probe)       /* user space only: a probe is on, or off and why */                 \
	E(LOST, lost)         /* user space only: events that no buffer had room for */            \
	E(SNAPSHOT, snapshot) /* user space only */

#define NSN_EXPAND_EVENT(NAME, name) NSN_EVENT_##NAME,
enum nsn_event { NSN_EVENTS(NSN_EXPAND_EVENT) NSN_EVENT_MAX };
#undef NSN_EXPAND_EVENT

/* Why something was refused, where it can be known (NSN_REC_EVENT.reason): E(NAME, text). */
#define NSN_REASONS(E)                                                                             \
	E(NONE, "")                                                                                \
	E(INTERRUPTS, "interrupt isolation")                                                       \
	E(NOT_COHERENT, "no cache-coherent DMA")                                                   \
	E(CANNOT_BLOCK, "the domain blocks No Snoop and the device's IOMMU cannot")                \
	E(DMA_OWNER, "DMA ownership taken by a host driver")                                       \
	E(NOT_VIABLE, "group not viable")                                                          \
	E(ELSEWHERE, "attached elsewhere")                                                         \
	E(NOOP, "noop")                                                                            \
	E(RESERVED, "reserved regions")                                                            \
	E(NO_IOMMU, "no IOMMU")                                                                    \
	E(NOIOMMU_OFF, "noiommu without the parameter")

#define NSN_EXPAND_REASON(NAME, text) NSN_REASON_##NAME,
enum nsn_reason { NSN_REASONS(NSN_EXPAND_REASON) NSN_REASON_MAX };
#undef NSN_EXPAND_REASON

/* Who flushed the host's caches (NSN_REC_EVENT.initiator). */
enum nsn_initiator {
	NSN_FLUSH_GUEST, /* KVM, on a guest's WBINVD */
	NSN_FLUSH_KVM_SEV,
	NSN_FLUSH_DRM,
	NSN_FLUSH_MEMREGION,
	NSN_FLUSH_OTHER,
	NSN_FLUSH_MAX,
};

/* Buckets of the histogram of flush times: up to 4.096 us, and each four times the one before. */
#define NSN_BUCKETS         10
#define NSN_BUCKET_FIRST_NS 4096

/* VMs that are counted at once. */
#define NSN_MAX_COUNTED_VMS 65536

/* Above so many WBINVDs a second and VM, one in NSN_SAMPLE_OF is timed. */
#define NSN_SAMPLE_ABOVE 10000
#define NSN_SAMPLE_OF    64

/* What the event programs count of a VM, by its address (map counters). */
struct nsn_counters {
	__u64 executed;
	__u64 ignored;
	__u64 elapsed_ns;           /* of executed ones whose time was taken, preemption included */
	__u64 buckets[NSN_BUCKETS]; /* how many of those took how long */
	__u64 sampled;              /* not all were timed */
	__u64 window_start;         /* ns; private to the programs */
	__u64 window_exits;
};

/* Counts that all programs share (map lost): what was lost, what was made good, and two that lose nothing. */
enum nsn_lost {
	NSN_LOST_EVENTS, /* no room for them */
	NSN_LOST_REPAIRED, /* runs of a program that the kernel left out, and that another one made good */
	NSN_LOST_GUEST_FLUSHES, /* executed WBINVDs of all VMs, those that have ended too */
	NSN_LOST_SWITCHES,      /* registrations that came or went; private to the programs */
	NSN_LOST_MAX,
};

/* A thread in a traced function (map calls). Private to the event programs. */
struct nsn_call_key {
	__u32 tid;
	__u32 call; /* which function */
};

struct nsn_call {
	__u64 entered; /* ns; 0: not in the function; 1: in it, but the time is not taken */
	__u64 args[3]; /* wbinvd: how often the VM had been switched */
	__u64 vm;      /* wbinvd: whose */
	__u64 value;   /* what the entry saw and the exit tells: wbinvd: it is executed; … */
	/* by a step within. attach: its errno; wbinvd: caches were flushed; enforce: it blocked before */
	__u64 inner;
	__u64 known; /* value is */
};

#define NSN_MAX_CALLS 65536

/* What user space tells the event programs (map settings, one entry). */
struct nsn_event_config {
	__u64 wanted;          /* bit 1 << enum nsn_event: those that may be many */
	__u64 min_duration_ns; /* of a wbinvd event */
	__u64 flush_is_seen;   /* a probe sees the flush of a guest's WBINVD */
};

/* The walks' ring buffer at first, in bytes: user space takes a larger one when it was too small. */
#ifndef NSN_RING_SIZE
#define NSN_RING_SIZE (1 << 20)
#endif

/* How many objects one run of a walk program describes (nsn_batch). */
#define NSN_BATCH 1024

/* Input of the walk programs: a list to start from, or how many of nsn_batch[] to describe. */
struct nsn_walk_args {
	__u64 head;  /* address of the list's head; 0: describe the batch */
	__u64 count; /* objects in nsn_batch[] */
	__u64 class; /* enum nsn_class: what they are, where a program knows more than one */
};

/* What a walk program returns where the types it reads are in no BTF: nothing was walked. */
#define NSN_WALK_NO_TYPES 1
/* Containers were, but nothing of type1, whose types are in none. */
#define NSN_WALK_NO_TYPE1 2

/* What resolve_symbols returns where the kernel tells us no addresses. */
#define NSN_RESOLVE_REFUSED 1

/* How NSN_REC_PROCESS.name was found. */
enum nsn_name_source {
	NSN_NAME_ARGV,
	NSN_NAME_CGROUP,
	NSN_NAME_COMM,
};

/* ---- the kernel's objects, read by BPF ---------------------------------------------------- */

/* A file descriptor that holds one of our objects. One record a descriptor, duplicates included. */
#define NSN_FIELDS_FILE(NUM, KEY, STR)                                                             \
	NUM(kind) /* enum nsn_file_kind */                                                         \
	KEY(vm, VM)                                                                                \
	KEY(container, CONTAINER)                                                                  \
	KEY(vfio_group, VFIO_GROUP)                                                                \
	KEY(vfio_device, VFIO_DEVICE)                                                              \
	KEY(iommufd, IOMMUFD)                                                                      \
	KEY(vdpa, VDPA)                                                                            \
	KEY(mm, MM)                                                                                \
	NUM(pid) /* thread group id, in the initial pid namespace */                               \
	NUM(tid)                                                                                   \
	NUM(fd)                                                                                    \
	NUM(start_ticks) /* of the thread group leader, clock ticks since boot */                  \
	STR(comm, NSN_COMM_LEN)

#define NSN_FIELDS_VM(NUM, KEY, STR)                                                               \
	KEY(vm, VM)                                                                                \
	KEY(mm, MM)                                                                                \
	NUM(creator)     /* thread that ran KVM_CREATE_VM, initial pid namespace */                \
	NUM(pid)         /* thread group that owns the VM's mm; 0: it has exited */                \
	NUM(start_ticks) /* of that thread group, clock ticks since boot */                        \
	NUM(fd)          /* descriptor number it got at its creation */                            \
	NUM(vcpus)                                                                                 \
	NUM(noncoherent_dma)      /* registrations of non-coherent DMA */                          \
	NUM(vm_type)              /* KVM_CREATE_VM's argument */                                   \
	NUM(quirks_disabled)      /* bit mask, KVM_X86_QUIRK_* */                                  \
	NUM(kvm_vfio_devices)     /* kvm-vfio devices it has */                                    \
	NUM(kvm_vfio_noncoherent) /* one of them found a non-coherent file */                      \
	NUM(complete)             /* all its lists ended at their heads */                         \
	STR(comm, NSN_COMM_LEN)                                                                    \
	STR(debugfs, NSN_NAME_LEN) /* kernel to collector only: PID-FD, which gives fd */

/* A file that a VM's kvm-vfio device was given. */
#define NSN_FIELDS_VM_FILE(NUM, KEY, STR)                                                          \
	KEY(vm, VM)                                                                                \
	NUM(kind) /* enum nsn_file_kind; NONE: a file of another kind */                           \
	KEY(vfio_group, VFIO_GROUP)                                                                \
	KEY(vfio_device, VFIO_DEVICE)                                                              \
	KEY(iommufd, IOMMUFD) /* that the device file is bound to; 0: not bound */

#define NSN_FIELDS_VFIO_GROUP(NUM, KEY, STR)                                                       \
	KEY(vfio_group, VFIO_GROUP)                                                                \
	KEY(group, GROUP)                                                                          \
	KEY(container, CONTAINER)                                                                  \
	KEY(vm, VM) /* the VM that kvm-vfio told it about */                                       \
	KEY(iommufd, IOMMUFD)                                                                      \
	NUM(group_id)                                                                              \
	NUM(type) /* enum nsn_vfio_group_type */                                                   \
	NUM(opened)                                                                                \
	NUM(devices)                                                                               \
	NUM(complete)

#define NSN_FIELDS_VFIO_DEVICE(NUM, KEY, STR)                                                      \
	KEY(vfio_device, VFIO_DEVICE)                                                              \
	KEY(vfio_group, VFIO_GROUP)                                                                \
	KEY(vm, VM)                                                                                \
	NUM(open_count)                                                                            \
	STR(name, NSN_DEVICE_LEN) /* of the parent device: a BDF, an mdev's uuid */

#define NSN_FIELDS_CONTAINER(NUM, KEY, STR)                                                        \
	KEY(container, CONTAINER)                                                                  \
	KEY(mm, MM) /* of one of its mappings; 0: it has none */                                   \
	NUM(noiommu)                                                                               \
	NUM(mapped) /* it has at least one mapping */                                              \
	NUM(domains)                                                                               \
	NUM(groups)   /* over all domains */                                                       \
	NUM(emulated) /* groups without a domain (mdev) */                                         \
	NUM(complete)                                                                              \
	STR(driver, NSN_NAME_LEN) /* "" before VFIO_SET_IOMMU */

/* struct vfio_domain: VFIO's view of a domain of a type1 container. */
#define NSN_FIELDS_TYPE1_DOMAIN(NUM, KEY, STR)                                                     \
	KEY(container, CONTAINER)                                                                  \
	KEY(domain, DOMAIN)                                                                        \
	NUM(enforced) /* vfio_domain.enforce_cache_coherency */                                    \
	NUM(groups)

/* struct vfio_iommu_group: a group of a type1 container. domain 0: emulated, it has none. */
#define NSN_FIELDS_TYPE1_GROUP(NUM, KEY, STR)                                                      \
	KEY(container, CONTAINER)                                                                  \
	KEY(domain, DOMAIN)                                                                        \
	KEY(group, GROUP)                                                                          \
	NUM(group_id)

/* struct iommufd_ctx: a context, and how many objects of each type it has. */
#define NSN_FIELDS_IOMMUFD(NUM, KEY, STR)                                                          \
	KEY(iommufd, IOMMUFD)                                                                      \
	KEY(mm, MM) /* of one of its mappings; 0: it has none */                                   \
	NUM(mapped) /* it has at least one mapping */                                              \
	NUM(devices)                                                                               \
	NUM(page_tables)                                                                           \
	NUM(accesses)                                                                              \
	NUM(address_spaces) /* IOAS */                                                             \
	NUM(complete)

/* A hardware page table of a context: iommufd's view of a domain. */
#define NSN_FIELDS_IOMMUFD_HWPT(NUM, KEY, STR)                                                     \
	KEY(iommufd, IOMMUFD)                                                                      \
	KEY(domain, DOMAIN)                                                                        \
	KEY(parent, DOMAIN) /* of a nested one: what it is nested in; else 0 */                    \
	NUM(id)             /* the number that user space knows it by */                           \
	NUM(address_space)  /* id of its IOAS; 0: nested */                                        \
	NUM(nested)                                                                                \
	NUM(enforced)  /* iommufd_hwpt_paging.enforce_cache_coherency */                           \
	NUM(automatic) /* made by an attach, and shared by later ones */

/* A device that is bound to a context. */
#define NSN_FIELDS_IOMMUFD_DEVICE(NUM, KEY, STR)                                                   \
	KEY(iommufd, IOMMUFD)                                                                      \
	KEY(domain, DOMAIN) /* that iommufd attached its group to; 0: to none */                   \
	KEY(group, GROUP)   /* 0: there is no IOMMU for it */                                      \
	NUM(id)                                                                                    \
	NUM(group_id)                                                                              \
	NUM(owner)        /* the context is the owner of the group's DMA */                        \
	NUM(must_enforce) /* page tables made for it must block No Snoop */                        \
	NUM(pasids)       /* PASIDs of its group that have a page table of their own */            \
	STR(name, NSN_DEVICE_LEN)

/* A domain that a PASID of a device's group is attached to. */
#define NSN_FIELDS_IOMMUFD_PASID(NUM, KEY, STR)                                                    \
	KEY(iommufd, IOMMUFD)                                                                      \
	KEY(domain, DOMAIN)                                                                        \
	KEY(group, GROUP)                                                                          \
	NUM(group_id)                                                                              \
	NUM(pasid)                                                                                 \
	STR(name, NSN_DEVICE_LEN) /* of the device */

/* An access of the kernel's own (an emulated device's) to a context's mappings. */
#define NSN_FIELDS_IOMMUFD_ACCESS(NUM, KEY, STR)                                                   \
	KEY(iommufd, IOMMUFD)                                                                      \
	KEY(vfio_device, VFIO_DEVICE) /* 0: it is not VFIO's */                                    \
	NUM(id)                                                                                    \
	NUM(address_space) /* id of the IOAS it is attached to; 0: to none */

/* struct vhost_vdpa: a vDPA device in a user's hands. */
#define NSN_FIELDS_VDPA(NUM, KEY, STR)                                                             \
	KEY(vdpa, VDPA)                                                                            \
	KEY(mm, MM)         /* of the user, once it is the owner; else 0 */                        \
	KEY(domain, DOMAIN) /* 0: the device does its DMA by itself */                             \
	KEY(group, GROUP)   /* of the device that does the DMA; 0: none */                         \
	NUM(group_id)                                                                              \
	NUM(mappings)                                                                              \
	STR(name, NSN_DEVICE_LEN)   /* on the vdpa bus */                                          \
	STR(device, NSN_DEVICE_LEN) /* that does the DMA: a BDF */

#define NSN_FIELDS_GROUP(NUM, KEY, STR)                                                            \
	KEY(group, GROUP)                                                                          \
	KEY(domain, DOMAIN)                                                                        \
	KEY(default_domain, DOMAIN)                                                                \
	KEY(owner, OWNER)                                                                          \
	KEY(owner_group, VFIO_GROUP) /* the owner, if it is VFIO's group for this one */           \
	NUM(group_id)                                                                              \
	NUM(owner_count)                                                                           \
	NUM(blocking) /* it sits in its blocking domain: no DMA */                                 \
	NUM(devices)                                                                               \
	NUM(complete)                                                                              \
	NUM(pasids) /* that are attached to a domain; unknown: not all were seen */

/* A PASID of a group, as the IOMMU core has it. */
#define NSN_FIELDS_GROUP_PASID(NUM, KEY, STR)                                                      \
	KEY(group, GROUP)                                                                          \
	KEY(domain, DOMAIN)                                                                        \
	NUM(group_id)                                                                              \
	NUM(pasid)

#define NSN_FIELDS_GROUP_DEVICE(NUM, KEY, STR)                                                     \
	KEY(group, GROUP)                                                                          \
	NUM(group_id)                                                                              \
	NUM(snoop_control)      /* of its IOMMU unit (Intel ECAP bit 7) */                         \
	NUM(cap_enforce)        /* IOMMU_CAP_ENFORCE_CACHE_COHERENCY */                            \
	NUM(driver_managed_dma) /* its driver lets user space own the group's DMA */               \
	STR(name, NSN_DEVICE_LEN)                                                                  \
	STR(bus, NSN_NAME_LEN)                                                                     \
	STR(driver, NSN_NAME_LEN) /* "" without one */                                             \
	STR(iommu_driver, NSN_NAME_LEN)                                                            \
	STR(iommu, NSN_NAME_LEN) /* the unit's kernel name */

#define NSN_FIELDS_DOMAIN(NUM, KEY, STR)                                                           \
	KEY(domain, DOMAIN)                                                                        \
	KEY(mm, MM)             /* SVA: whose memory it shares */                                  \
	NUM(type)               /* iommu_domain.type, __IOMMU_DOMAIN_* bits */                     \
	NUM(has_op)             /* the driver has enforce_cache_coherency */                       \
	NUM(force_snooping)     /* the driver's own flag (Intel) */                                \
	NUM(page_table)         /* enum nsn_page_table */                                          \
	NUM(mapped)             /* the driver saw a mapping (6.12) */                              \
	STR(op, NSN_SYMBOL_LEN) /* its enforce_cache_coherency; "" without one */                  \
	STR(iommu_driver, NSN_NAME_LEN)

/* What this kernel's KVM does, read once a snapshot. */
#define NSN_FIELDS_KERNEL(NUM, KEY, STR)                                                           \
	NUM(wbinvd_exiting)       /* guest WBINVD exits to KVM on this CPU */                      \
	NUM(criterion_capability) /* KVM asks the device's capability (6.2+), not the domains */   \
	NUM(interrupt_remapping)  /* irq_remapping_enabled */                                      \
	NUM(vm_list)              /* VMs were enumerated by KVM's own list */                      \
	NUM(group_list)           /* groups were enumerated by iommu_group_kset */                 \
	NUM(vm_types)             /* this kernel's VMs have a type */                              \
	NUM(guest_mtrrs)          /* KVM can let the guest's MTRRs hold (Intel, before 6.11) */    \
	NUM(quirk_mask)           /* KVM says which quirks it has (6.15) */                        \
	NUM(quirks_supported)     /* bit mask, KVM_X86_QUIRK_* */                                  \
	NUM(group_pasids)         /* this kernel's groups know their PASIDs (6.2) */

/* ---- the same machine, seen through sysfs, PCI and /proc ------------------------------------- */

#define NSN_FIELDS_HOST(NUM, KEY, STR)                                                             \
	NUM(taken_at)          /* ns since the epoch */                                            \
	NUM(unsafe_interrupts) /* vfio_iommu_type1.allow_unsafe_interrupts */                      \
	NUM(unsafe_noiommu)    /* vfio.enable_unsafe_noiommu_mode */                               \
	NUM(boot_time)         /* ns since the epoch */                                            \
	NUM(ticks_per_second)                                                                      \
	NUM(pid_namespace_initial) /* /proc shows every process of the machine */                  \
	NUM(self_snoop)            /* the CPU snoops its own caches (flag ss) */                   \
	STR(hostname, NSN_TEXT_LEN)                                                                \
	STR(boot_id, 40)                                                                           \
	STR(kernel, 72)                                                                            \
	STR(arch, NSN_NAME_LEN)                                                                    \
	STR(cpu_vendor, NSN_NAME_LEN)

#define NSN_FIELDS_IOMMU(NUM, KEY, STR)                                                            \
	NUM(snoop_control)                                                                         \
	NUM(interrupt_remapping) /* really on, not merely supported */                             \
	STR(name, NSN_NAME_LEN)                                                                    \
	STR(driver, NSN_NAME_LEN)

#define NSN_FIELDS_SYS_GROUP(NUM, KEY, STR)                                                        \
	NUM(group_id)                                                                              \
	NUM(why) /* enum nsn_group_why */                                                          \
	NUM(isolated_msi)                                                                          \
	STR(type, NSN_NAME_LEN) /* /sys/kernel/iommu_groups/N/type */

#define NSN_FIELDS_DEVICE(NUM, KEY, STR)                                                           \
	NUM(group_id)                                                                              \
	NUM(vendor_id)                                                                             \
	NUM(device_id)                                                                             \
	NUM(class)                /* 24 bits */                                                    \
	NUM(bridge)               /* a PCI bridge or port: no endpoint */                          \
	NUM(ats)                  /* ATS is enabled */                                             \
	NUM(nosnoop)              /* Enable No Snoop, DevCtl bit 11 */                             \
	NUM(nosnoop_source)       /* enum nsn_nosnoop_source */                                    \
	NUM(asleep)               /* in D3cold, not read */                                        \
	STR(name, NSN_TEXT_LEN)   /* vendor and device as pci.ids tells them */                    \
	STR(id, NSN_DEVICE_LEN)   /* BDF, mdev uuid */                                             \
	STR(bus, NSN_NAME_LEN)    /* pci, mdev, vdpa, platform */                                  \
	STR(driver, NSN_NAME_LEN) /* "" without one */                                             \
	STR(driver_override, NSN_NAME_LEN)                                                         \
	STR(iommu, NSN_NAME_LEN)  /* "" without one */                                             \
	STR(physfn, NSN_NAME_LEN) /* "" if it is no VF */                                          \
	STR(nosnoop_bdf, NSN_NAME_LEN)                                                             \
	STR(power_state, NSN_NAME_LEN)

#define NSN_FIELDS_PROCESS(NUM, KEY, STR)                                                          \
	NUM(pid)                                                                                   \
	NUM(start_ticks)                                                                           \
	NUM(name_source) /* enum nsn_name_source */                                                \
	STR(comm, NSN_COMM_LEN)                                                                    \
	STR(name, NSN_TEXT_LEN)                                                                    \
	STR(uuid, 40)          /* "" if its command line has none */                               \
	STR(vmm, NSN_NAME_LEN) /* qemu, cloud-hypervisor, crosvm, firecracker; "" unknown */       \
	STR(cgroup, NSN_TEXT_LEN)

/* ---- about the snapshot itself --------------------------------------------------------------- */

/* A source of facts and how it fared: the reason of every fact that is missing because of it. */
#define NSN_FIELDS_SOURCE(NUM, KEY, STR)                                                           \
	NUM(state)              /* enum nsn_source_state */                                        \
	STR(name, NSN_NAME_LEN) /* kernel.files, kernel.kvm, kernel.vfio, kernel.iommu, … */     \
	STR(reason, NSN_TEXT_LEN)

/* Why one fact of one object is missing. subject as it is printed, or "" for all. */
#define NSN_FIELDS_MISSING(NUM, KEY, STR)                                                          \
	NUM(absent) /* this kernel has no such fact: that is knowledge */                          \
	STR(fact, NSN_SYMBOL_LEN)                                                                  \
	STR(subject, NSN_TEXT_LEN)                                                                 \
	STR(reason, NSN_TEXT_LEN)

/* A list that was longer than could be read. Each key names its object, 0 if it is no such one. */
#define NSN_FIELDS_TRUNCATED(NUM, KEY, STR)                                                        \
	NUM(list) /* enum nsn_list */                                                              \
	NUM(limit)                                                                                 \
	NUM(group_id)                                                                              \
	KEY(vm, VM)                                                                                \
	KEY(container, CONTAINER)                                                                  \
	KEY(group, GROUP)                                                                          \
	KEY(vfio_group, VFIO_GROUP)                                                                \
	KEY(iommufd, IOMMUFD)

/* An object whose parts changed while they were read, however often that was done: believe none of them. */
#define NSN_FIELDS_TORN(NUM, KEY, STR)                                                             \
	KEY(vm, VM)                                                                                \
	KEY(container, CONTAINER)                                                                  \
	KEY(group, GROUP)                                                                          \
	KEY(vfio_group, VFIO_GROUP)                                                                \
	KEY(vfio_device, VFIO_DEVICE)                                                              \
	KEY(domain, DOMAIN)                                                                        \
	KEY(iommufd, IOMMUFD)                                                                      \
	KEY(vdpa, VDPA)

/* ---- news: what happened between two snapshots ----------------------------------------------- */

/*
 * Something that happened. A field that the event does not have is not known. Of several functions
 * that see one thing, each may tell of it: `inner` marks what is a step of another event.
 */
#define NSN_FIELDS_EVENT(NUM, KEY, STR)                                                            \
	NUM(event)     /* enum nsn_event */                                                        \
	NUM(monotonic) /* ns, CLOCK_MONOTONIC */                                                   \
	NUM(time)      /* ns since the epoch; user space only */                                   \
	NUM(pid)       /* of the task that did it; in the initial pid namespace */                 \
	NUM(tid)                                                                                   \
	NUM(start_ticks) /* of the thread group leader, clock ticks since boot */                  \
	KEY(vm, VM)                                                                                \
	KEY(container, CONTAINER)                                                                  \
	KEY(iommufd, IOMMUFD) /* of a context, which takes a container's place */                  \
	KEY(vfio_group, VFIO_GROUP)                                                                \
	KEY(group, GROUP)                                                                          \
	KEY(domain, DOMAIN)                                                                        \
	KEY(vfio_device, VFIO_DEVICE)                                                              \
	NUM(group_id)                                                                              \
	NUM(pasid)         /* group_attach, group_detach: of this PASID alone */                   \
	NUM(error)         /* errno; 0: it was done */                                             \
	NUM(duration)      /* ns, elapsed */                                                       \
	NUM(exits)         /* vm_destroy: all of the VM's WBINVDs */                               \
	NUM(executed)      /* of those; of one wbinvd: 1 flushed, 0 ignored */                     \
	NUM(enforced)      /* the domain blocks No Snoop, by its driver or by VFIO */              \
	NUM(registrations) /* of non-coherent DMA, after the event */                              \
	NUM(noncoherent)   /* kvm_file: what KVM found then */                                     \
	NUM(mapped)        /* enforce: the domain had mappings before */                           \
	NUM(reason)        /* enum nsn_reason */                                                   \
	NUM(initiator)     /* enum nsn_initiator */                                                \
	NUM(inner)         /* a step of another event, of a temporary domain say */                \
	NUM(count)         /* lost: how many */                                                    \
	STR(comm, NSN_COMM_LEN)                                                                    \
	STR(device, NSN_DEVICE_LEN)                                                                \
	STR(op, NSN_SYMBOL_LEN)     /* the function that answered, or that called */               \
	STR(detail, NSN_DETAIL_LEN) /* user space only: of a probe, of a reason */

/* What a VM's WBINVDs came to since counting began. User space makes it of struct nsn_counters. */
#define NSN_FIELDS_COUNTER(NUM, KEY, STR)                                                          \
	KEY(vm, VM)                                                                                \
	NUM(exits)                                                                                 \
	NUM(executed)                                                                              \
	NUM(ignored)                                                                               \
	NUM(timed)      /* executed ones whose time was taken */                                   \
	NUM(elapsed_ns) /* of those, preemption included */                                        \
	NUM(bucket0)    /* up to 4.096 us */                                                       \
	NUM(bucket1)                                                                               \
	NUM(bucket2)                                                                               \
	NUM(bucket3)                                                                               \
	NUM(bucket4)                                                                               \
	NUM(bucket5)                                                                               \
	NUM(bucket6)                                                                               \
	NUM(bucket7)                                                                               \
	NUM(bucket8)                                                                               \
	NUM(bucket9) /* and above */                                                               \
	NUM(sampled) /* not all were timed */

/* The end of a snapshot: how many records of each kind it has. */
#define NSN_FIELDS_END(NUM, KEY, STR)                                                              \
	NUM(file)                                                                                  \
	NUM(vm)                                                                                    \
	NUM(vm_file)                                                                               \
	NUM(vfio_group)                                                                            \
	NUM(vfio_device)                                                                           \
	NUM(container)                                                                             \
	NUM(type1_domain)                                                                          \
	NUM(type1_group)                                                                           \
	NUM(iommufd)                                                                               \
	NUM(iommufd_hwpt)                                                                          \
	NUM(iommufd_device)                                                                        \
	NUM(iommufd_pasid)                                                                         \
	NUM(iommufd_access)                                                                        \
	NUM(vdpa)                                                                                  \
	NUM(group)                                                                                 \
	NUM(group_device)                                                                          \
	NUM(group_pasid)                                                                           \
	NUM(domain)                                                                                \
	NUM(kernel)                                                                                \
	NUM(host)                                                                                  \
	NUM(iommu)                                                                                 \
	NUM(sys_group)                                                                             \
	NUM(device)                                                                                \
	NUM(process)                                                                               \
	NUM(source)                                                                                \
	NUM(missing)                                                                               \
	NUM(truncated)                                                                             \
	NUM(torn)                                                                                  \
	NUM(event) /* since the end before */                                                      \
	NUM(counter)

/* Every kind of record: R(NAME, name). The order is that of NSN_FIELDS_END's counts. */
#define NSN_RECORDS(R)                                                                             \
	R(FILE, file)                                                                              \
	R(VM, vm)                                                                                  \
	R(VM_FILE, vm_file)                                                                        \
	R(VFIO_GROUP, vfio_group)                                                                  \
	R(VFIO_DEVICE, vfio_device)                                                                \
	R(CONTAINER, container)                                                                    \
	R(TYPE1_DOMAIN, type1_domain)                                                              \
	R(TYPE1_GROUP, type1_group)                                                                \
	R(IOMMUFD, iommufd)                                                                        \
	R(IOMMUFD_HWPT, iommufd_hwpt)                                                              \
	R(IOMMUFD_DEVICE, iommufd_device)                                                          \
	R(IOMMUFD_PASID, iommufd_pasid)                                                            \
	R(IOMMUFD_ACCESS, iommufd_access)                                                          \
	R(VDPA, vdpa)                                                                              \
	R(GROUP, group)                                                                            \
	R(GROUP_DEVICE, group_device)                                                              \
	R(GROUP_PASID, group_pasid)                                                                \
	R(DOMAIN, domain)                                                                          \
	R(KERNEL, kernel)                                                                          \
	R(HOST, host)                                                                              \
	R(IOMMU, iommu)                                                                            \
	R(SYS_GROUP, sys_group)                                                                    \
	R(DEVICE, device)                                                                          \
	R(PROCESS, process)                                                                        \
	R(SOURCE, source)                                                                          \
	R(MISSING, missing)                                                                        \
	R(TRUNCATED, truncated)                                                                    \
	R(TORN, torn)                                                                              \
	R(EVENT, event)                                                                            \
	R(COUNTER, counter)                                                                        \
	R(END, end)

/* ---- what the lists above expand to ---------------------------------------------------------- */

/* enum nsn_rec_kind: NSN_REC_FILE, NSN_REC_VM, … */
#define NSN_EXPAND_KIND(NAME, name) NSN_REC_##NAME,
enum nsn_rec_kind { NSN_RECORDS(NSN_EXPAND_KIND) NSN_REC_MAX };
#undef NSN_EXPAND_KIND

/* Each record begins with this. size is that of the whole record, in bytes. */
struct nsn_rec {
	__u16 kind; /* enum nsn_rec_kind */
	__u16 size;
	__u32 known; /* bit i: field i of the kind's list has a value */
};

/* struct nsn_rec_vm and kin: the header as .h, then the fields. */
#define NSN_EXPAND_NUM(name)        __u64 name;
#define NSN_EXPAND_KEY(name, class) __u64 name;
#define NSN_EXPAND_STR(name, len)   char name[len] __attribute__((aligned(8)));
#define NSN_EXPAND_STRUCT(NAME, name)                                                              \
	struct nsn_rec_##name {                                                                    \
		struct nsn_rec h;                                                                  \
		NSN_FIELDS_##NAME(NSN_EXPAND_NUM, NSN_EXPAND_KEY, NSN_EXPAND_STR)                  \
	};
NSN_RECORDS(NSN_EXPAND_STRUCT)
#undef NSN_EXPAND_STRUCT
#undef NSN_EXPAND_NUM
#undef NSN_EXPAND_KEY
#undef NSN_EXPAND_STR

/* A struct of one byte a field: offsetof() in it is the field's place in the list. */
#define NSN_EXPAND_NUM(name)        char name;
#define NSN_EXPAND_KEY(name, class) char name;
#define NSN_EXPAND_STR(name, len)   char name;
#define NSN_EXPAND_ORDER(NAME, name)                                                               \
	struct nsn_order_##name {                                                                  \
		NSN_FIELDS_##NAME(NSN_EXPAND_NUM, NSN_EXPAND_KEY, NSN_EXPAND_STR)                  \
	};                                                                                         \
	_Static_assert(sizeof(struct nsn_order_##name) <= 32, "known has 32 bits");                \
	_Static_assert(sizeof(struct nsn_rec_##name) % 8 == 0, "records stay aligned");
NSN_RECORDS(NSN_EXPAND_ORDER)
#undef NSN_EXPAND_ORDER
#undef NSN_EXPAND_NUM
#undef NSN_EXPAND_KEY
#undef NSN_EXPAND_STR

/* The known bit of a field: NSN_BIT(vm, noncoherent_dma). */
#define NSN_BIT(rec, field) (1U << __builtin_offsetof(struct nsn_order_##rec, field))

/* Sizes of what crosses from the kernel: a change here is a change of what old loaders read. */
_Static_assert(sizeof(struct nsn_rec) == 8, "header of a record");
_Static_assert(sizeof(struct nsn_rec_file) == 8 + 12 * 8 + 16, "record: file");
_Static_assert(sizeof(struct nsn_rec_vm) == 8 + 13 * 8 + 16 + 32, "record: vm");
_Static_assert(sizeof(struct nsn_rec_vm_file) == 8 + 5 * 8, "record: vm_file");
_Static_assert(sizeof(struct nsn_rec_type1_group) == 8 + 4 * 8, "record: type1_group");

#endif /* NSN_RECORD_H */
