// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_fields.c - the field table is sound and agrees with the schema; what is unknown, what an
 * object has not and what a kernel has not are kept apart.
 */
#include "machine.h"

#include <jansson.h>

#include "fields.h"
#include "unknowns.h"

static const struct nsn_scope everything;

static const struct nsn_field *field(enum nsn_object kind, const char *path)
{
	const struct nsn_field *row;

	for (row = nsn_kinds[kind].fields; row->path; row++)
		if (strcmp(row->path, path) == 0)
			return row;
	fail_msg("no field %s", path);
	return NULL;
}

static enum nsn_value_type type_of(enum nsn_object kind, const char *path, const void *object)
{
	struct nsn_value value;

	nsn_field__get(field(kind, path), model, object, &value);
	return value.type;
}

static const char *text_of(enum nsn_object kind, const char *path, const void *object)
{
	static struct nsn_value value;

	nsn_field__get(field(kind, path), model, object, &value);
	assert_int_equal(value.type, NSN_VALUE_TEXT);
	return value.text;
}

/* ---- the table itself ------------------------------------------------------------------------ */

static void check_row(const struct nsn_kind *kind, const struct nsn_field *row)
{
	const struct nsn_field *other;

	assert_non_null(row->get);
	assert_non_null(row->header);
	assert_non_null(row->source);
	assert_non_null(row->help);
	if (row->help[strlen(row->help) - 1] != '.')
		fail_msg("help of %s.%s is no sentence", kind->plural, row->path);
	for (other = kind->fields; other != row; other++)
		if (strcmp(other->path, row->path) == 0)
			fail_msg("%s.%s is there twice", kind->plural, row->path);
	assert_int_equal(!row->metric, row->metric_type == NSN_METRIC_NONE);
	if (row->metric)
		assert_int_equal(strncmp(row->metric, "nosnoop_", 8), 0);
	if (row->metric_type == NSN_METRIC_STATESET)
		assert_non_null(row->values);
	if (row->text & NSN_TEXT_LEGEND)
		assert_non_null(row->values);
	/* a yes or no in the host's list is a sentence */
	if ((row->text & NSN_TEXT_LIST) && (row->yes || row->no))
		assert_true(row->yes && row->no);
}

static void rows_are_sound(void **state)
{
	const struct nsn_field *row;
	size_t rows = 0;

	(void)state;
	for (int kind = 0; kind < NSN_OBJECT_MAX; kind++) {
		for (row = nsn_kinds[kind].fields; row->path; row++, rows++)
			check_row(&nsn_kinds[kind], row);
	}
	assert_in_range(rows, 80, 200);
}

static void has_value(enum nsn_object kind, const char *path, const char *text)
{
	const struct nsn_wording *wording;

	if (!text)
		return;
	for (wording = field(kind, path)->values; wording->text; wording++)
		if (strcmp(wording->text, text) == 0)
			return;
	fail_msg("%s.%s does not know %s", nsn_kinds[kind].plural, path, text);
}

/* Whatever the model can call a value has its row of words. */
static void every_name_has_words(void **state)
{
	(void)state;
	for (int i = 0; i < 16; i++) {
		has_value(NSN_OBJECT_VM, "guest_wbinvd", nsn_guest_wbinvd_name(i));
		has_value(NSN_OBJECT_VM, "verdict", nsn_verdict_name(i));
		has_value(NSN_OBJECT_VM, "name_source", nsn_name_source_name(i));
		has_value(NSN_OBJECT_LINK, "by", nsn_link_by_name(i));
		has_value(NSN_OBJECT_PATH, "dma", nsn_dma_name(i));
		has_value(NSN_OBJECT_CONTAINER, "kind", nsn_container_kind_name(i));
		has_value(NSN_OBJECT_DOMAIN, "kind", nsn_domain_kind_name(i));
		has_value(NSN_OBJECT_DOMAIN, "coherency.state", nsn_coherency_name(i));
		has_value(NSN_OBJECT_DOMAIN, "enforced_source", nsn_enforced_source_name(i));
		has_value(NSN_OBJECT_GROUP, "owner", nsn_owner_name(i));
		has_value(NSN_OBJECT_GROUP, "why", nsn_group_why_name(i));
		has_value(NSN_OBJECT_GROUP, "default_kind", nsn_domain_kind_name(i));
		has_value(NSN_OBJECT_MEMBER, "role", nsn_role_name(i));
		has_value(NSN_OBJECT_DEVICE, "nosnoop.source", nsn_nosnoop_source_name(i));
	}
}

/* ---- the schema ------------------------------------------------------------------------------ */

static json_t *load_schema(const char *name)
{
	const char *top = getenv("NSN_TOP");
	char path[4096];
	json_t *schema;

	nsn_format(path, sizeof(path), "%s/docs/%s.schema.json", top ? top : ".", name);
	schema = json_load_file(path, 0, NULL);
	if (!schema)
		fail_msg("%s can't be read; run this from the top of the tree", path);
	return schema;
}

/* The definition of a property by its path: "coherency.state" is nested. */
static json_t *property(json_t *object, const char *path)
{
	size_t length = strcspn(path, ".");
	char key[64];

	nsn_format(key, sizeof(key), "%.*s", (int)length, path);
	object = json_object_get(json_object_get(object, "properties"), key);
	return path[length] ? property(object, path + length + 1) : object;
}

static size_t count_properties(json_t *object)
{
	json_t *inner;
	const char *key;
	size_t count = 0;

	json_object_foreach(json_object_get(object, "properties"), key, inner)
		count += json_object_get(inner, "properties") ? count_properties(inner) : 1;
	return count;
}

static void check_enum(const struct nsn_field *row, json_t *definition)
{
	json_t *values = json_object_get(definition, "enum"), *value;
	const struct nsn_wording *wording = row->values;
	size_t i;

	assert_int_equal(!values, !wording);
	if (!wording)
		return;
	json_array_foreach(values, i, value) {
		if (!json_is_null(value))
			assert_string_equal(json_string_value(value), (wording++)->text);
	}
	assert_null(wording->text);
}

/* live: with the rows that only a series of snapshots has. */
static void check_schema(const char *name, bool live)
{
	json_t *schema = load_schema(name);

	for (int kind = 0; kind < NSN_OBJECT_MAX; kind++) {
		json_t *object =
			json_object_get(json_object_get(schema, "$defs"), nsn_kinds[kind].name);
		const struct nsn_field *row;
		size_t rows = 0;

		assert_non_null(object);
		for (row = nsn_kinds[kind].fields; row->path; row++) {
			json_t *definition = property(object, row->path);
			json_t *help = json_object_get(definition, "description");

			if (row->live && !live)
				continue;
			rows++;
			if (!definition)
				fail_msg("%s lacks %s.%s", name, nsn_kinds[kind].name, row->path);
			assert_string_equal(json_string_value(help), row->help);
			check_enum(row, definition);
		}
		assert_int_equal(count_properties(object), rows);
	}
	json_decref(schema);
}

static void schema_agrees(void **state)
{
	(void)state;
	check_schema("audit", false);
	check_schema("live", true);
}

/* ---- three ways not to have a value ---------------------------------------------------------- */

static void unknown_none_absent(void **state)
{
	(void)state;
	assign(1, 0);
	judge();
	assert_int_equal(type_of(NSN_OBJECT_VM, "noncoherent_dma", model->vms), NSN_VALUE_INT);
	assert_int_equal(type_of(NSN_OBJECT_VM, "uuid", model->vms), NSN_VALUE_NONE);
	assert_int_equal(type_of(NSN_OBJECT_VM, "vmm", model->vms), NSN_VALUE_UNKNOWN);
	FORGET(VM, vm, 0, noncoherent_dma);
	judge();
	assert_int_equal(type_of(NSN_OBJECT_VM, "noncoherent_dma", model->vms), NSN_VALUE_UNKNOWN);
}

static void what_is_not_loaded_is_absent(void **state)
{
	struct nsn_unknowns *unknowns;

	(void)state;
	plain_host();
	judge();
	assert_int_equal(type_of(NSN_OBJECT_HOST, "vfio.allow_unsafe_interrupts", model),
			 NSN_VALUE_ABSENT);
	unknowns = nsn_unknowns__new(model, findings, &everything);
	assert_non_null(unknowns);
	assert_true(unknowns->absent_count >= 2);
	for (size_t i = 0; i < unknowns->items_count; i++)
		assert_null(strstr(unknowns->items[i].fact, "vfio."));
	nsn_unknowns__free(unknowns);
}

static void values_of_a_coherent_vm(void **state)
{
	const struct nsn_domain *domain;
	struct nsn_value value, item;

	(void)state;
	assign(1, 0);
	judge();
	assert_string_equal(text_of(NSN_OBJECT_VM, "verdict", model->vms), "coherent");
	assert_string_equal(text_of(NSN_OBJECT_VM, "guest_wbinvd", model->vms), "ignored");
	assert_string_equal(nsn_object__title(NSN_OBJECT_VM, model->vms), "web1");
	domain = model->vms->domains.items[0];
	assert_string_equal(text_of(NSN_OBJECT_DOMAIN, "coherency.state", domain), "enforced");
	assert_string_equal(text_of(NSN_OBJECT_DOMAIN, "page_table", domain), "second");
	nsn_field__get(field(NSN_OBJECT_DOMAIN, "enforced"), model, domain, &value);
	assert_int_equal(value.type, NSN_VALUE_BOOL);
	assert_true(value.boolean);
	assert_int_equal(value.tone, NSN_TONE_GOOD);
	nsn_field__get(field(NSN_OBJECT_VM, "groups"), model, model->vms, &value);
	assert_int_equal(value.count, 1);
	nsn_value__item(&value, 0, &item);
	assert_int_equal(item.type, NSN_VALUE_INT);
	assert_int_equal(item.number, 2);
	nsn_field__get(field(NSN_OBJECT_VM, "devices"), model, model->vms, &value);
	nsn_value__item(&value, 0, &item);
	assert_string_equal(item.text, "0000:00:03.0");
}

/* Started 50 s after boot, by a clock of 100 ticks a second. */
static void times_are_utc(void **state)
{
	struct nsn_rec_host *host;

	(void)state;
	assign(1, 0);
	host = REC(HOST, host, 0);
	NSN_PUT(host, host, boot_time, 1000000000ULL * 1000000000ULL);
	NSN_PUT(host, host, ticks_per_second, 100);
	REC(VM, vm, 0)->start_ticks = 5000;
	REC(PROCESS, process, 0)->start_ticks = 5000;
	judge();
	assert_string_equal(text_of(NSN_OBJECT_VM, "started_at", model->vms),
			    "2001-09-09T01:47:30Z");
	FORGET(HOST, host, 0, boot_time);
	judge();
	assert_int_equal(type_of(NSN_OBJECT_VM, "started_at", model->vms), NSN_VALUE_UNKNOWN);
}

/* A list that could not be seen is not empty. */
static void unseen_is_not_empty(void **state)
{
	struct nsn_value value;

	(void)state;
	assign(1, 0);
	set_source("kernel.files", NSN_SOURCE_FAILED);
	REC(FILE, file, 1)->kind = NSN_FILE_NONE;
	FORGET(FILE, file, 0, pid);
	FORGET(FILE, file, 1, pid);
	judge();
	nsn_field__get(field(NSN_OBJECT_GROUP, "opened_by"), model, model->groups, &value);
	assert_int_equal(value.type, NSN_VALUE_UNKNOWN);
	nsn_field__get(field(NSN_OBJECT_CONTAINER, "pids"), model, model->containers, &value);
	assert_int_equal(value.type, NSN_VALUE_UNKNOWN);
}

/* VFIO makes a group up for a mediated device: that it has no default domain is known. */
static void no_default_domain(void **state)
{
	(void)state;
	add_group(3, 0);
	SET_STR(SYS_GROUP, sys_group, 0, type, "unknown");
	SET(GROUP, group, 0, default_domain, 0);
	judge();
	assert_int_equal(type_of(NSN_OBJECT_GROUP, "default_kind", model->groups), NSN_VALUE_NONE);
	FORGET(GROUP, group, 0, default_domain);
	judge();
	assert_int_equal(type_of(NSN_OBJECT_GROUP, "default_kind", model->groups),
			 NSN_VALUE_UNKNOWN);
}

/* ---- why ------------------------------------------------------------------------------------- */

static size_t rows_of(const struct nsn_unknowns *unknowns, const char *fact,
		      const struct nsn_unknown **row)
{
	size_t count = 0;

	for (size_t i = 0; i < unknowns->items_count; i++) {
		if (strcmp(unknowns->items[i].fact, fact))
			continue;
		*row = &unknowns->items[i];
		count++;
	}
	return count;
}

static void add_missing(const char *fact, const char *subject, const char *reason)
{
	NSN_NEW(rec, MISSING, missing);

	NSN_PUT_STR(&rec, missing, fact, fact);
	NSN_PUT_STR(&rec, missing, subject, subject);
	NSN_PUT_STR(&rec, missing, reason, reason);
	ADD(rec);
}

static void one_reason_is_one_row(void **state)
{
	static const char fact[] = "devices.vendor_id";
	const struct nsn_unknown *row = NULL;
	struct nsn_unknowns *unknowns;
	char bdf[32];

	(void)state;
	plain_host();
	judge();
	unknowns = nsn_unknowns__new(model, NULL, &everything);
	assert_int_equal(rows_of(unknowns, fact, &row), 1);
	assert_string_equal(row->subject, "0000:00:03.0"); /* the only one: by its name */
	nsn_unknowns__free(unknowns);

	for (unsigned int bus = 1; bus < 200; bus++)
		add_device(nsn_format(bdf, sizeof(bdf), "0000:%02x:00.0", bus), 2, "e1000e", 1);
	judge();
	unknowns = nsn_unknowns__new(model, NULL, &everything);
	assert_int_equal(rows_of(unknowns, fact, &row), 1);
	assert_string_equal(row->subject, "*");
	nsn_unknowns__free(unknowns);

	add_missing(fact, "0000:07:00.0", "it sleeps");
	judge();
	unknowns = nsn_unknowns__new(model, NULL, &everything);
	assert_int_equal(rows_of(unknowns, fact, &row), 200);
	nsn_unknowns__free(unknowns);

	/* one that has it: the others are no longer all */
	SET(DEVICE, device, 3, vendor_id, 0x8086);
	set_source("sysfs.pci", NSN_SOURCE_FAILED);
	judge();
	unknowns = nsn_unknowns__new(model, NULL, &everything);
	assert_int_equal(rows_of(unknowns, fact, &row), 199);
	nsn_unknowns__free(unknowns);
}

static void reasons_come_from_the_right_place(void **state)
{
	const struct nsn_unknown *row = NULL;
	struct nsn_unknowns *unknowns;

	(void)state;
	assign(1, 0);
	FORGET(DEVICE, device, 0, ats);
	FORGET(DEVICE, device, 0, nosnoop);
	SET(DEVICE, device, 0, asleep, 1);
	FORGET(VM, vm, 0, noncoherent_dma);
	add_missing("vms.noncoherent_dma", "", "the field has moved");
	judge();
	unknowns = nsn_unknowns__new(model, findings, &everything);
	assert_int_equal(rows_of(unknowns, "devices.ats", &row), 1);
	assert_string_equal(row->reason, "asleep");
	assert_string_equal(row->subject, "0000:00:03.0");
	assert_int_equal(rows_of(unknowns, "devices.nosnoop.permitted", &row), 1);
	assert_string_equal(row->reason, "asleep");
	assert_int_equal(rows_of(unknowns, "vms.noncoherent_dma", &row), 1);
	assert_string_equal(row->reason, "the field has moved");
	/* a conclusion that is "unknown" has its row too, and so has the rule */
	assert_int_equal(rows_of(unknowns, "vms.verdict", &row), 1);
	assert_int_equal(rows_of(unknowns, "rules.NS001", &row), 1);
	assert_true(row->rule);
	nsn_unknowns__free(unknowns);
}

static bool no_devices(const void *data, enum nsn_object kind, const void *object)
{
	(void)data;
	(void)object;
	return kind != NSN_OBJECT_DEVICE;
}

static void scope_limits_the_questions(void **state)
{
	struct nsn_scope scope = { .shows = no_devices };
	const struct nsn_unknown *row = NULL;
	struct nsn_unknowns *unknowns;

	(void)state;
	assign(1, 0);
	FORGET(DEVICE, device, 0, ats);
	judge();
	unknowns = nsn_unknowns__new(model, findings, &scope);
	assert_int_equal(rows_of(unknowns, "devices.ats", &row), 0);
	nsn_unknowns__free(unknowns);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sound),
		cmocka_unit_test(every_name_has_words),
		cmocka_unit_test(schema_agrees),
		TEST(unknown_none_absent),
		TEST(what_is_not_loaded_is_absent),
		TEST(values_of_a_coherent_vm),
		TEST(times_are_utc),
		TEST(unseen_is_not_empty),
		TEST(no_default_domain),
		TEST(one_reason_is_one_row),
		TEST(reasons_come_from_the_right_place),
		TEST(scope_limits_the_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
