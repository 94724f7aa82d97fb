/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics_internal.h - what the files of the metrics table share. Floor 1, private to metrics*.c.
 */
#ifndef NSN_METRICS_INTERNAL_H
#define NSN_METRICS_INTERNAL_H

#include "metrics.h"

/* A row's collect(): the fields whose rows name the metric, for each object of its kind. */
int nsn_collect_fields(const struct nsn_metric *metric, const struct nsn_metrics *in,
		       struct nsn_sample_sink *out);

#define NSN_COLLECT(name)                                                                          \
	int nsn_collect_##name(const struct nsn_metric *metric, const struct nsn_metrics *in,      \
			       struct nsn_sample_sink *out)

/* metrics_vm.c */
NSN_COLLECT(wbinvd_durations);
NSN_COLLECT(verdict_changes);
NSN_COLLECT(vm_devices);
NSN_COLLECT(vms_omitted);
/* metrics_tool.c */
NSN_COLLECT(build_info);
NSN_COLLECT(enforce_calls);
NSN_COLLECT(group_attaches);
NSN_COLLECT(host_flushes);
NSN_COLLECT(findings);
NSN_COLLECT(rule_unknown);
NSN_COLLECT(unknown_facts);
NSN_COLLECT(probes);
NSN_COLLECT(events_lost);
NSN_COLLECT(truncated_lists);
NSN_COLLECT(collector_success);
NSN_COLLECT(collector_duration);
NSN_COLLECT(process);

static inline void nsn_sample__label(struct nsn_sample *sample, const char *name, const char *value)
{
	if (sample->labels_count < NSN_SAMPLE_LABELS)
		sample->labels[sample->labels_count++] =
			(struct nsn_label){ .name = name, .value = value };
}

static inline int nsn_sample__put(struct nsn_sample_sink *out, struct nsn_sample *sample,
				  double value)
{
	sample->value = value;
	return out->put(out, sample);
}

#endif /* NSN_METRICS_INTERNAL_H */
