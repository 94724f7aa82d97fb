// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_text.c - the audit for people: the host, the VMs and their verdicts, what stands between
 * device and memory, findings, what is unknown, and the result in one line. Floor 3.
 */
#include "render_page.h"
#include "render_select.h"

#include <errno.h>
#include <string.h>

#define LEGEND_CELLS 18

static void print_title(struct nsn_page *page)
{
	const struct nsn_rec_host *host = &page->model->host;
	bool when = NSN_KNOWS(host, host, taken_at);
	char time[32] = "";

	if (when)
		nsn_format_time(time, sizeof(time), host->taken_at);
	fprintf(page->out, "%snosnoop %s audit%s%s%s\n", nsn_page__bold(page),
		page->opts->tool_version, nsn_page__end(page), when ? ", taken " : "", time);
}

/* What KVM decided for the VMs that were asked for, and what would become of such devices. */
static void print_details(struct nsn_page *page)
{
	const struct nsn_model *model = page->model;

	for (size_t i = 0; i < model->vms_count && page->opts->shows; i++) {
		const struct nsn_vm *vm = &model->vms[i];

		if (!nsn_page__shows(page, NSN_OBJECT_VM, vm))
			continue;
		nsn_page__heading(
			page, nsn_page__format(
				      page, "What KVM decided for %s",
				      nsn_page__safe(page, nsn_object__title(NSN_OBJECT_VM, vm))));
		nsn_page__list(page, NSN_OBJECT_KVM, vm, 2);
	}
	for (size_t i = 0; i < model->devices_count && page->opts->shows; i++) {
		const struct nsn_device *device = &model->devices[i];

		if (!device->prediction.applies ||
		    !nsn_page__shows(page, NSN_OBJECT_DEVICE, device))
			continue;
		nsn_page__heading(page, nsn_page__format(page, "If %s were assigned to a VM now",
							 nsn_page__safe(page, device->id)));
		nsn_page__list(page, NSN_OBJECT_IF_ASSIGNED, device, 2);
	}
}

static size_t count_shown(const struct nsn_page *page, enum nsn_object kind)
{
	size_t count = nsn_model__count(page->model, kind), shown = 0;

	for (size_t i = 0; i < count; i++)
		shown += nsn_page__shows(page, kind, nsn_model__object(page->model, kind, i));
	return shown;
}

/* True if an object that is shown has this value of a field. */
static bool has_value(const struct nsn_page *page, enum nsn_object kind,
		      const struct nsn_field *field, const char *text)
{
	size_t count = nsn_model__count(page->model, kind);
	struct nsn_value value;

	for (size_t i = 0; i < count; i++) {
		const void *object = nsn_model__object(page->model, kind, i);

		if (!nsn_page__shows(page, kind, object))
			continue;
		nsn_field__get(field, page->model, object, &value);
		if (value.type == NSN_VALUE_TEXT && strcmp(value.text, text) == 0)
			return true;
	}
	return false;
}

/* What the conclusions of that tone in the table mean: those that are there. */
static void print_legend(struct nsn_page *page, enum nsn_object kind, enum nsn_tone tone)
{
	const struct nsn_field *field;
	const struct nsn_wording *wording;

	for (field = nsn_kinds[kind].fields; field->path; field++) {
		if (!(field->text & NSN_TEXT_LEGEND))
			continue;
		for (wording = field->values; wording->text; wording++) {
			if (wording->tone != tone || !has_value(page, kind, field, wording->text))
				continue;
			fprintf(page->out, "  %s%s%s", nsn_page__tone(page, wording->tone),
				wording->text, nsn_page__end(page));
			nsn_page__paragraph(page, strlen(wording->text) + 2, 2, "", LEGEND_CELLS,
					    wording->words);
		}
	}
}

/* Why a table is empty: nothing there, or nothing seen? */
static void print_none(struct nsn_page *page, enum nsn_object kind, const char *nothing)
{
	const char *reason = nsn_unknowns_why_unseen(page->model, kind);
	const char *text = nothing;

	if (reason)
		text = nsn_page__format(page, "%s: %s",
					kind == NSN_OBJECT_VM &&
							nsn_model__source(page->model, "kernel.kvm",
									  NULL) == NSN_SOURCE_OK
						? "none is seen"
						: "unknown",
					nsn_page__safe(page, reason));
	nsn_page__paragraph(page, 0, 2, "", 2, text);
}

static void print_body(struct nsn_page *page, const struct nsn_findings *findings,
		       const struct nsn_unknowns *unknowns)
{
	print_title(page);
	fputc('\n', page->out);
	nsn_page__list(page, NSN_OBJECT_HOST, page->model, 0);
	nsn_page__heading(page, "IOMMUs");
	if (page->model->iommus_count)
		nsn_page__table(page, NSN_OBJECT_IOMMU);
	else
		print_none(page, NSN_OBJECT_IOMMU, "none is in use: the host translates no DMA");
	nsn_page__heading(page, "Virtual machines");
	if (count_shown(page, NSN_OBJECT_VM)) {
		nsn_page__table(page, NSN_OBJECT_VM);
		fputc('\n', page->out);
		for (int tone = NSN_TONE_BAD; tone >= NSN_TONE_PLAIN; tone--)
			print_legend(page, NSN_OBJECT_VM, tone);
	} else {
		print_none(page, NSN_OBJECT_VM,
			   page->model->vms_count ? "none of those that run is meant"
						  : "none is running");
	}
	print_details(page);
	nsn_page__trees(page);
	nsn_page__findings(page, findings);
	nsn_page__unknowns(page, unknowns);
	nsn_page__closing(page, findings);
}

int nsn_render_text(FILE *out, const struct nsn_model *model, const struct nsn_findings *findings,
		    const struct nsn_render_opts *opts)
{
	struct nsn_findings *selected = NULL;
	struct nsn_unknowns *unknowns;
	struct nsn_page page;

	nsn_page__init(&page, out, model, opts);
	if (opts->shows) {
		selected = nsn_selected__new(model, findings, opts);
		findings = selected;
	}
	unknowns = findings ? nsn_selected__unknowns(model, findings, opts) : NULL;
	if (unknowns)
		print_body(&page, findings, unknowns);
	else
		page.err = -ENOMEM;
	nsn_unknowns__free(unknowns);
	nsn_selected__free(selected);
	return nsn_page__close(&page);
}
