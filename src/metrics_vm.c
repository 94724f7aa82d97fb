// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * metrics_vm.c - what VMs are called in metrics, which of them are shown, and those of their metrics
 * that are no single field. Floor 1.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics_internal.h"

/* ---- labels ----------------------------------------------------------------------------------- */

/* C0 and C1 controls and DEL would let a name command a terminal. */
static bool is_control(uint32_t code)
{
	return (code < 0x20 && code != '\n') || (code >= 0x7f && code < 0xa0);
}

void nsn_label_text(char *out, size_t size, const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	uint32_t code = 0;
	size_t used = 0, length;

	while ((length = nsn_utf8_next(text, &code)) > 0) {
		bool bad = is_control(code) || code == 0xfffd;
		size_t need = bad ? sizeof(replacement) - 1 : length;

		if (used + need >= size)
			break;
		memcpy(out + used, bad ? replacement : text, need);
		used += need;
		text += length;
	}
	out[used] = '\0';
}

/* The name with an end that tells it from another; together at most 128 bytes. */
static void name_with(char *out, const char *name, const char *end)
{
	char room[NSN_VM_LABEL], tail[NSN_VM_LABEL];

	nsn_label_text(tail, NSN_ID_LEN + 1, end);
	nsn_label_text(room, NSN_VM_LABEL - 1 - strlen(tail), name);
	nsn_format(out, NSN_VM_LABEL, "%s~%s", room, tail);
}

/* Another name for a VM whose label is another's too; `attempt` counts from 0. */
static void rename_vm(char *label, const struct nsn_vm *vm, size_t attempt)
{
	const char *title = nsn_object__title(NSN_OBJECT_VM, vm);
	const struct nsn_rec_process *process = vm->process;
	char end[NSN_ID_LEN + 8];

	if (attempt > 1)
		nsn_format(end, sizeof(end), "%s.%zu", vm->id, attempt);
	else if (attempt == 1)
		nsn_format(end, sizeof(end), "%s", vm->id);
	else if (process && NSN_KNOWS(process, process, uuid) && process->uuid[0])
		nsn_format(end, sizeof(end), "%.8s", process->uuid);
	else
		nsn_format(end, sizeof(end), "%llu", (unsigned long long)vm->pid);
	name_with(label, title, end);
}

static int compare_labels(const void *a, const void *b, void *labels)
{
	char(*names)[NSN_VM_LABEL] = labels;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcmp(names[x], names[y]);

	return order ? order : x < y ? -1 : 1;
}

/* Renames all that share a label. Returns how many did. */
static size_t part_twins(struct nsn_metrics *metrics, size_t *order, size_t attempt)
{
	const struct nsn_model *model = metrics->model;
	size_t count = model->vms_count, twins = 0;
	bool before = false;

	qsort_r(order, count, sizeof(*order), compare_labels, metrics->vm_labels);
	for (size_t i = 0; i < count; i++) {
		size_t vm = order[i];
		bool after = i + 1 < count &&
			     strcmp(metrics->vm_labels[vm], metrics->vm_labels[order[i + 1]]) == 0;

		if (before || after) {
			rename_vm(metrics->vm_labels[vm], &model->vms[vm], attempt);
			twins++;
		}
		before = after;
	}
	return twins;
}

/* ---- which are shown -------------------------------------------------------------------------- */

/* The graver ones first: none of them is left out for a harmless one. */
static int gravity(const struct nsn_vm *vm)
{
	static const int order[NSN_VERDICT_MAX] = {
		[NSN_VERDICT_UNSAFE] = 0,   [NSN_VERDICT_NONCOHERENT] = 1,
		[NSN_VERDICT_UNKNOWN] = 2,  [NSN_VERDICT_UNATTACHED] = 3,
		[NSN_VERDICT_COHERENT] = 4, [NSN_VERDICT_NO_PASSTHROUGH] = 5,
	};

	return order[vm->verdict];
}

static void choose_shown(struct nsn_metrics *metrics)
{
	const struct nsn_model *model = metrics->model;
	size_t left = metrics->max_vms_set ? metrics->max_vms : model->vms_count;

	for (int grave = 0; grave < NSN_VERDICT_MAX; grave++) {
		for (size_t i = 0; i < model->vms_count && left; i++) {
			if (gravity(&model->vms[i]) != grave)
				continue;
			metrics->vm_shown[i] = true;
			left--;
		}
	}
	metrics->vms_omitted = 0;
	for (size_t i = 0; i < model->vms_count; i++)
		metrics->vms_omitted += !metrics->vm_shown[i];
}

int nsn_metrics__prepare(struct nsn_metrics *metrics)
{
	size_t count = metrics->model->vms_count;
	size_t *order = calloc(count + 1, sizeof(*order));

	metrics->vm_labels = calloc(count + 1, sizeof(*metrics->vm_labels));
	metrics->vm_shown = calloc(count + 1, sizeof(*metrics->vm_shown));
	if (!order || !metrics->vm_labels || !metrics->vm_shown) {
		free(order);
		nsn_metrics__release(metrics);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		order[i] = i;
		nsn_label_text(metrics->vm_labels[i], NSN_VM_LABEL,
			       nsn_object__title(NSN_OBJECT_VM, &metrics->model->vms[i]));
	}
	/* ids are unique: a name made of another's label and id can delay that, not prevent it */
	for (size_t attempt = 0; attempt < count + 2; attempt++)
		if (!part_twins(metrics, order, attempt))
			break;
	choose_shown(metrics);
	free(order);
	return 0;
}

void nsn_metrics__release(struct nsn_metrics *metrics)
{
	free(metrics->vm_labels);
	free(metrics->vm_shown);
	metrics->vm_labels = NULL;
	metrics->vm_shown = NULL;
}

/* ---- samples ---------------------------------------------------------------------------------- */

static const char *const bounds[NSN_BUCKETS] = {
	"4.096e-06",   "1.6384e-05",  "6.5536e-05",  "0.000262144", "0.001048576",
	"0.004194304", "0.016777216", "0.067108864", "0.268435456", "+Inf",
};

static int put_histogram(const struct nsn_vm *vm, const char *label, struct nsn_sample_sink *out)
{
	const struct nsn_vm_counters *counters = &vm->counters;
	uint64_t sum = 0;
	int err = 0;

	for (size_t i = 0; i < NSN_BUCKETS && !err; i++) {
		struct nsn_sample sample = { .suffix = "_bucket" };

		sum += counters->buckets[i];
		nsn_sample__label(&sample, "vm", label);
		nsn_sample__label(&sample, "le", bounds[i]);
		err = nsn_sample__put(out, &sample, (double)sum);
	}
	for (int i = 0; i < 2 && !err; i++) {
		struct nsn_sample sample = { .suffix = i ? "_count" : "_sum" };

		nsn_sample__label(&sample, "vm", label);
		/* _count is the last bucket, also if the counters moved while they were read */
		err = nsn_sample__put(out, &sample,
				      i ? (double)sum : (double)counters->elapsed_ns * 1e-9);
	}
	return err;
}

NSN_COLLECT(wbinvd_durations)
{
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < in->model->vms_count && !err; i++) {
		const struct nsn_vm *vm = &in->model->vms[i];

		if (in->vm_shown[i] && vm->counters.known && vm->counters.timed)
			err = put_histogram(vm, in->vm_labels[i], out);
	}
	return err;
}

NSN_COLLECT(verdict_changes)
{
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < in->model->vms_count && !err; i++) {
		struct nsn_sample sample = { .suffix = "" };

		nsn_sample__label(&sample, "vm", in->vm_labels[i]);
		if (in->vm_shown[i])
			err = nsn_sample__put(out, &sample, (double)in->counts->verdict_changes[i]);
	}
	return err;
}

static int put_device(const struct nsn_device *device, const char *label,
		      struct nsn_sample_sink *out)
{
	struct nsn_sample sample = { .suffix = "" };
	char id[NSN_VM_LABEL];

	nsn_label_text(id, sizeof(id), device->id);
	nsn_sample__label(&sample, "vm", label);
	nsn_sample__label(&sample, "device", id);
	nsn_sample__label(&sample, "iommu_group", device->group ? device->group->id : NULL);
	return nsn_sample__put(out, &sample, 1);
}

NSN_COLLECT(vm_devices)
{
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < in->model->vms_count && !err; i++) {
		const struct nsn_refs *devices = &in->model->vms[i].devices;

		for (size_t j = 0; in->vm_shown[i] && j < devices->items_count && !err; j++)
			err = put_device(devices->items[j], in->vm_labels[i], out);
	}
	return err;
}

NSN_COLLECT(vms_omitted)
{
	struct nsn_sample sample = { .suffix = "" };

	(void)metric;
	return in->max_vms_set ? nsn_sample__put(out, &sample, (double)in->vms_omitted) : 0;
}
