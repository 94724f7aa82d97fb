// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_top_rows.c - the views of nosnooptop: their columns, and the rows of each. Floor 3.
 *
 * Columns of objects are fields of fields.h by their paths, under short headers.
 */
#include "render_top_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* ---- columns ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct nsn_column vm_columns[] = {
	{ .header = "VM", .flexible = true },
	{ .header = "PID", .path = "pid", .right = true, .spare = 5 },
	{ .header = "VCPU", .path = "vcpus", .right = true, .falling = true, .spare = 7 },
	{ .header = "DEV", .path = "devices", .right = true, .falling = true, .count = true },
	{ .header = "VERDICT", .path = "verdict", .falling = true },
	{ .header = "REG", .path = "noncoherent_dma", .right = true, .falling = true, .spare = 4 },
	{ .header = "EXIT/s", .path = "wbinvd.exits_per_second", .right = true, .falling = true,
	  .spare = 1 },
	{ .header = "EXEC/s", .path = "wbinvd.executed_per_second", .right = true, .falling = true },
	{ .header = "TIME%", .path = "wbinvd.cpu_share", .right = true, .falling = true, .spare = 2 },
	{ .header = "P50", .path = "wbinvd.p50_seconds", .right = true, .falling = true, .spare = 6 },
	{ .header = "P99", .path = "wbinvd.p99_seconds", .right = true, .falling = true, .spare = 3 },
	{ .header = "EXECUTED/s OF LATE", .spare = 22, .history = true },
	{ .header = "EXECUTED", .path = "wbinvd.executed", .right = true, .falling = true,
	  .spare = 23 },
	{ .header = "IGNORED", .path = "wbinvd.ignored", .right = true, .falling = true,
	  .spare = 24 },
	{ .header = "DEVICES", .path = "devices", .spare = 21 },
	{ .header = NULL },
};

static const struct nsn_column domain_columns[] = {
	{ .header = "DOMAIN" },
	{ .header = "VMS", .flexible = true },
	{ .header = "DRIVER", .path = "iommu_driver", .spare = 3 },
	{ .header = "KIND", .path = "kind", .spare = 2 },
	{ .header = "TABLE", .path = "page_table", .spare = 21 },
	{ .header = "BLOCKS NO SNOOP", .path = "enforced" },
	{ .header = "COHERENCY", .path = "coherency.state", .spare = 1 },
	{ .header = "CONTAINER", .path = "container", .spare = 22 },
	{ .header = "GROUPS", .path = "groups", .spare = 23 },
	{ .header = "DEVICES", .path = "devices", .spare = 25 },
	{ .header = "FUNCTION", .path = "coherency.op", .spare = 26 },
	{ .header = NULL },
};

static const struct nsn_column device_columns[] = {
	{ .header = "DEVICE" },
	{ .header = "VMS", .spare = 21 },
	{ .header = "GROUP", .path = "group", .right = true, .spare = 2 },
	{ .header = "IOMMU", .path = "iommu", .spare = 22 },
	{ .header = "DRIVER", .path = "driver", .spare = 1 },
	{ .header = "NO SNOOP", .path = "nosnoop.permitted" },
	{ .header = "CAN BLOCK", .path = "cap_enforce_coherency", .spare = 23 },
	{ .header = "NAME", .path = "name", .flexible = true },
	{ .header = "ATS", .path = "ats", .spare = 25 },
	{ .header = "POWER", .path = "power_state", .spare = 26 },
	{ .header = NULL },
};

static const struct nsn_column finding_columns[] = {
	{ .header = "SEVERITY", .falling = true },
	{ .header = "RULE" },
	{ .header = "SUBJECT" },
	{ .header = "FINDING", .flexible = true },
	{ .header = NULL },
};

static const struct nsn_column event_columns[] = {
	{ .header = "TIME", .falling = true },
	{ .header = "EVENT" },
	{ .header = "VM" },
	{ .header = "OBJECT", .spare = 1 },
	{ .header = "RESULT" },
	{ .header = "WHAT", .flexible = true },
	{ .header = NULL },
};

static const struct nsn_column iommu_columns[] = {
	{ .header = "IOMMU" },
	{ .header = "DRIVER", .path = "driver", .spare = 2 },
	{ .header = "BLOCKS NO SNOOP", .path = "snoop_control" },
	{ .header = "ISOLATES IRQS", .path = "interrupt_remapping", .spare = 1 },
	{ .header = "DEVICES", .right = true, .falling = true },
	{ .header = "ASSIGNED", .right = true, .falling = true },
	{ .header = "VMS", .flexible = true },
	{ .header = NULL },
};
/* clang-format on */

const struct nsn_column *const nsn_top_view_columns[NSN_VIEW_MAX] = {
	[NSN_VIEW_VMS] = vm_columns,         [NSN_VIEW_DOMAINS] = domain_columns,
	[NSN_VIEW_DEVICES] = device_columns, [NSN_VIEW_FINDINGS] = finding_columns,
	[NSN_VIEW_EVENTS] = event_columns,   [NSN_VIEW_IOMMUS] = iommu_columns,
};

/* ---- cells ------------------------------------------------------------------------------------ */

static struct nsn_row *add_row(struct nsn_table *table, const void *object, const char *subject)
{
	struct nsn_row *row = &table->rows[table->rows_count];

	row->object = object;
	row->subject = subject;
	row->place = table->rows_count++;
	return row;
}

static void set_text(struct nsn_cell *cell, const char *safe, unsigned int style)
{
	cell->text = safe;
	cell->sorted = safe;
	cell->style = style;
}

static void set_number(struct nsn_cell *cell, const char *text, double number, unsigned int style)
{
	cell->text = text;
	cell->numeric = true;
	cell->number = number;
	cell->style = style;
}

static const char *real_text(struct nsn_draw *draw, const struct nsn_field *field, double real)
{
	if (strcmp(field->unit, "ratio") == 0)
		return nsn_top_percent(draw->page, real);
	if (strcmp(field->unit, "s") == 0)
		return nsn_top_seconds(draw, real);
	return nsn_top_number(draw->page, real);
}

/* How grave a text of the field is: a verdict is sorted by that. */
static int rank_of(const struct nsn_field *field, const struct nsn_value *value)
{
	return field->values ? (int)value->tone : -1;
}

static void set_value(struct nsn_draw *draw, const struct nsn_column *column,
		      const struct nsn_field *field, const struct nsn_value *value,
		      struct nsn_cell *cell)
{
	unsigned int style = nsn_top_tone(value->tone);

	/* what can't be told sorts below everything that can */
	if (field->live && value->type <= NSN_VALUE_ABSENT) {
		set_number(cell, "-", -1, NSN_STYLE_DIM);
	} else if (value->type == NSN_VALUE_REAL) {
		set_number(cell, real_text(draw, field, value->real), value->real,
			   value->real > 0 ? style : NSN_STYLE_DIM);
	} else if (value->type == NSN_VALUE_INT) {
		set_number(cell,
			   field->live ? nsn_top_count(draw->page, value->number)
				       : nsn_page__value(draw->page, field, value),
			   (double)value->number, value->number ? style : NSN_STYLE_DIM);
	} else if (value->type == NSN_VALUE_LIST && column->count) {
		set_number(cell, nsn_page__format(draw->page, "%zu", value->count),
			   (double)value->count, value->count ? style : NSN_STYLE_DIM);
	} else if (value->type == NSN_VALUE_UNKNOWN && column->right) {
		set_number(cell, "?", -1, value->moot ? NSN_STYLE_DIM : NSN_STYLE_WARNING);
	} else {
		set_text(cell, nsn_page__value(draw->page, field, value), style);
		if (value->type == NSN_VALUE_UNKNOWN || value->type == NSN_VALUE_NONE ||
		    (field->values && value->tone == NSN_TONE_PLAIN))
			cell->style = NSN_STYLE_DIM;
		if (column->falling && rank_of(field, value) >= 0)
			set_number(cell, cell->text, rank_of(field, value), cell->style);
	}
}

static const struct nsn_field *field_by_path(enum nsn_object kind, const char *path)
{
	const struct nsn_field *field = nsn_kinds[kind].fields;

	while (field->path && strcmp(field->path, path))
		field++;
	return field->path ? field : NULL;
}

void nsn_table__fill(struct nsn_draw *draw, const struct nsn_table *table, struct nsn_row *row,
		     size_t column)
{
	const struct nsn_column *meant = &table->columns[column];
	struct nsn_cell *cell = &row->cells[column];
	const struct nsn_field *field;
	struct nsn_value value;

	if (cell->text || meant->history || table->kind == NSN_OBJECT_MAX)
		return;
	if (!column) {
		set_text(cell,
			 nsn_page__safe(draw->page, nsn_object__title(table->kind, row->object)),
			 cell->style);
		return;
	}
	field = meant->path ? field_by_path(table->kind, meant->path) : NULL;
	if (!field)
		return;
	nsn_field__get(field, draw->page->model, row->object, &value);
	set_value(draw, meant, field, &value, cell);
}

/* Rows of all objects of a kind that are shown. */
static void add_objects(struct nsn_draw *draw, struct nsn_table *table, enum nsn_object kind)
{
	size_t count = nsn_model__count(draw->page->model, kind);

	table->kind = kind;
	table->rows = nsn_page__allocate(draw->page, count * sizeof(*table->rows));
	for (size_t i = 0; i < count && table->rows; i++) {
		const void *object = nsn_model__object(draw->page->model, kind, i);

		if (nsn_page__shows(draw->page, kind, object))
			add_row(table, object, nsn_object__id(kind, object));
	}
}

/* ---- views ------------------------------------------------------------------------------------ */

static void make_vms(struct nsn_draw *draw, struct nsn_table *table)
{
	static const int gravities[NSN_VERDICT_MAX] = {
		[NSN_VERDICT_UNSAFE] = 3,     [NSN_VERDICT_UNKNOWN] = 2,
		[NSN_VERDICT_UNATTACHED] = 2, [NSN_VERDICT_NONCOHERENT] = 2,
		[NSN_VERDICT_COHERENT] = 1,
	};

	add_objects(draw, table, NSN_OBJECT_VM);
	for (size_t i = 0; i < table->rows_count; i++) {
		struct nsn_row *row = &table->rows[i];
		const struct nsn_vm *vm = row->object;

		/* who flushes most, then whose verdict is worst */
		row->weight = vm->rates.known ? vm->rates.executed : 0;
		row->gravity = row->weight >= 0.05 ? 100 : gravities[vm->verdict];
		row->cells[0].style =
			NSN_STYLE_BOLD | (vm->verdict == NSN_VERDICT_UNSAFE ? NSN_STYLE_BAD : 0);
		for (size_t j = 0; j < table->columns_count; j++)
			if (table->columns[j].history)
				set_number(&row->cells[j], NULL, row->weight, 0);
	}
}

/* Adds the VM's name to a cell; several VMs are separated by commas. */
static void add_name(struct nsn_draw *draw, struct nsn_cell *cell, const struct nsn_vm *vm)
{
	const char *name = nsn_page__safe(draw->page, nsn_object__title(NSN_OBJECT_VM, vm));

	if (cell->text && strcmp(cell->text, "-"))
		name = nsn_page__format(draw->page, "%s, %s", cell->text, name);
	set_text(cell, name, 0);
}

/* Whose the objects are: `offset` of the VM's refs to them, `size` of an object in the model. */
static void add_users(struct nsn_draw *draw, struct nsn_table *table, size_t column, size_t offset,
		      const char *first, size_t size)
{
	const struct nsn_model *model = draw->page->model;
	size_t count = table->rows_count, all = count;
	struct nsn_row **by_place;

	for (size_t i = 0; i < count; i++) {
		size_t place = (size_t)((const char *)table->rows[i].object - first) / size + 1;

		set_text(&table->rows[i].cells[column], "-", NSN_STYLE_DIM);
		all = place > all ? place : all;
	}
	by_place = nsn_page__allocate(draw->page, all * sizeof(struct nsn_row *));
	for (size_t i = 0; i < count && by_place; i++)
		by_place[(size_t)((const char *)table->rows[i].object - first) / size] =
			&table->rows[i];
	for (size_t i = 0; i < model->vms_count && by_place; i++) {
		const struct nsn_vm *vm = &model->vms[i];
		const struct nsn_refs *refs = (const struct nsn_refs *)((const char *)vm + offset);

		for (size_t j = 0; j < refs->items_count; j++) {
			size_t place = (size_t)((const char *)refs->items[j] - first) / size;

			if (place < all && by_place[place])
				add_name(draw, &by_place[place]->cells[column], vm);
		}
	}
}

static void make_domains(struct nsn_draw *draw, struct nsn_table *table)
{
	const struct nsn_model *model = draw->page->model;

	add_objects(draw, table, NSN_OBJECT_DOMAIN);
	add_users(draw, table, 1, offsetof(struct nsn_vm, domains), (const char *)model->domains,
		  sizeof(*model->domains));
	for (size_t i = 0; i < table->rows_count; i++) {
		const struct nsn_domain *domain = table->rows[i].object;

		/* users' domains first, those that don't block before the others */
		table->rows[i].gravity = !domain->user                           ? 0
					 : domain->blocks_nosnoop == NSN_NO      ? 3
					 : domain->blocks_nosnoop == NSN_UNKNOWN ? 2
										 : 1;
		if (!domain->user)
			table->rows[i].style = NSN_STYLE_DIM;
	}
}

static void make_devices(struct nsn_draw *draw, struct nsn_table *table)
{
	const struct nsn_model *model = draw->page->model;

	add_objects(draw, table, NSN_OBJECT_DEVICE);
	add_users(draw, table, 1, offsetof(struct nsn_vm, devices), (const char *)model->devices,
		  sizeof(*model->devices));
	for (size_t i = 0; i < table->rows_count; i++) {
		const struct nsn_device *device = table->rows[i].object;

		table->rows[i].gravity = device->assigned ? 1 : 0;
		if (!device->assigned)
			table->rows[i].style = NSN_STYLE_DIM;
	}
}

static void make_iommus(struct nsn_draw *draw, struct nsn_table *table)
{
	const struct nsn_model *model = draw->page->model;

	add_objects(draw, table, NSN_OBJECT_IOMMU);
	for (size_t i = 0; i < table->rows_count; i++) {
		struct nsn_row *row = &table->rows[i];
		const struct nsn_iommu *iommu = row->object;
		size_t assigned = 0;

		set_text(&row->cells[6], "-", NSN_STYLE_DIM);
		for (size_t j = 0; j < iommu->devices.items_count; j++)
			assigned += ((const struct nsn_device *)iommu->devices.items[j])->assigned;
		set_number(&row->cells[4],
			   nsn_page__format(draw->page, "%zu", iommu->devices.items_count),
			   (double)iommu->devices.items_count, 0);
		set_number(&row->cells[5], nsn_page__format(draw->page, "%zu", assigned),
			   (double)assigned, assigned ? NSN_STYLE_BOLD : NSN_STYLE_DIM);
		for (size_t j = 0; j < model->vms_count; j++) {
			const struct nsn_refs *devices = &model->vms[j].devices;

			for (size_t k = 0; k < devices->items_count; k++) {
				if (((const struct nsn_device *)devices->items[k])->iommu != iommu)
					continue;
				add_name(draw, &row->cells[6], &model->vms[j]);
				break;
			}
		}
	}
}

/* What a reader calls a subject: "vm web1". */
static const char *subject_of(struct nsn_page *page, const char *kind, const char *id)
{
	const struct nsn_model *model = page->model;

	if (strcmp(kind, "host") == 0)
		return "host";
	for (size_t i = 0; i < model->vms_count && strcmp(kind, "vm") == 0; i++)
		if (strcmp(model->vms[i].id, id) == 0)
			id = nsn_object__title(NSN_OBJECT_VM, &model->vms[i]);
	return nsn_page__format(page, "%s %s", kind, nsn_page__safe(page, id));
}

static void make_findings(struct nsn_draw *draw, struct nsn_table *table)
{
	const struct nsn_findings *findings = draw->top->findings;
	struct nsn_page *page = draw->page;
	const char *subject;

	table->rows = nsn_page__allocate(
		page, (findings->findings_count + findings->unknowns_count) * sizeof(*table->rows));
	for (size_t i = 0; i < findings->findings_count && table->rows; i++) {
		const struct nsn_finding *finding = &findings->findings[i];
		struct nsn_row *row;

		subject = nsn_page__format(page, "%s %s %s", finding->rule->id,
					   finding->subject_kind, finding->subject_id);
		row = add_row(table, finding, subject);
		row->gravity = 2 + (int)finding->severity;
		set_number(&row->cells[0], nsn_severity_name(finding->severity),
			   (double)finding->severity, nsn_top_severity(finding->severity));
		set_text(&row->cells[1], finding->rule->id, 0);
		set_text(&row->cells[2],
			 subject_of(page, finding->subject_kind, finding->subject_id),
			 NSN_STYLE_BOLD);
		set_text(&row->cells[3], nsn_page__safe(page, finding->title), 0);
	}
	for (size_t i = 0; i < findings->unknowns_count && table->rows; i++) {
		const struct nsn_rule_unknown *unknown = &findings->unknowns[i];
		struct nsn_row *row;

		subject = nsn_page__format(page, "? %s %s %s", unknown->rule->id,
					   unknown->subject_kind, unknown->subject_id);
		row = add_row(table, NULL, subject);
		row->style = NSN_STYLE_DIM;
		set_number(&row->cells[0], "unknown", -1, 0);
		set_text(&row->cells[1], unknown->rule->id, 0);
		set_text(&row->cells[2],
			 subject_of(page, unknown->subject_kind, unknown->subject_id), 0);
		set_text(&row->cells[3],
			 nsn_page__format(page, "could not be decided: %s",
					  nsn_page__safe(page, unknown->reason)),
			 0);
	}
}

/* What is told of a VM goes with it; of the rest, what is told of a device or group that is shown. */
bool nsn_top_shows_event(const struct nsn_page *page, const struct nsn_top_event *event)
{
	const struct nsn_model *model = page->model;
	const struct nsn_device *device;
	const struct nsn_group *group = NULL;
	uint64_t number;

	if (!page->opts->shows || event->rec.event >= NSN_EVENT_PROBE)
		return true;
	for (size_t i = 0; i < model->vms_count && event->vm_id[0]; i++)
		if (strcmp(model->vms[i].id, event->vm_id) == 0)
			return nsn_page__shows(page, NSN_OBJECT_VM, &model->vms[i]);
	if (event->vm_id[0])
		return false;
	device = nsn_model__device(model, event->object);
	if (device)
		return nsn_page__shows(page, NSN_OBJECT_DEVICE, device);
	if (strncmp(event->object, "group ", 6) == 0 &&
	    nsn_parse_u64(event->object + 6, &number) == 0)
		group = nsn_model__group(model, number);
	return group && nsn_page__shows(page, NSN_OBJECT_GROUP, group);
}

static void make_events(struct nsn_draw *draw, struct nsn_table *table)
{
	const struct nsn_top *top = draw->top;
	struct nsn_page *page = draw->page;
	const char *subject;

	table->rows = nsn_page__allocate(page, top->events_count * sizeof(*table->rows));
	for (size_t i = 0; i < top->events_count && table->rows; i++) {
		const struct nsn_top_event *event = &top->events[i];
		const char *name = nsn_event_name(event->rec.event);
		unsigned int style;
		const char *result = nsn_top_event_result(page, &event->rec, &style);
		struct nsn_row *row;

		if (!nsn_top_shows_event(page, event))
			continue;
		subject = nsn_page__format(
			page, "%llu %llu %llu", (unsigned long long)event->rec.monotonic,
			(unsigned long long)event->rec.event, (unsigned long long)event->rec.tid);
		row = add_row(table, event, subject);
		row->weight = (double)i;
		set_number(&row->cells[0],
			   NSN_KNOWS(&event->rec, event, time)
				   ? nsn_top_clock(page, event->rec.time, draw->width < 100)
				   : "-",
			   (double)i, NSN_STYLE_DIM);
		set_text(&row->cells[1], name ? name : "?", NSN_STYLE_BOLD);
		set_text(&row->cells[2], event->vm[0] ? nsn_page__safe(page, event->vm) : "-",
			 event->vm[0] ? 0 : NSN_STYLE_DIM);
		set_text(&row->cells[3],
			 event->object[0] ? nsn_page__safe(page, event->object) : "-",
			 event->object[0] ? 0 : NSN_STYLE_DIM);
		set_text(&row->cells[4], result, style);
		set_text(&row->cells[5], nsn_top_event_text(draw, &event->rec), 0);
	}
}

void nsn_table__rows(struct nsn_draw *draw, struct nsn_table *table)
{
	static void (*const make[NSN_VIEW_MAX])(struct nsn_draw *, struct nsn_table *) = {
		[NSN_VIEW_VMS] = make_vms,         [NSN_VIEW_DOMAINS] = make_domains,
		[NSN_VIEW_DEVICES] = make_devices, [NSN_VIEW_FINDINGS] = make_findings,
		[NSN_VIEW_EVENTS] = make_events,   [NSN_VIEW_IOMMUS] = make_iommus,
	};

	table->columns = nsn_top_view_columns[table->view];
	table->columns_count = (size_t)nsn_top_columns(table->view);
	table->kind = NSN_OBJECT_MAX;
	make[table->view](draw, table);
}
