// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_render_prom.c - metrics: labels of VMs with hostile and equal names, what is unknown, which VMs
 * are left out, histograms, and both formats.
 */
#include "machine.h"

#include <locale.h>
#include <stdio.h>

#include "render_prom.h"

static struct nsn_counts counts;
static uint64_t changes[8];

/* What is printed of the machine, with counters or without; the caller frees it. */
static char *print(enum nsn_prom_format format, bool with_counters, int max_vms)
{
	const struct nsn_scope all = { 0 };
	struct nsn_metrics metrics = { .version = "1.0", .revision = "r", .libbpf = "1.1" };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	metrics.model = model;
	metrics.findings = findings;
	metrics.unknowns = nsn_unknowns__new(model, NULL, &all);
	assert_non_null(metrics.unknowns);
	metrics.max_vms_set = max_vms >= 0;
	metrics.max_vms = max_vms >= 0 ? (size_t)max_vms : 0;
	counts.verdict_changes = changes;
	metrics.counts = with_counters ? &counts : NULL;
	assert_int_equal(nsn_metrics__prepare(&metrics), 0);
	assert_int_equal(nsn_render_prom(out, &metrics, format), 0);
	assert_int_equal(fclose(out), 0);
	nsn_metrics__release(&metrics);
	nsn_unknowns__free((struct nsn_unknowns *)metrics.unknowns);
	return text;
}

/* Has the text this line? */
static bool has(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}

#define HAS(text, line)                                                                            \
	do {                                                                                       \
		if (!has(text, line))                                                              \
			fail_msg("no line '%s' in:\n%s", line, text);                              \
	} while (0)

static void check_label(const char *text, const char *expected)
{
	char out[NSN_VM_LABEL];

	nsn_label_text(out, sizeof(out), text);
	assert_string_equal(out, expected);
}

static void test_label_text(void **state)
{
	char long_name[400], out[NSN_VM_LABEL];

	(void)state;
	check_label("web1", "web1");
	check_label("two\nlines", "two\nlines");
	check_label("\x1b[31m", "\xef\xbf\xbd[31m");
	check_label("\x7f\xc2\x9b", "\xef\xbf\xbd\xef\xbf\xbd");
	check_label("bad\xff\xc3", "bad\xef\xbf\xbd\xef\xbf\xbd");
	/* 128 bytes, never half of a character */
	for (size_t i = 0; i < 300; i += 3)
		memcpy(long_name + i, "\xe8\x99\x9a", 3);
	long_name[300] = '\0';
	nsn_label_text(out, sizeof(out), long_name);
	assert_int_equal(strlen(out), 126);
}

static void test_escapes(void **state)
{
	char *text;

	(void)state;
	assign(0, 1);
	SET_STR(PROCESS, process, 0, name, "a\"b\\c\nd");
	judge();
	text = print(NSN_PROM_TEXT, false, -1);
	HAS(text, "nosnoop_vm_verdict{vm=\"a\\\"b\\\\c\\nd\",verdict=\"noncoherent\"} 1");
	HAS(text, "nosnoop_vm_verdict{vm=\"a\\\"b\\\\c\\nd\",verdict=\"unsafe\"} 0");
	assert_null(strstr(text, "_total"));
	free(text);
}

static void test_unknown_has_no_sample(void **state)
{
	char *text;

	(void)state;
	assign(0, 1);
	judge();
	text = print(NSN_PROM_TEXT, false, -1);
	HAS(text, "nosnoop_vm_noncoherent_dma{vm=\"web1\"} 1");
	assert_null(strstr(text, "fact=\"vms.noncoherent_dma\""));
	free(text);
	FORGET(VM, vm, 0, noncoherent_dma);
	judge();
	text = print(NSN_PROM_TEXT, false, -1);
	assert_null(strstr(text, "nosnoop_vm_noncoherent_dma{"));
	HAS(text, "nosnoop_unknown_facts{fact=\"vms.noncoherent_dma\"} 1");
	HAS(text, "nosnoop_vm_verdict{vm=\"web1\",verdict=\"unknown\"} 1");
	free(text);
}

/* Two VMs of one name, with a third that is called as one of them would be. */
static void test_twins(void **state)
{
	char *text;

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		add_vm(0, 0);
		REC(VM, vm, i)->vm = VM_KEY + i;
		REC(VM, vm, i)->pid = REC(VM, vm, i)->creator = PID + i;
		REC(PROCESS, process, i)->pid = PID + i;
		SET_STR(PROCESS, process, i, name, i == 2 ? "twin~1234" : "twin");
	}
	SET_STR(PROCESS, process, 1, uuid, "5f0c2a1e-7b9d-4c55-8f5e-2d1f00c0ffee");
	judge();
	assert_int_equal(model->vms_count, 3);
	text = print(NSN_PROM_TEXT, false, -1);
	HAS(text, "nosnoop_vm_noncoherent_dma{vm=\"twin~5f0c2a1e\"} 0");
	HAS(text, "nosnoop_vm_noncoherent_dma{vm=\"twin~pid:1234@7\"} 0");
	HAS(text, "nosnoop_vm_noncoherent_dma{vm=\"twin~1234~pid:1236@7\"} 0");
	free(text);
	text = print(NSN_PROM_TEXT, false, 1);
	HAS(text, "nosnoop_vms_omitted 2");
	free(text);
	text = print(NSN_PROM_TEXT, false, 0);
	HAS(text, "nosnoop_vms_omitted 3");
	assert_null(strstr(text, "nosnoop_vm_info{"));
	free(text);
}

static void test_counters(void **state)
{
	struct nsn_vm_counters *counters;
	char *text;

	(void)state;
	assign(0, 1);
	add_source("events.wbinvd", NSN_SOURCE_OK);
	judge();
	model->live = true;
	counters = &model->vms[0].counters;
	counters->known = true;
	text = print(NSN_PROM_TEXT, true, -1);
	HAS(text, "nosnoop_vm_wbinvd_exits_total{vm=\"web1\",outcome=\"executed\"} 0");
	assert_null(strstr(text, "duration_seconds")); /* until the first */
	free(text);
	counters->executed = counters->timed = 5;
	counters->buckets[0] = 2;
	counters->buckets[8] = 2;
	counters->buckets[9] = 1;
	counters->elapsed_ns = 1500000000;
	counts.flushes[NSN_FLUSH_GUEST] = 5;
	text = print(NSN_PROM_TEXT, true, -1);
	HAS(text, "# TYPE nosnoop_vm_wbinvd_duration_seconds histogram");
	HAS(text, "nosnoop_vm_wbinvd_duration_seconds_bucket{vm=\"web1\",le=\"4.096e-06\"} 2");
	HAS(text, "nosnoop_vm_wbinvd_duration_seconds_bucket{vm=\"web1\",le=\"0.067108864\"} 2");
	HAS(text, "nosnoop_vm_wbinvd_duration_seconds_bucket{vm=\"web1\",le=\"0.268435456\"} 4");
	HAS(text, "nosnoop_vm_wbinvd_duration_seconds_bucket{vm=\"web1\",le=\"+Inf\"} 5");
	HAS(text, "nosnoop_vm_wbinvd_duration_seconds_sum{vm=\"web1\"} 1.5");
	HAS(text, "nosnoop_vm_wbinvd_duration_seconds_count{vm=\"web1\"} 5");
	HAS(text, "nosnoop_host_cache_flushes_total{initiator=\"guest\"} 5");
	assert_null(strstr(text, "initiator=\"drm\"")); /* nothing counts it here */
	free(text);
}

static void test_openmetrics(void **state)
{
	char *text;

	(void)state;
	assign(0, 1);
	judge();
	text = print(NSN_PROM_OPENMETRICS, true, -1);
	HAS(text, "# TYPE nosnoop_vm info");
	HAS(text, "# TYPE nosnoop_vm_verdict_changes counter");
	HAS(text, "nosnoop_vm_verdict_changes_total{vm=\"web1\"} 0");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
}

/* Decimal points stay points where people write commas. */
static void test_locale(void **state)
{
	struct nsn_vm_counters *counters;
	char *text;

	(void)state;
	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "de_DE"))
		print_message("no locale with a decimal comma is installed\n");
	assign(0, 1);
	judge();
	counters = &model->vms[0].counters;
	counters->known = true;
	counters->timed = counters->buckets[0] = 1;
	counters->elapsed_ns = 2500;
	text = print(NSN_PROM_TEXT, true, -1);
	HAS(text, "nosnoop_vm_wbinvd_duration_seconds_sum{vm=\"web1\"} 2.5e-06");
	setlocale(LC_NUMERIC, "C");
	free(text);
}

/* Each row that comes from the field table has at least one field that names it, and the other way. */
static void test_table(void **state)
{
	(void)state;
	for (int kind = 0; kind < NSN_OBJECT_MAX; kind++) {
		for (const struct nsn_field *field = nsn_kinds[kind].fields; field->path; field++) {
			bool found = !field->metric;

			for (size_t i = 0; i < nsn_metrics_count && !found; i++)
				found = strcmp(nsn_metrics_table[i].name, field->metric) == 0;
			if (!found)
				fail_msg("%s names no metric of the table", field->path);
		}
	}
	for (size_t i = 0; i < nsn_metrics_count; i++) {
		const struct nsn_metric *metric = &nsn_metrics_table[i];
		size_t length = strlen(metric->name);

		assert_true(metric->help && metric->source && metric->labels && metric->collect);
		assert_int_equal(metric->type == NSN_FAMILY_COUNTER,
				 length > 6 && !strcmp(metric->name + length - 6, "_total"));
		assert_int_equal(metric->type == NSN_FAMILY_INFO,
				 length > 5 && !strcmp(metric->name + length - 5, "_info"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label_text),
		cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_has_no_sample, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_openmetrics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locale, setup, teardown),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
