// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_prom.c - metrics as Prometheus reads them, and the table of them as a document. Floor 3.
 */
#include "render_prom.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One family while it is printed. */
struct printer {
	struct nsn_sample_sink sink;
	FILE *out;
	const struct nsn_metric *metric;
	enum nsn_prom_format format;
	bool begun; /* its HELP and TYPE are out */
};

const char *nsn_prom_content_type(enum nsn_prom_format format)
{
	return format == NSN_PROM_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}

/* Both formats escape these three in a label's value; HELP of the text format leaves quotes alone. */
static void print_escaped(FILE *out, const char *text, bool quotes)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\' || (*text == '"' && quotes))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

/* A family of OpenMetrics is called without the ends that its samples must have. */
static int family_length(const struct printer *printer)
{
	static const char total[] = "_total", info[] = "_info";
	size_t length = strlen(printer->metric->name);

	if (printer->format == NSN_PROM_TEXT)
		return (int)length;
	if (printer->metric->type == NSN_FAMILY_COUNTER)
		length -= sizeof(total) - 1;
	else if (printer->metric->type == NSN_FAMILY_INFO)
		length -= sizeof(info) - 1;
	return (int)length;
}

static const char *type_name(const struct printer *printer)
{
	switch (printer->metric->type) {
	case NSN_FAMILY_COUNTER:
		return "counter";
	case NSN_FAMILY_HISTOGRAM:
		return "histogram";
	case NSN_FAMILY_INFO:
		return printer->format == NSN_PROM_OPENMETRICS ? "info" : "gauge";
	default:
		return "gauge";
	}
}

static void begin_family(struct printer *printer)
{
	const struct nsn_metric *metric = printer->metric;
	int length = family_length(printer);
	FILE *out = printer->out;

	fprintf(out, "# HELP %.*s ", length, metric->name);
	print_escaped(out, metric->help, printer->format == NSN_PROM_OPENMETRICS);
	fprintf(out, "\n# TYPE %.*s %s\n", length, metric->name, type_name(printer));
	if (printer->format == NSN_PROM_OPENMETRICS && metric->unit)
		fprintf(out, "# UNIT %.*s %s\n", length, metric->name, metric->unit);
	printer->begun = true;
}

/* The shortest text that reads back as the same number. */
static void print_number(FILE *out, double value)
{
	char text[40];

	if (fabs(value) < 9007199254740992.0 && value == floor(value)) {
		fprintf(out, "%.0f", value);
		return;
	}
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	fputs(text, out);
}

static int print_sample(struct nsn_sample_sink *sink, const struct nsn_sample *sample)
{
	struct printer *printer = (struct printer *)sink;
	FILE *out = printer->out;
	char before = '{';

	if (!printer->begun)
		begin_family(printer);
	fputs(printer->metric->name, out);
	fputs(sample->suffix, out);
	for (size_t i = 0; i < sample->labels_count; i++) {
		const struct nsn_label *label = &sample->labels[i];

		if (!label->value || !label->value[0])
			continue;
		fprintf(out, "%c%s=\"", before, label->name);
		print_escaped(out, label->value, true);
		fputc('"', out);
		before = ',';
	}
	fputs(before == ',' ? "} " : " ", out);
	print_number(out, sample->value);
	return fputc('\n', out) == EOF ? -EIO : 0;
}

static bool is_wanted(const struct nsn_metric *metric, const struct nsn_metrics *in)
{
	if (metric->type != NSN_FAMILY_COUNTER && metric->type != NSN_FAMILY_HISTOGRAM)
		return true;
	return in->counts != NULL;
}

int nsn_render_prom(FILE *out, const struct nsn_metrics *metrics, enum nsn_prom_format format)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
	int err = 0;

	if (!plain)
		return -ENOMEM;
	before = uselocale(plain);
	for (size_t i = 0; i < nsn_metrics_count && !err; i++) {
		struct printer printer = {
			.sink = { .put = print_sample },
			.out = out,
			.metric = &nsn_metrics_table[i],
			.format = format,
		};

		if (is_wanted(printer.metric, metrics))
			err = printer.metric->collect(printer.metric, metrics, &printer.sink);
	}
	if (!err && format == NSN_PROM_OPENMETRICS)
		fputs("# EOF\n", out);
	uselocale(before);
	freelocale(plain);
	return err ? err : ferror(out) ? -EIO : 0;
}

/* ---- the document ----------------------------------------------------------------------------- */

static void print_labels(FILE *out, const char *labels)
{
	const char *before = "";

	while (*labels) {
		size_t length = strcspn(labels, ",");

		fprintf(out, "%s`%.*s`", before, (int)length, labels);
		before = ", ";
		labels += length;
		labels += strspn(labels, ", ");
	}
}

int nsn_render_metrics_list(FILE *out)
{
	static const char *const types[] = { "gauge", "info", "counter", "histogram" };

	fputs("# Metrics\n\n"
	      "Printed by `nosnoop export --list-metrics`, from the table that the exporter itself "
	      "loops over.\n"
	      "[exporter.md](exporter.md) says how they are collected and how exact they are. A fact "
	      "that could not be\n"
	      "read has no sample; `nosnoop_unknown_facts` counts it. Counters and histograms begin with "
	      "the process and\n"
	      "end with the VM; `nosnoop export --once` and `--textfile` without `--interval` have "
	      "none. The metrics\n"
	      "`process_*` are those of nosnoop-exporter over HTTP alone.\n\n"
	      "| metric | type | unit | labels | what it says | where it comes from |\n"
	      "| --- | --- | --- | --- | --- | --- |\n",
	      out);
	for (size_t i = 0; i < nsn_metrics_count; i++) {
		const struct nsn_metric *metric = &nsn_metrics_table[i];

		fprintf(out, "| `%s` | %s | %s | ", metric->name, types[metric->type],
			metric->unit ? metric->unit : "");
		print_labels(out, metric->labels);
		fprintf(out, " | %s | %s |\n", metric->help, metric->source);
	}
	return ferror(out) ? -EIO : 0;
}
