/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics.h - the table of metrics: one row a family, and what yields its samples.
 *
 * Floor 1. What a metric of an object says stands in the field table: a field's row names its metric
 * (fields.h), and the rows here only tell which objects have it and by which labels. The others are
 * about the tool itself, findings, and what was counted since it started. A renderer asks each row
 * in turn for its samples; a fact that is unknown has none.
 */
#ifndef NSN_METRICS_H
#define NSN_METRICS_H

#include "fields.h"
#include "rules.h"
#include "unknowns.h"

#define NSN_VM_LABEL      129 /* 128 bytes of UTF-8 and their end */
#define NSN_SAMPLE_LABELS 8

enum nsn_family_type {
	NSN_FAMILY_GAUGE,
	NSN_FAMILY_INFO,      /* always 1: its labels tell */
	NSN_FAMILY_COUNTER,   /* its name ends in _total */
	NSN_FAMILY_HISTOGRAM, /* samples end in _bucket, _sum and _count */
};

struct nsn_label {
	const char *name, *value; /* a value that is NULL or "" is left out */
};

struct nsn_sample {
	const char *suffix; /* behind the family's name; "" */
	struct nsn_label labels[NSN_SAMPLE_LABELS];
	size_t labels_count;
	double value; /* exact for whole numbers up to 2^53 */
};

/* What samples are given to. Returns 0, or an error that ends it. */
struct nsn_sample_sink {
	int (*put)(struct nsn_sample_sink *sink, const struct nsn_sample *sample);
};

/* How a probe stands. */
struct nsn_metric_probe {
	const char *name, *feature;
	bool attached;
};

/* How a source of facts fared. */
struct nsn_metric_collector {
	const char *name;
	bool success;
	double seconds; /* < 0: not measured */
};

#define NSN_COUNTED_DRIVERS 8

enum nsn_attach_result {
	NSN_ATTACH_OK,
	NSN_ATTACH_EPERM,
	NSN_ATTACH_EBUSY,
	NSN_ATTACH_EINVAL,
	NSN_ATTACH_OTHER,
	NSN_ATTACH_RESULTS,
};

/* What happened since the tool began to count. */
struct nsn_counts {
	uint64_t attaches[NSN_ATTACH_RESULTS];
	struct {
		char driver[NSN_NAME_LEN];
		uint64_t enforced, refused;
	} enforce[NSN_COUNTED_DRIVERS];
	size_t enforce_count;
	uint64_t flushes[NSN_FLUSH_MAX];
	const uint64_t *verdict_changes; /* one a VM of the model, in its order */
	uint64_t events_lost, truncated_lists;
};

/* The process itself; < 0: unknown. */
struct nsn_metric_process {
	double cpu_seconds, resident_bytes, started_at;
	double open_fds, max_fds;
};

/* What an exposition is made of. Zero-initialise. */
struct nsn_metrics {
	const struct nsn_model *model;
	const struct nsn_findings *findings;
	const struct nsn_unknowns *unknowns;
	const struct nsn_counts *counts;          /* NULL: no counters, it is one look */
	const struct nsn_metric_process *process; /* NULL: none of its metrics */
	const struct nsn_metric_probe *probes;
	size_t probes_count;
	const struct nsn_metric_collector *collectors;
	size_t collectors_count;
	const char *version, *revision, *libbpf;
	bool host_domains; /* domains of the host too */
	bool max_vms_set;  /* --max-vms */
	size_t max_vms;

	/* Made by nsn_metrics__prepare(): */
	char (*vm_labels)[NSN_VM_LABEL]; /* one a VM of the model, unique */
	bool *vm_shown;                  /* the same */
	size_t vms_omitted;
};

struct nsn_metric {
	const char *name; /* of a counter with its _total */
	enum nsn_family_type type;
	const char *unit;   /* base unit that the name ends in; "" */
	const char *labels; /* for documents: "vm, verdict" */
	const char *help;
	const char *source; /* where in the kernel, or in the tool, it comes from */
	int (*collect)(const struct nsn_metric *metric, const struct nsn_metrics *in,
		       struct nsn_sample_sink *out);
	/* Of those that come from the field table: */
	enum nsn_object kind;
	const char *with; /* another field of the object that is a label too; NULL */
	bool (*applies)(const struct nsn_metrics *in, const void *object); /* NULL: to all */
};

/* The table, in the order in which metrics are printed and documented. */
extern const struct nsn_metric nsn_metrics_table[];
extern const size_t nsn_metrics_count;

/* Chooses labels of VMs, and those to be shown. 0 or -ENOMEM. */
int nsn_metrics__prepare(struct nsn_metrics *metrics);
void nsn_metrics__release(struct nsn_metrics *metrics);

/*
 * A label value that can't harm a reader: valid UTF-8 of at most size - 1 bytes, and of control
 * characters only newlines, which the formats escape.
 */
void nsn_label_text(char *out, size_t size, const char *text);

#endif /* NSN_METRICS_H */
