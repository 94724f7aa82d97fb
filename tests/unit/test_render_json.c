// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_render_json.c - the JSON of an audit: its keys and their order, a reason for every null
 * whatever is missing, hostile text, what is shown.
 */
#include "machine.h"
#include "rendered.h"

#include <errno.h>
#include <jansson.h>

static struct nsn_render_opts opts = { .fail_on = NSN_SEVERITY_WARNING, .tool_version = "1.2.3" };

static json_t *audit(void)
{
	char *text = rendered(nsn_render_json, &opts);
	json_error_t error;
	json_t *root;

	for (const char *c = text; *c; c++)
		if ((*c < ' ' && *c != '\n') || *c > '~')
			fail_msg("byte %02x in JSON", (unsigned char)*c);
	root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("no JSON: %s", error.text);
	free(text);
	return root;
}

static json_t *nth_of(json_t *root, const char *array, size_t n)
{
	json_t *item = json_array_get(json_object_get(root, array), n);

	if (!item)
		fail_msg("no %s[%zu]", array, n);
	return item;
}

static const char *string(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		fail_msg("%s is no string", key);
	return text;
}

static void keys_and_their_order(void **state)
{
	static const char *const keys[] = {
		"schema",   "tool_version", "taken_at",       "result",    "host",    "iommus",
		"vms",      "containers",   "domains",        "groups",    "devices", "rules",
		"findings", "unknown",      "not_applicable", "truncated", "lost",
	};
	const char *key;
	json_t *root, *value;
	size_t i = 0;

	(void)state;
	assign(1, 0);
	SET(HOST, host, 0, taken_at, 1700000000123456789ULL);
	judge();
	root = audit();
	json_object_foreach(root, key, value)
		assert_string_equal(key, keys[i++]);
	assert_int_equal(i, NSN_ARRAY_SIZE(keys));
	assert_string_equal(string(root, "schema"), "nosnoop.audit/1");
	assert_string_equal(string(root, "tool_version"), "1.2.3");
	assert_string_equal(string(root, "taken_at"), "2023-11-14T22:13:20Z");
	assert_int_equal(json_array_size(json_object_get(root, "rules")), nsn_rules_count);
	value = nth_of(root, "vms", 0);
	assert_string_equal(string(value, "verdict"), "coherent");
	assert_null(json_object_get(value, "uuid")); /* it has none */
	assert_true(json_is_null(json_object_get(value, "comm")));
	value = nth_of(root, "groups", 0);
	assert_int_equal(json_integer_value(json_object_get(value, "id")), 2);
	value = json_array_get(json_object_get(value, "members"), 0);
	assert_string_equal(string(value, "role"), "vfio");
	json_decref(root);
}

static void result_is_that_of_the_rules(void **state)
{
	json_t *root, *result, *finding_json;

	(void)state;
	assign(0, 0);
	forget_kvm_vfio();
	judge();
	root = audit();
	result = json_object_get(root, "result");
	assert_string_equal(string(result, "status"), "findings");
	assert_int_equal(json_integer_value(json_object_get(result, "exit_code")), 1);
	assert_int_equal(nsn_render_result(model, findings, &opts), 1);
	finding_json = nth_of(root, "findings", 0);
	assert_string_equal(string(finding_json, "rule"), "NS001");
	assert_string_equal(string(finding_json, "severity"), "critical");
	assert_string_equal(string(json_object_get(finding_json, "subject"), "kind"), "vm");
	assert_string_equal(string(json_object_get(finding_json, "subject"), "id"),
			    string(nth_of(root, "vms", 0), "id"));
	assert_true(json_object_size(json_object_get(finding_json, "evidence")) > 0);
	json_decref(root);
}

/* ---- every null has its reason --------------------------------------------------------------- */

static bool is_explained(json_t *root, const char *fact, const char *subject)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(root, "unknown"), i, row)
		if (strcmp(string(row, "fact"), fact) == 0 && string(row, "reason")[0] &&
		    (strcmp(string(row, "subject"), subject) == 0 ||
		     strcmp(string(row, "subject"), "*") == 0))
			return true;
	return false;
}

/* Checks all nulls below a value of an object; gives how many there are. */
static size_t check_nulls(json_t *root, json_t *value, const char *fact, const char *subject)
{
	char inner[128];
	size_t count = 0, i;
	const char *key;
	json_t *item;

	if (json_is_null(value)) {
		if (!is_explained(root, fact, subject))
			fail_msg("%s of %s is null without a reason", fact, subject);
		return 1;
	}
	json_object_foreach(value, key, item)
		count += check_nulls(root, item,
				     nsn_format(inner, sizeof(inner), "%s.%s", fact, key), subject);
	json_array_foreach(value, i, item)
		count += check_nulls(root, item, fact, subject);
	return count;
}

static size_t check_all_nulls(void)
{
	static const char *const arrays[] = { "iommus",  "vms",    "containers",
					      "domains", "groups", "devices" };
	json_t *root = audit(), *item, *id;
	size_t count, i;
	char subject[128];

	count = check_nulls(root, json_object_get(root, "host"), "host", "host");
	for (size_t k = 0; k < NSN_ARRAY_SIZE(arrays); k++) {
		json_array_foreach(json_object_get(root, arrays[k]), i, item) {
			id = json_object_get(item, "id");
			if (json_is_integer(id))
				nsn_format(subject, sizeof(subject), "%lld",
					   (long long)json_integer_value(id));
			else
				nsn_format(subject, sizeof(subject), "%s", json_string_value(id));
			count += check_nulls(root, item, arrays[k], subject);
		}
	}
	json_decref(root);
	return count;
}

/* Takes each fact of each record away, one at a time. */
static void every_null_has_a_reason(void **state)
{
	const struct nsn_rec *next = NULL;
	size_t before, more = 0, taken = 0;

	(void)state;
	assign(1, 0);
	assign_another(0);
	add_group(9, 1);
	add_device("0000:00:09.0", 9, "e1000e", 1);
	judge();
	before = check_all_nulls();
	while ((next = nsn_records__next(&records, next))) {
		struct nsn_rec *rec = (struct nsn_rec *)next;
		__u32 known = rec->known;

		for (size_t i = 0; i < nsn_rec_descs[rec->kind].fields_count; i++) {
			if (!(known & (1U << i)))
				continue;
			rec->known = known & ~(1U << i);
			judge();
			more += check_all_nulls() > before;
			taken++;
		}
		rec->known = known;
	}
	/* else the loop above tests nothing */
	assert_true(taken > 150);
	assert_true(more > taken / 4);
}

static void failed_sources_are_reasons(void **state)
{
	(void)state;
	assign(1, 0);
	for (size_t i = 0; i < 9; i++)
		REC(SOURCE, source, i)->state = NSN_SOURCE_FAILED;
	judge();
	check_all_nulls();
}

/* ---- hostile text ---------------------------------------------------------------------------- */

static void names_cannot_break_out(void **state)
{
	(void)state;
	assign(0, 0);
	forget_kvm_vfio();
	for (size_t i = 0; i < NSN_ARRAY_SIZE(hostile_names); i++) {
		json_t *root, *name;

		name_vm(hostile_names[i]);
		judge();
		root = audit();
		name = json_object_get(nth_of(root, "vms", 0), "name");
		if (hostile_names[i][0])
			assert_true(json_is_string(name));
		/* what is valid comes out as it went in */
		if (hostile_names[i][0] && !strstr(hostile_names[i], "bad"))
			assert_string_equal(json_string_value(name), hostile_names[i]);
		json_decref(root);
	}
}

/* ---- what is shown --------------------------------------------------------------------------- */

static bool shows_nothing(const struct nsn_render_opts *options, enum nsn_object kind,
			  const void *object)
{
	(void)options;
	(void)object;
	return kind == NSN_OBJECT_IOMMU;
}

static void only_what_is_shown(void **state)
{
	json_t *root;

	(void)state;
	assign(0, 0);
	forget_kvm_vfio();
	judge();
	opts.shows = shows_nothing;
	root = audit();
	assert_int_equal(json_array_size(json_object_get(root, "vms")), 0);
	assert_int_equal(json_array_size(json_object_get(root, "devices")), 0);
	assert_int_equal(json_array_size(json_object_get(root, "iommus")), 1);
	assert_int_equal(json_array_size(json_object_get(root, "findings")), 0);
	assert_string_equal(string(json_object_get(root, "result"), "status"), "clean");
	assert_int_equal(nsn_render_result(model, findings, &opts), 0);
	opts.shows = NULL;
	assert_int_equal(nsn_render_result(model, findings, &opts), 1);
	json_decref(root);
}

static void full_disk_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	if (!full)
		skip();
	assign(1, 0);
	judge();
	assert_int_equal(nsn_render_json(full, model, findings, &opts), -EIO);
	fclose(full);
}

static void rules_as_json(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *root;

	(void)state;
	assert_int_equal(nsn_render_rules(out, true, &opts), 0);
	fclose(out);
	root = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(root), nsn_rules_count);
	assert_string_equal(string(json_array_get(root, 0), "id"), "NS001");
	assert_string_equal(string(json_array_get(root, 0), "severity"), "critical");
	json_decref(root);
	free(text);
	out = open_memstream(&text, &size);
	assert_int_equal(nsn_render_explain(out, nsn_rule_by_id("NS006"), true, &opts), 0);
	fclose(out);
	root = json_loads(text, 0, NULL);
	assert_true(string(root, "why")[0] && string(root, "check")[0] &&
		    string(root, "remedy")[0]);
	json_decref(root);
	free(text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_and_their_order),    TEST(result_is_that_of_the_rules),
		TEST(every_null_has_a_reason), TEST(failed_sources_are_reasons),
		TEST(names_cannot_break_out),  TEST(only_what_is_shown),
		TEST(full_disk_is_an_error),   TEST(rules_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
