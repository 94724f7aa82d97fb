// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_host.c - judges whose subject is the host or a device. Floor 1.
 */
#include "rules_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char host[] = "host";

static bool add_ref(struct nsn_rule_run *run, struct nsn_refs *refs, void *object)
{
	void **slot = NSN_APPEND(refs, items);

	if (slot)
		*slot = object;
	else
		run->err = -ENOMEM;
	return slot != NULL;
}

static const char *driver_of(const struct nsn_device *device)
{
	if (NSN_KNOWS(&device->sys, device, driver))
		return device->sys.driver;
	return NSN_KNOWS(&device->rec, group_device, driver) ? device->rec.driver : NULL;
}

/* ---- NS008 ----------------------------------------------------------------------------------- */

/* vfio-pci was asked for (driverctl, libvirt and others do it so) and is not there. */
static enum nsn_tri was_passed_over(const struct nsn_device *device)
{
	const char *driver = driver_of(device);

	if (driver && driver[0])
		return NSN_NO;
	if (!NSN_KNOWS(&device->sys, device, driver_override))
		return device->in_sysfs && strcmp(device->sys.bus, "pci") == 0 ? NSN_UNKNOWN
									       : NSN_NO;
	if (strcmp(device->sys.driver_override, "vfio-pci"))
		return NSN_NO;
	return driver ? NSN_YES : NSN_UNKNOWN;
}

/* Its refusal was seen as it happened. */
static void tell_refusal(struct nsn_rule_run *run, const struct nsn_device *device,
			 const struct nsn_refusal *refusal)
{
	struct nsn_finding *finding = nsn_run__fail(
		run, NSN_SEVERITY_INFO, "device", device->id,
		"Device %s: was refused by VFIO, its IOMMU has no cache-coherent DMA", device->id);

	nsn_run__text(run, finding, "basis", "event");
	nsn_run__time(run, finding, "refused_at", refusal->at);
	if (refusal->error)
		nsn_run__text(run, finding, "errno", "%s", nsn_errno_name((int)refusal->error));
	if (NSN_KNOWS(&device->sys, device, driver_override))
		nsn_run__text(run, finding, "driver_override", "%s", device->sys.driver_override);
	nsn_run__tri(run, finding, "cap_cache_coherency", device->cap_cache_coherency);
}

static void tell_passed_over(struct nsn_rule_run *run, const struct nsn_device *device)
{
	struct nsn_finding *finding =
		nsn_run__fail(run, NSN_SEVERITY_INFO, "device", device->id,
			      "Device %s: was probably refused by VFIO, its IOMMU has no "
			      "cache-coherent DMA",
			      device->id);

	if (finding)
		finding->probably = true;
	nsn_run__text(run, finding, "driver_override", "%s", device->sys.driver_override);
	nsn_run__text(run, finding, "driver", "%s", "none");
	nsn_run__tri(run, finding, "cap_cache_coherency", NSN_NO);
}

static void judge_refused(struct nsn_rule_run *run, const struct nsn_device *device)
{
	struct nsn_refusal refusal;
	enum nsn_tri refused = nsn_run__was_refused(run, device, &refusal);
	enum nsn_tri passed_over = was_passed_over(device);

	if (refused == NSN_YES) {
		tell_refusal(run, device, &refusal);
		return;
	}
	if (refused == NSN_NO && passed_over == NSN_NO)
		return;
	if (refused == NSN_NO &&
	    (device->without_iommu || (passed_over == NSN_UNKNOWN && !device->group)))
		return; /* without an IOMMU VFIO refuses for that reason */
	if (device->cap_cache_coherency == NSN_YES && refused == NSN_NO)
		nsn_run__pass(run);
	else if (passed_over == NSN_YES && device->cap_cache_coherency == NSN_NO)
		tell_passed_over(run, device);
	else
		nsn_run__unknown(run, NSN_SEVERITY_INFO, "device", device->id,
				 "whether its IOMMU has cache-coherent DMA is unknown");
}

int nsn_judge_refused(struct nsn_rule_run *run, const struct nsn_model *model)
{
	const char *device;

	nsn_run__doubt_events(run);
	for (size_t i = 0; i < model->devices_count; i++)
		judge_refused(run, &model->devices[i]);
	for (size_t n = 0; run->history && (device = nsn_history__refused(run->history, n)); n++)
		if (!nsn_model__device(model, device))
			nsn_run__unknown(
				run, NSN_SEVERITY_INFO, "device", device,
				"it was refused, and whether it is still there is unknown");
	return run->err;
}

/* ---- NS012 ----------------------------------------------------------------------------------- */

/*
 * Host drivers that let their device bypass the caches, and keep memory right by themselves. Only
 * graphics in the processor's package does: it is always function 00:02.x, and discrete cards of
 * the same drivers snoop ("if (IS_DGFX(i915)) … return false"; "DGFX GPU system memory accesses are
 * always coherent with the CPU").
 */
static const struct {
	const char *driver;
	const char *how;
	const char *source; /* Linux 6.12 */
} self_flushing[] = {
	{ "i915", "flushes cache lines of buffers the GPU does not snoop",
	  "drivers/gpu/drm/i915/gem/i915_gem_clflush.c" },
	{ "xe", "maps buffers the GPU does not snoop write-combining",
	  "drivers/gpu/drm/xe/xe_bo.c" },
};

static const char integrated_graphics[] = "0000:00:02.";

static bool is_self_flushing(const char *driver, const char **how, const char **source)
{
	for (size_t i = 0; i < NSN_ARRAY_SIZE(self_flushing); i++) {
		if (strcmp(driver, self_flushing[i].driver))
			continue;
		*how = self_flushing[i].how;
		*source = self_flushing[i].source;
		return true;
	}
	return false;
}

/* Does the kernel's DMA API map what the device's group sees? */
static enum nsn_tri in_dma_api_domain(const struct nsn_model *model,
				      const struct nsn_device *device)
{
	const struct nsn_group *group = device->group;

	if (!group) /* no IOMMU in its way */
		return model->groups_count ? NSN_UNKNOWN : NSN_NO;
	if (group->domain && group->domain->kind != NSN_DOMAIN_UNKNOWN)
		return group->domain->kind == NSN_DOMAIN_DMA ||
		       group->domain->kind == NSN_DOMAIN_DMA_FQ;
	if (NSN_KNOWS(&group->sys, sys_group, type) && group->sys.type[0])
		return strncmp(group->sys.type, "DMA", 3) == 0;
	return NSN_UNKNOWN;
}

int nsn_judge_host_nosnoop(struct nsn_rule_run *run, const struct nsn_model *model)
{
	const char *how = "", *source = "", *first = "";
	struct nsn_refs devices = { 0 };
	bool subject = false, unknown = false;
	struct nsn_finding *finding;

	for (size_t i = 0; i < model->devices_count && !run->err; i++) {
		struct nsn_device *device = &model->devices[i];
		const char *driver = driver_of(device);
		enum nsn_tri mapped;

		if (strncmp(device->id, integrated_graphics, strlen(integrated_graphics)))
			continue;
		if (driver && !is_self_flushing(driver, &how, &source))
			continue;
		mapped = in_dma_api_domain(model, device);
		subject = true;
		unknown |= mapped == NSN_UNKNOWN || (mapped == NSN_YES && !driver);
		if (mapped == NSN_YES && driver && add_ref(run, &devices, device))
			first = driver;
	}
	if (devices.items_count) {
		finding = nsn_run__fail(
			run, NSN_SEVERITY_INFO, host, host,
			"Host: %s of the host's own may bypass the caches, as intended",
			devices.items_count > 1 ? "devices" : "a device");
		is_self_flushing(first, &how, &source);
		nsn_run__ids(run, finding, "devices", &devices);
		nsn_run__text(run, finding, "driver", "%s", first);
		nsn_run__text(run, finding, "how", "%s", how);
		nsn_run__text(run, finding, "kernel_source", "%s", source);
	} else if (unknown) {
		nsn_run__unknown(run, NSN_SEVERITY_INFO, host, host,
				 "the driver or the domain of the integrated graphics is unknown");
	} else if (subject) {
		nsn_run__pass(run);
	}
	free(devices.items);
	return run->err;
}

/* ---- NS017 ----------------------------------------------------------------------------------- */

static bool has_snoop_control_bit(const struct nsn_iommu *iommu)
{
	return !NSN_KNOWS(&iommu->rec, iommu, driver) || strcmp(iommu->rec.driver, "intel") == 0;
}

int nsn_judge_units(struct nsn_rule_run *run, const struct nsn_model *model)
{
	struct nsn_refs weak = { 0 }, strong = { 0 }, devices = { 0 };
	struct nsn_finding *finding;
	const char *reason = "";
	size_t unknown = 0;

	for (size_t i = 0; i < model->iommus_count && !run->err; i++) {
		struct nsn_iommu *iommu = &model->iommus[i];

		if (!has_snoop_control_bit(iommu))
			continue;
		if (iommu->snoop_control == NSN_UNKNOWN) {
			unknown++;
			continue;
		}
		add_ref(run, iommu->snoop_control == NSN_YES ? &strong : &weak, iommu);
		for (size_t k = 0; iommu->snoop_control == NSN_NO && k < iommu->devices.items_count;
		     k++)
			add_ref(run, &devices, iommu->devices.items[k]);
	}
	if (nsn_model__source(model, "sysfs.iommu", &reason) == NSN_SOURCE_FAILED) {
		nsn_run__unknown(run, NSN_SEVERITY_INFO, host, host,
				 "the IOMMU units are unknown: %s", reason);
	} else if (weak.items_count && strong.items_count) {
		finding = nsn_run__fail(run, NSN_SEVERITY_INFO, host, host,
					"Host: %zu of %zu IOMMU units cannot block No Snoop",
					weak.items_count, weak.items_count + strong.items_count);
		nsn_run__ids(run, finding, "without_snoop_control", &weak);
		nsn_run__ids(run, finding, "with_snoop_control", &strong);
		nsn_run__ids(run, finding, "devices", &devices);
	} else if (unknown && unknown + weak.items_count + strong.items_count > 1) {
		nsn_run__unknown(run, NSN_SEVERITY_INFO, host, host,
				 "the snoop control of %zu IOMMU units is unknown", unknown);
	} else if (weak.items_count || strong.items_count) {
		nsn_run__pass(run);
	}
	free(weak.items);
	free(strong.items);
	free(devices.items);
	return run->err;
}

/* ---- NS022 ----------------------------------------------------------------------------------- */

/* Its container is a VM's, but no path leads over it: something on the way could not be read. */
static bool may_be_assigned(const struct nsn_device *device)
{
	return device->role == NSN_ROLE_VFIO && device->group && device->group->container &&
	       device->group->container->vms.items_count;
}

int nsn_judge_ats(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->devices_count; i++) {
		const struct nsn_device *device = &model->devices[i];
		enum nsn_tri ats = NSN_FACT(&device->sys, device, ats);
		struct nsn_finding *finding;

		if (!device->assigned && !may_be_assigned(device))
			continue;
		if (NSN_KNOWS(&device->sys, device, bus) && strcmp(device->sys.bus, "pci"))
			continue; /* an mdev or a vDPA device has no ATS of its own */
		if (ats == NSN_NO) {
			nsn_run__pass(run);
		} else if (ats == NSN_UNKNOWN || !device->assigned) {
			nsn_run__unknown(run, NSN_SEVERITY_INFO, "device", device->id, "%s",
					 ats == NSN_YES
						 ? "whether a VM has it is unknown"
						 : nsn_model__why_unknown(model, "devices.ats",
									  device->id, "sysfs.pci"));
		} else {
			finding = nsn_run__fail(
				run, NSN_SEVERITY_INFO, "device", device->id,
				"Device %s: ATS is enabled, so the block rests on the "
				"device",
				device->id);
			nsn_run__tri(run, finding, "ats", NSN_YES);
			nsn_run__tri(run, finding, "nosnoop_permitted",
				     NSN_FACT(&device->sys, device, nosnoop));
			if (device->iommu)
				nsn_run__text(run, finding, "iommu", "%s", device->iommu->id);
		}
	}
	nsn_run__hidden_vms(run);
	return run->err;
}
