/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - what is: the machine of one snapshot as objects that point at each other.
 *
 * Floor 1: no libbpf, no files, no clock. Built from records alone, live or replayed:
 *
 *	model = nsn_model__new();
 *	for each record: nsn_model__add(model, rec);
 *	nsn_model__finish(model);
 *
 * after which it does not change, and every array is sorted by id. An object keeps the records it
 * was built from; a fact is known if its record says so (NSN_KNOWS). What the model concludes itself
 * is three-valued (enum nsn_tri) or has a value for "unknown". Pointers between objects live as long
 * as the model.
 */
#ifndef NSN_MODEL_H
#define NSN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recdesc.h"
#include "util.h"

#define NSN_ID_LEN 96

struct nsn_model;
struct nsn_vm;
struct nsn_container;
struct nsn_domain;
struct nsn_group;
struct nsn_device;

/* A growing list of pointers to objects of the model, each at most once. */
struct nsn_refs {
	void **items;
	size_t items_count;
	size_t items_capacity;
};

/* A growing, sorted list of process ids, each at most once. */
struct nsn_pids {
	uint64_t *items;
	size_t items_count;
	size_t items_capacity;
};

enum nsn_guest_wbinvd {
	NSN_WBINVD_UNKNOWN,
	NSN_WBINVD_EXECUTED, /* non-coherent DMA is registered: KVM really flushes */
	NSN_WBINVD_IGNORED,  /* none is registered: KVM skips the instruction */
	NSN_WBINVD_NATIVE,   /* this CPU does not exit on WBINVD: it runs in the guest */
};

/* Whose memory types hold for a guest's memory (model_memory.c). */
enum nsn_memory_regime {
	NSN_MEMORY_UNKNOWN,
	NSN_MEMORY_GUEST,      /* the guest's, whatever is registered */
	NSN_MEMORY_WRITE_BACK, /* none but write-back */
	NSN_MEMORY_GUEST_PAT,  /* the guest's PAT, because non-coherent DMA is registered */
	NSN_MEMORY_GUEST_MTRR, /* its MTRRs too */
};

/* KVM_X86_QUIRK_IGNORE_GUEST_PAT for one VM. */
enum nsn_quirk {
	NSN_QUIRK_UNKNOWN,
	NSN_QUIRK_ABSENT,      /* this kernel's KVM does not know it */
	NSN_QUIRK_UNSUPPORTED, /* this CPU must not have it */
	NSN_QUIRK_DISABLED,
	NSN_QUIRK_ENABLED,
};

struct nsn_memory_types {
	enum nsn_memory_regime regime;
	enum nsn_quirk quirk;
	enum nsn_tri pat, mtrr, cd; /* the guest's hold */
	enum nsn_tri changes;       /* they hang on non-coherent DMA */
	enum nsn_tri zaps;          /* KVM drops all mappings when it begins or ends */
	const char *unknown_reason; /* static text */
};

enum nsn_verdict {
	NSN_VERDICT_NO_PASSTHROUGH,
	NSN_VERDICT_UNATTACHED,
	NSN_VERDICT_UNKNOWN,
	NSN_VERDICT_UNSAFE,
	NSN_VERDICT_NONCOHERENT,
	NSN_VERDICT_COHERENT,
	NSN_VERDICT_MAX,
};

enum nsn_link_by {
	NSN_LINK_KVM_VFIO, /* KVM was given the container's group: certain */
	NSN_LINK_SAME_MM,  /* the container's mappings are the VM's memory: certain */
	NSN_LINK_SAME_PROCESS,
	NSN_LINK_SAME_CGROUP,
};

/* Why a container is believed to be a VM's. */
struct nsn_link {
	struct nsn_container *container;
	enum nsn_link_by by;
	bool certain;
};

enum nsn_dma {
	NSN_DMA_UNKNOWN,
	NSN_DMA_DOMAIN,
	NSN_DMA_EMULATED, /* an mdev: its parent's driver does the DMA */
	NSN_DMA_NOIOMMU,
	NSN_DMA_NONE, /* claimed, but no DMA is possible */
};

/* One way by which a device's DMA can reach a VM's memory. */
struct nsn_path {
	struct nsn_container *container; /* NULL: unknown, or the group has none yet */
	struct nsn_domain *domain;       /* NULL: none (dma tells why), or unknown */
	struct nsn_group *group;         /* NULL: unknown */
	struct nsn_device *device;       /* NULL: the group has no device we know */
	enum nsn_dma dma;
	enum nsn_tri blocks_nosnoop;
	uint64_t pasid; /* that its DMA has; 0: none */
	bool certain;   /* the link that leads here is */
	/* static text, if dma or blocks_nosnoop is unknown; else NULL */
	const char *unknown_reason;
};

/* What a VM's WBINVDs came to since the tool began to count. */
struct nsn_vm_counters {
	bool known;        /* they are counted: zeros are zeros */
	uint64_t exits;    /* to KVM */
	uint64_t executed; /* the host's caches were flushed */
	uint64_t ignored;
	uint64_t timed;                /* executed ones whose time was taken */
	uint64_t elapsed_ns;           /* of those, preemption included */
	uint64_t buckets[NSN_BUCKETS]; /* of those: up to 4.096 us, and powers of 4 of it */
	bool sampled;                  /* above 10,000 a second one in 64 was timed */
};

/* What a VM's WBINVDs came to between two ticks; rates.h sets it. */
struct nsn_vm_rates {
	bool known;                      /* it was counted at both ticks */
	double exits, executed, ignored; /* each second */
	double share;    /* of one CPU, flushing: the elapsed time, preemption included */
	double p50, p99; /* seconds of a flush, estimated from buckets; < 0: there was none */
};

struct nsn_vm {
	char id[NSN_ID_LEN]; /* uuid, else pid:<pid>@<start ticks> */
	struct nsn_rec_vm rec;
	const struct nsn_rec_process *process; /* NULL: its process could not be read */
	uint64_t pid;                          /* 0: unknown */
	uint64_t start_ticks;                  /* 0: unknown */
	struct nsn_pids holders;               /* processes with a descriptor of it or of a vCPU */
	struct nsn_link *links;
	size_t links_count, links_capacity;
	struct nsn_path *paths;
	size_t paths_count, paths_capacity;
	struct nsn_refs containers, domains, groups, devices;
	struct nsn_refs files;  /* struct nsn_rec_vm_file: what kvm-vfio was given */
	struct nsn_vm *same_mm; /* the next VM with this one's mm; NULL: none */
	bool shares_process;    /* another VM lives in its process */
	bool torn;
	bool truncated;                        /* a list of its was cut */
	bool may_own_unlinked;                 /* an unlinked container could be this VM's */
	const char *may_own_reason;            /* static text */
	enum nsn_tri by_domain, by_capability; /* what KVM would register now, by each criterion */
	enum nsn_tri kvm_would_register;       /* … and by this kernel's */
	struct nsn_memory_types memory;
	enum nsn_guest_wbinvd guest_wbinvd;
	enum nsn_verdict verdict;
	struct nsn_vm_counters counters;
	struct nsn_vm_rates rates;
};

/*
 * A VM beyond one model: its key, which is never used again in a process and hence in a recording;
 * the id, which may have gaps, only of one without a key.
 */
struct nsn_vm_identity {
	uint64_t key;
	char id[NSN_ID_LEN];
};

enum nsn_container_kind {
	NSN_CONTAINER_TYPE1,
	NSN_CONTAINER_IOMMUFD,
	NSN_CONTAINER_NOIOMMU,
	NSN_CONTAINER_VDPA,
	NSN_CONTAINER_NONE, /* VFIO_SET_IOMMU has not been called, or was refused */
	NSN_CONTAINER_UNKNOWN,
};

/* A file of a task that holds the object: the container's id is its lowest holder. */
struct nsn_container {
	char id[NSN_ID_LEN];          /* <holder pid>:<fd>, else group:<lowest group> */
	uint64_t key;                 /* in the class of its kind */
	struct nsn_rec_container rec; /* type1 and noiommu */
	enum nsn_container_kind kind;
	struct nsn_pids pids;
	uint64_t holder_pid, holder_fd; /* the descriptor its id names; pid 0: no descriptor */
	bool holder_direct;             /* which is one of the container itself, not of a group */
	struct nsn_refs vms, domains, groups;
	struct nsn_refs vfio_groups;    /* groups that were set into it, with a domain or not */
	struct nsn_refs type1_domains;  /* struct nsn_rec_type1_domain */
	struct nsn_refs type1_groups;   /* struct nsn_rec_type1_group */
	struct nsn_rec_iommufd iommufd; /* of that kind; .h.known 0: it could not be read */
	struct nsn_rec_vdpa vdpa;       /* of that kind; likewise */
	struct nsn_refs page_tables;    /* struct nsn_rec_iommufd_hwpt */
	struct nsn_refs bound;          /* struct nsn_rec_iommufd_device */
	struct nsn_refs pasids;         /* struct nsn_rec_iommufd_pasid */
	struct nsn_refs accesses;       /* struct nsn_rec_iommufd_access */
	bool torn;
	bool truncated;
};

enum nsn_domain_kind {
	NSN_DOMAIN_UNKNOWN,
	NSN_DOMAIN_UNMANAGED,
	NSN_DOMAIN_DMA,
	NSN_DOMAIN_DMA_FQ,
	NSN_DOMAIN_IDENTITY,
	NSN_DOMAIN_BLOCKED,
	NSN_DOMAIN_NESTED,
	NSN_DOMAIN_SVA,
};

enum nsn_coherency {
	NSN_COHERENCY_UNKNOWN,
	NSN_COHERENCY_ENFORCED,
	NSN_COHERENCY_ALWAYS,      /* the driver blocks, asked or not (AMD v1) */
	NSN_COHERENCY_REFUSED,     /* it was asked and said no */
	NSN_COHERENCY_UNSUPPORTED, /* the driver has no such operation */
	NSN_COHERENCY_NOT_ASKED,   /* normal for the host's own domains */
};

enum nsn_enforced_source {
	NSN_SOURCE_NONE,
	NSN_SOURCE_TYPE1,  /* vfio_domain's flag, the driver has none of its own */
	NSN_SOURCE_DRIVER, /* the driver's flag */
	NSN_SOURCE_FORMAT, /* the page-table format always carries the bit */
	NSN_SOURCE_PARENT, /* nested: its parent's */
};

struct nsn_domain {
	char id[NSN_ID_LEN]; /* g<lowest attached group>, g<N>/default, g<N>/pasid<M> */
	struct nsn_rec_domain rec;
	struct nsn_container *container; /* NULL: none */
	struct nsn_domain *parent;       /* of a nested one: what it is nested in; NULL: unknown */
	struct nsn_refs groups;          /* that are attached now */
	struct nsn_refs devices;
	char iommu_driver[NSN_NAME_LEN]; /* intel, amd, virtio, …; "" unknown */
	char op[NSN_SYMBOL_LEN];         /* its enforce function; "" none or unknown */
	enum nsn_domain_kind kind;
	const char *page_table; /* first, second, v1, v2; NULL: not told apart or unknown */
	/* iommufd's own view of it; NULL: none, or unread */
	const struct nsn_rec_iommufd_hwpt *table;
	struct nsn_pids processes; /* SVA: those that are seen to have the memory it shares */
	bool user;                 /* VFIO's, iommufd's or vDPA's: not a host's own */
	bool by_pasid;             /* only DMA with a PASID goes through it */
	enum nsn_tri vfio_flag;    /* what VFIO or iommufd keep of the driver's answer */
	enum nsn_tri driver_flag;
	enum nsn_tri blocks_nosnoop;
	enum nsn_coherency state;
	enum nsn_enforced_source enforced_source;
	bool torn;
};

/* What VFIO was answered and what the driver holds are both known, and are not the same. */
static inline bool nsn_domain__flags_disagree(const struct nsn_domain *domain)
{
	return domain->vfio_flag != NSN_UNKNOWN && domain->driver_flag != NSN_UNKNOWN &&
	       domain->vfio_flag != domain->driver_flag;
}

enum nsn_role {
	NSN_ROLE_UNKNOWN,
	NSN_ROLE_VFIO,
	NSN_ROLE_BRIDGE,
	NSN_ROLE_UNBOUND,
	NSN_ROLE_HOST_DRIVER,
};

enum nsn_owner {
	NSN_OWNER_UNKNOWN,
	NSN_OWNER_VFIO,
	NSN_OWNER_IOMMUFD,
	NSN_OWNER_USER_OTHER,     /* somebody claimed it whom we do not know */
	NSN_OWNER_DRIVER_DMA_API, /* a host driver does DMA through the kernel's API */
	NSN_OWNER_NONE,
};

/* A PASID of a group, as the IOMMU core has it. */
struct nsn_pasid {
	uint64_t number;
	struct nsn_domain *domain; /* NULL: unknown */
};

struct nsn_group {
	char id[NSN_ID_LEN]; /* its number */
	uint64_t number;
	struct nsn_rec_group rec;
	struct nsn_rec_sys_group sys;
	struct nsn_rec_vfio_group vfio; /* .h.known 0: VFIO has no such group, or unknown */
	bool in_kernel;                 /* rec was read */
	bool in_sysfs;
	struct nsn_refs devices;         /* members, bridges included */
	struct nsn_container *container; /* that VFIO's group was set into; NULL none */
	struct nsn_domain *domain;       /* attached now; NULL unknown or none */
	struct nsn_domain *default_domain;
	struct nsn_pasid *pasids; /* that were seen; rec.pasids: how many there are */
	size_t pasids_count, pasids_capacity;
	struct nsn_pids opened_by; /* processes that hold VFIO's group file or a device of it */
	enum nsn_owner owner;
	bool iommufd_owns;   /* the owner of its DMA is an iommufd context */
	enum nsn_tri opened; /* a VFIO group or device file of it is open */
	enum nsn_tri viable;
	enum nsn_tri isolated_msi;
	enum nsn_tri residual; /* in a user's domain, with no VFIO device open */
	bool torn;
};

/* The steps of an assignment at which VFIO can refuse a device, in their order. */
enum nsn_step {
	NSN_STEP_NONE,
	NSN_STEP_BIND,          /* vfio-pci's probe of the device */
	NSN_STEP_OPEN,          /* of the group */
	NSN_STEP_SET_CONTAINER, /* VFIO_GROUP_SET_CONTAINER, which claims the group's DMA */
	NSN_STEP_SET_IOMMU,     /* VFIO_SET_IOMMU, which attaches it to a domain */
};

enum nsn_predicted {
	NSN_PREDICTED_UNKNOWN,
	NSN_PREDICTED_REFUSED,
	NSN_PREDICTED_NONCOHERENT,
	NSN_PREDICTED_COHERENT,
};

/* What would happen if a device that no VM has were assigned to one now (model_predict.c). */
struct nsn_prediction {
	bool applies; /* a PCI endpoint that no VM has: else nothing below means anything */
	bool noiommu; /* VFIO would hand it out without an IOMMU */
	enum nsn_predicted verdict;
	const char *unknown_reason;      /* static text; NULL unless the verdict is unknown */
	enum nsn_step step;              /* of a refusal … */
	int error;                       /* … its errno */
	enum nsn_reason reason;          /* … and why */
	const struct nsn_device *member; /* another member of the group that makes it not viable */
	enum nsn_tri viable;             /* once the device itself is vfio-pci's */
	const char *page_table;          /* of the new domain, where it can be known; else NULL */
	/* if nothing refused it: */
	enum nsn_tri blocks_nosnoop; /* the new domain would */
	enum nsn_tri registers;      /* KVM would register non-coherent DMA */
	enum nsn_guest_wbinvd guest_wbinvd;
	enum nsn_verdict without_kvm_vfio; /* of a VM whose VMM has no kvm-vfio device */
};

struct nsn_device {
	char id[NSN_ID_LEN]; /* BDF, mdev uuid, … */
	struct nsn_rec_device sys;
	struct nsn_rec_group_device rec;
	struct nsn_rec_vfio_device vfio; /* .h.known 0: VFIO has no such device */
	bool in_sysfs;
	bool in_kernel;
	struct nsn_group *group;
	struct nsn_iommu *iommu; /* NULL: none, or unknown */
	bool without_iommu;      /* known to be behind none, and in no group */
	enum nsn_role role;
	enum nsn_tri snoop_control; /* of the unit it sits behind */
	/* to an iommufd context; NULL: not, or unread */
	const struct nsn_rec_iommufd_device *bound;
	enum nsn_tri can_enforce; /* its IOMMU could block No Snoop for it */
	enum nsn_tri cap_cache_coherency;
	bool assigned; /* a path of a VM leads over it */
	struct nsn_prediction prediction;
};

struct nsn_iommu {
	char id[NSN_ID_LEN]; /* the kernel's name: dmar0, ivhd0 */
	struct nsn_rec_iommu rec;
	enum nsn_tri snoop_control;
	enum nsn_tri interrupt_remapping;
	struct nsn_refs devices;
};

/* A list that could not be read to its end. */
struct nsn_truncation {
	const char *list; /* "vms", "domains of a container", … */
	char subject[NSN_ID_LEN];
	uint64_t limit;
};

struct nsn_model {
	struct nsn_rec_host host;
	struct nsn_rec_kernel kernel;
	struct nsn_iommu *iommus;
	size_t iommus_count;
	struct nsn_vm *vms;
	size_t vms_count;
	struct nsn_container *containers;
	size_t containers_count;
	struct nsn_domain *domains;
	size_t domains_count;
	struct nsn_group *groups;
	size_t groups_count;
	struct nsn_device *devices;
	size_t devices_count;
	struct nsn_truncation *truncations;
	size_t truncations_count;
	uint64_t lost_records; /* that had no room, or that the end counted and nobody saw */
	bool ended;            /* the snapshot's end record was there */
	bool live;             /* one of a series: what the WBINVDs come to is told too */
	bool blind_to_files;   /* descriptors could not be read: VFIO users may be unseen */
	struct nsn_model_build *build; /* private to model*.c */
};

/* An empty model, or NULL without memory. */
struct nsn_model *nsn_model__new(void);
/* Takes in one record (copied). 0, -EINVAL for one that is none, -ENOMEM. */
int nsn_model__add(struct nsn_model *model, const struct nsn_rec *rec);
/* Joins all records into objects; call once. 0 or -ENOMEM. */
int nsn_model__finish(struct nsn_model *model);
void nsn_model__free(struct nsn_model *model);

/*
 * Brings a finished model's counters up to date with a COUNTER record, without a new snapshot; a
 * VM that it does not have is left out.
 */
void nsn_model__update_counters(struct nsn_model *model, const struct nsn_rec_counter *rec);

/* When a model's snapshot was taken, ns since the epoch; 0: unknown. */
uint64_t nsn_model__taken_at(const struct nsn_model *model);

/* Who a VM is, with all bytes set, so that it can be the key of a hash. */
void nsn_vm__identity(const struct nsn_vm *vm, struct nsn_vm_identity *out);

/* The VM with this key, or NULL. */
struct nsn_vm *nsn_model__vm_by_key(const struct nsn_model *model, uint64_t key);

/* The object with this id, or NULL. */
struct nsn_vm *nsn_model__vm(const struct nsn_model *model, const char *id);
struct nsn_container *nsn_model__container(const struct nsn_model *model, const char *id);
struct nsn_device *nsn_model__device(const struct nsn_model *model, const char *id);
struct nsn_group *nsn_model__group(const struct nsn_model *model, uint64_t number);
struct nsn_iommu *nsn_model__iommu(const struct nsn_model *model, const char *id);

/*
 * State of a source of facts (NSN_REC_SOURCE) by name, with its reason (owned by the model, "" if
 * none). NSN_SOURCE_FAILED with "was not read" for a source that the records do not mention.
 */
enum nsn_source_state nsn_model__source(const struct nsn_model *model, const char *name,
					const char **reason);

/*
 * How the sources whose names begin with `prefix` fared together: NSN_NO if one of them failed,
 * NSN_UNKNOWN if the records mention none.
 */
enum nsn_tri nsn_model__sources(const struct nsn_model *model, const char *prefix);

/*
 * Why a fact of an object is missing: the reason given for that fact and subject, else for that
 * fact, else that of the source it comes from, else a general sentence. Never NULL.
 */
const char *nsn_model__why_unknown(const struct nsn_model *model, const char *fact,
				   const char *subject, const char *source);

/* Is it known that this kernel does not have the fact at all? */
bool nsn_model__is_absent(const struct nsn_model *model, const char *fact);

/* The names that the contract gives these values: "executed", "no_passthrough", "type1", … */
const char *nsn_guest_wbinvd_name(enum nsn_guest_wbinvd value); /* NULL if unknown */
const char *nsn_verdict_name(enum nsn_verdict value);
const char *nsn_memory_regime_name(enum nsn_memory_regime value); /* NULL if unknown */
const char *nsn_quirk_name(enum nsn_quirk value);                 /* NULL if unknown */
const char *nsn_link_by_name(enum nsn_link_by value);
const char *nsn_dma_name(enum nsn_dma value);
const char *nsn_container_kind_name(enum nsn_container_kind value);   /* NULL if none or unknown */
const char *nsn_domain_kind_name(enum nsn_domain_kind value);         /* NULL if unknown */
const char *nsn_coherency_name(enum nsn_coherency value);             /* NULL if unknown */
const char *nsn_enforced_source_name(enum nsn_enforced_source value); /* NULL if none */
const char *nsn_role_name(enum nsn_role value);                       /* NULL if unknown */
const char *nsn_step_name(enum nsn_step value);                       /* NULL if none */
const char *nsn_predicted_name(enum nsn_predicted value);
const char *nsn_owner_name(enum nsn_owner value); /* NULL if unknown */
const char *nsn_group_why_name(enum nsn_group_why value);
const char *nsn_nosnoop_source_name(enum nsn_nosnoop_source value);
const char *nsn_name_source_name(enum nsn_name_source value);

#endif /* NSN_MODEL_H */
