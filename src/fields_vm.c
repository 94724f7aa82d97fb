// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_vm.c - the fields of VMs. Floor 1.
 */
#include "fields_internal.h"

NSN_GETTER(get_id, nsn_vm)
{
	put_text(value, object->id);
}

NSN_GETTER(get_pid, nsn_vm)
{
	if (object->pid)
		put_number(value, object->pid);
	else if (NSN_KNOWS(&object->rec, vm, pid))
		put_none(value); /* its process has exited, the VM lives on */
}

NSN_GETTER(get_comm, nsn_vm)
{
	if (object->process && NSN_KNOWS(object->process, process, comm))
		put_text(value, object->process->comm);
	else if (NSN_KNOWS(&object->rec, vm, comm))
		put_text(value, object->rec.comm);
}

NSN_GETTER(get_name, nsn_vm)
{
	if (object->process && NSN_KNOWS(object->process, process, name))
		put_text_or_none(value, object->process->name);
}

NSN_GETTER(get_name_source, nsn_vm)
{
	if (object->process && NSN_KNOWS(object->process, process, name_source))
		put_text(value, nsn_name_source_name(object->process->name_source));
}

NSN_GETTER(get_uuid, nsn_vm)
{
	if (object->process && NSN_KNOWS(object->process, process, uuid))
		put_text_or_none(value, object->process->uuid);
}

NSN_GETTER(get_vmm, nsn_vm)
{
	if (object->process && NSN_KNOWS(object->process, process, vmm))
		put_text_or_none(value, object->process->vmm);
}

NSN_GETTER(get_vm_type, nsn_vm)
{
	if (NSN_KNOWS(&object->rec, vm, vm_type))
		put_number(value, object->rec.vm_type);
}

NSN_GETTER(get_vcpus, nsn_vm)
{
	if (NSN_KNOWS(&object->rec, vm, vcpus))
		put_number(value, object->rec.vcpus);
}

NSN_GETTER(get_started_at, nsn_vm)
{
	const struct nsn_rec_host *host = &model->host;
	uint64_t ticks = object->start_ticks, hz = host->ticks_per_second;

	if (!ticks || !hz || !NSN_KNOWS(host, host, ticks_per_second) ||
	    !NSN_KNOWS(host, host, boot_time))
		return;
	put_text(value, nsn_format_time(value->scratch, sizeof(value->scratch),
					host->boot_time + ticks / hz * 1000000000 +
						ticks % hz * 1000000000 / hz));
}

NSN_GETTER(get_noncoherent_dma, nsn_vm)
{
	if (!NSN_KNOWS(&object->rec, vm, noncoherent_dma))
		return;
	put_number(value, object->rec.noncoherent_dma);
	if (value->number)
		value->tone = NSN_TONE_WARNING;
}

NSN_GETTER(get_guest_wbinvd, nsn_vm)
{
	put_text(value, nsn_guest_wbinvd_name(object->guest_wbinvd));
}

/* Why nothing better than "unknown" could be concluded: the first missing fact that forbids it. */
static const char *why_no_verdict(const struct nsn_vm *vm)
{
	if (vm->may_own_unlinked && vm->may_own_reason)
		return vm->may_own_reason;
	for (size_t i = 0; i < vm->paths_count; i++)
		if (vm->paths[i].unknown_reason)
			return vm->paths[i].unknown_reason;
	if (vm->torn)
		return "it changed while it was read, three times over";
	if (vm->truncated)
		return "a list of its was too long to read";
	if (vm->guest_wbinvd == NSN_WBINVD_UNKNOWN)
		return "what becomes of the guest's WBINVD is unknown";
	return "a fact that decides it is unknown";
}

NSN_GETTER(get_verdict, nsn_vm)
{
	put_text(value, nsn_verdict_name(object->verdict));
	if (object->verdict == NSN_VERDICT_UNKNOWN)
		value->reason = why_no_verdict(object);
}

/* That a VM has no container or path is knowledge only if VFIO and its users could be read. */
static bool unseen(const struct nsn_model *model, const struct nsn_vm *vm, struct nsn_value *value)
{
	const char *reason;

	if (vm->links_count || vm->paths_count || vm->verdict == NSN_VERDICT_NO_PASSTHROUGH)
		return false;
	if (nsn_model__source(model, "kernel.vfio", &reason) == NSN_SOURCE_FAILED)
		return true;
	if (!vm->may_own_unlinked)
		return false;
	value->reason = vm->may_own_reason;
	return true;
}

NSN_GETTER(get_links, nsn_vm)
{
	if (unseen(model, object, value))
		return;
	put_objects(value, object->links, object->links_count, sizeof(*object->links),
		    NSN_OBJECT_LINK);
}

NSN_GETTER(get_paths, nsn_vm)
{
	if (unseen(model, object, value))
		return;
	put_objects(value, object->paths, object->paths_count, sizeof(*object->paths),
		    NSN_OBJECT_PATH);
}

NSN_GETTER(get_containers, nsn_vm)
{
	if (!unseen(model, object, value))
		put_refs(value, &object->containers, NSN_OBJECT_CONTAINER);
}

NSN_GETTER(get_domains, nsn_vm)
{
	if (!unseen(model, object, value))
		put_refs(value, &object->domains, NSN_OBJECT_DOMAIN);
}

NSN_GETTER(get_groups, nsn_vm)
{
	if (!unseen(model, object, value))
		put_refs(value, &object->groups, NSN_OBJECT_GROUP);
}

NSN_GETTER(get_devices, nsn_vm)
{
	if (!unseen(model, object, value))
		put_refs(value, &object->devices, NSN_OBJECT_DEVICE);
}

NSN_GETTER(get_kvm, nsn_vm)
{
	put_object(value, object, NSN_OBJECT_KVM);
}

static const struct nsn_wording name_sources[] = {
	{ "argv", "from its command line", NSN_TONE_PLAIN },
	{ "cgroup", "from its cgroup", NSN_TONE_PLAIN },
	{ "comm", "from its process name", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording guest_wbinvds[] = {
	{ "executed", "KVM executes the guest's cache flushes", NSN_TONE_WARNING },
	{ "ignored", "KVM ignores the guest's cache flushes", NSN_TONE_PLAIN },
	{ "native", "the guest's cache flushes run on the CPU itself", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording verdicts[] = {
	{ "no_passthrough", "no device is passed through to the VM", NSN_TONE_PLAIN },
	{ "unattached", "a device is claimed for the VM, but can't do any DMA", NSN_TONE_WARNING },
	{ "unknown", "facts are missing: see \"Could not be decided\" below", NSN_TONE_WARNING },
	{ "unsafe",
	  "a device can bypass the CPU caches and the guest's cache flushes (WBINVD) are ignored: "
	  "data may be corrupted, or stale memory of the host read",
	  NSN_TONE_BAD },
	{ "noncoherent",
	  "a device can bypass the CPU caches; the guest's cache flushes are executed, which keeps "
	  "its data right and stalls CPUs of the host",
	  NSN_TONE_WARNING },
	{ "coherent", "the IOMMU keeps every device of the VM from bypassing the CPU caches",
	  NSN_TONE_GOOD },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_vm[] = {
	{
		.path = "id",
		.header = "ID",
		.source = "kernel.kvm",
		.help = "Its uuid, else pid:<pid>@<start time in ticks>.",
		.get = get_id_any,
	},
	{
		.path = "pid",
		.header = "PID",
		.source = "kernel.kvm",
		.metric = "nosnoop_vm_info",
		.metric_type = NSN_METRIC_LABEL,
		.text = NSN_TEXT_TABLE,
		.help = "Process that the VM's memory belongs to.",
		.get = get_pid_any,
	},
	{
		.path = "comm",
		.header = "PROCESS",
		.source = "proc",
		.text = NSN_TEXT_WIDE,
		.help = "Name of that process.",
		.get = get_comm_any,
	},
	{
		.path = "name",
		.header = "NAME",
		.source = "proc",
		.help = "Name of the guest.",
		.get = get_name_any,
	},
	{
		.path = "name_source",
		.header = "NAME FROM",
		.source = "proc",
		.values = name_sources,
		.help = "Where the name was found.",
		.get = get_name_source_any,
	},
	{
		.path = "uuid",
		.header = "UUID",
		.source = "proc",
		.metric = "nosnoop_vm_info",
		.metric_type = NSN_METRIC_LABEL,
		.text = NSN_TEXT_WIDE,
		.help = "UUID of the guest, from its VMM's command line.",
		.get = get_uuid_any,
	},
	{
		.path = "vmm",
		.header = "VMM",
		.source = "proc",
		.metric = "nosnoop_vm_info",
		.metric_type = NSN_METRIC_LABEL,
		.text = NSN_TEXT_WIDE,
		.help = "Program that runs the VM.",
		.get = get_vmm_any,
	},
	{
		.path = "vm_type",
		.header = "TYPE",
		.source = "kernel.kvm",
		.help = "Type of VM that was asked of KVM_CREATE_VM.",
		.get = get_vm_type_any,
	},
	{
		.path = "vcpus",
		.header = "VCPUS",
		.unit = "vCPUs",
		.source = "kernel.kvm",
		.text = NSN_TEXT_TABLE,
		.help = "Number of its vCPUs.",
		.get = get_vcpus_any,
	},
	{
		.path = "started_at",
		.header = "STARTED",
		.source = "proc",
		.text = NSN_TEXT_WIDE,
		.help = "When its process was started (UTC).",
		.get = get_started_at_any,
	},
	{
		.path = "noncoherent_dma",
		.header = "NON-COHERENT DMA",
		.unit = "registrations",
		.source = "kernel.kvm",
		.metric = "nosnoop_vm_noncoherent_dma",
		.metric_type = NSN_METRIC_GAUGE,
		.text = NSN_TEXT_WIDE,
		.help = "Registrations of non-coherent DMA in KVM for the VM.",
		.get = get_noncoherent_dma_any,
	},
	{
		.path = "guest_wbinvd",
		.header = "GUEST FLUSHES",
		.source = "kernel.kvm",
		.text = NSN_TEXT_TABLE | NSN_TEXT_TREE,
		.unknown = "what becomes of the guest's cache flushes is unknown",
		.values = guest_wbinvds,
		.help = "What becomes of a WBINVD of the guest.",
		.get = get_guest_wbinvd_any,
	},
	{
		.path = "verdict",
		.header = "VERDICT",
		.source = "kernel.kvm",
		.metric = "nosnoop_vm_verdict",
		.metric_type = NSN_METRIC_STATESET,
		.text = NSN_TEXT_TABLE | NSN_TEXT_TREE | NSN_TEXT_LEGEND,
		.values = verdicts,
		.help = "What the tool concludes about the VM.",
		.get = get_verdict_any,
	},
	{
		.path = "kvm",
		.header = "KVM",
		.source = "kernel.kvm",
		.help = "What KVM goes by for the VM, and what non-coherent DMA changes beyond WBINVD.",
		.get = get_kvm_any,
	},
	{
		.path = "links",
		.header = "LINKS",
		.source = "kernel.vfio",
		.help = "Why containers are believed to be the VM's.",
		.get = get_links_any,
	},
	{
		.path = "paths",
		.header = "PATHS",
		.source = "kernel.vfio",
		.help = "Ways by which a device's DMA can reach the VM's memory.",
		.get = get_paths_any,
	},
	{
		.path = "containers",
		.header = "CONTAINERS",
		.source = "kernel.vfio",
		.help = "Containers that are the VM's.",
		.get = get_containers_any,
	},
	{
		.path = "domains",
		.header = "DOMAINS",
		.source = "kernel.type1",
		.help = "IOMMU domains that map the VM's memory.",
		.get = get_domains_any,
	},
	{
		.path = "groups",
		.header = "GROUPS",
		.source = "kernel.vfio",
		.help = "IOMMU groups that are passed through to the VM.",
		.get = get_groups_any,
	},
	{
		.path = "devices",
		.header = "DEVICES",
		.source = "kernel.vfio",
		.metric = "nosnoop_vm_device_info",
		.metric_type = NSN_METRIC_LABEL,
		.text = NSN_TEXT_TABLE,
		.help = "Devices that are passed through to the VM.",
		.get = get_devices_any,
	},
	{
		.path = "wbinvd.exits",
		.header = "EXITS",
		.unit = "exits",
		.source = "events.wbinvd",
		.live = true,
		.help = "WBINVDs of the guest that exited to KVM, since the tool started.",
		.get = nsn_get_wbinvd_exits,
	},
	{
		.path = "wbinvd.executed",
		.header = "EXECUTED",
		.unit = "flushes",
		.source = "events.wbinvd",
		.metric = "nosnoop_vm_wbinvd_exits_total",
		.metric_type = NSN_METRIC_OUTCOME,
		.live = true,
		.help = "Those that KVM executed: caches of the host were flushed.",
		.get = nsn_get_wbinvd_executed,
	},
	{
		.path = "wbinvd.ignored",
		.header = "IGNORED",
		.unit = "exits",
		.source = "events.wbinvd",
		.metric = "nosnoop_vm_wbinvd_exits_total",
		.metric_type = NSN_METRIC_OUTCOME,
		.live = true,
		.help = "Those that KVM ignored.",
		.get = nsn_get_wbinvd_ignored,
	},
	{
		.path = "wbinvd.exits_per_second",
		.header = "EXITS/S",
		.unit = "1/s",
		.source = "events.wbinvd",
		.live = true,
		.help = "WBINVDs that exited to KVM, each second of the last interval.",
		.get = nsn_get_wbinvd_exits_per_second,
	},
	{
		.path = "wbinvd.executed_per_second",
		.header = "EXEC/S",
		.unit = "1/s",
		.source = "events.wbinvd",
		.live = true,
		.help = "Those that KVM executed, each second of the last interval.",
		.get = nsn_get_wbinvd_executed_per_second,
	},
	{
		.path = "wbinvd.cpu_share",
		.header = "TIME%",
		.unit = "ratio",
		.source = "events.wbinvd",
		.live = true,
		.help = "Time that its vCPUs spent in flushes, preemption included, as a share of one "
			"CPU over the last interval.",
		.get = nsn_get_wbinvd_cpu_share,
	},
	{
		.path = "wbinvd.p50_seconds",
		.header = "P50",
		.unit = "s",
		.source = "events.wbinvd",
		.live = true,
		.help = "Median time of a flush in the last interval, estimated from a histogram.",
		.get = nsn_get_wbinvd_p50_seconds,
	},
	{
		.path = "wbinvd.p99_seconds",
		.header = "P99",
		.unit = "s",
		.source = "events.wbinvd",
		.live = true,
		.help = "99th percentile of that time, likewise.",
		.get = nsn_get_wbinvd_p99_seconds,
	},
	{
		.path = "wbinvd.sampled",
		.header = "SAMPLED",
		.source = "events.wbinvd",
		.live = true,
		.help = "Whether there were so many that not every flush was timed; counts stay exact.",
		.get = nsn_get_wbinvd_sampled,
	},
	{ .path = NULL },
};
