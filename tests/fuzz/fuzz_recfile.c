// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_recfile.c - hostile recordings, all the way: reader, model, rules, text
 * and JSON.
 *
 * Input that begins with '{' is a recording. Anything else is taken as records
 * in a compact form (compact_field() below), which reaches the model's corners
 * without the detour over valid JSON.
 */
#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect_replay.h"
#include "log.h"
#include "recfile.h"
#include "render.h"
#include "rules.h"

/* As many records as a few KB of input make; more only makes each run slower.
 */
#define MAX_RECORDS 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of log.c: messages are composed, so that their arguments are looked
 * at, and not shown.
 */
void nsn_log(enum nsn_log_level level, const char *format, ...)
{
	char text[4096];
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
}

void nsn_log__set_level(enum nsn_log_level level)
{
	(void)level;
}

enum nsn_log_level nsn_log__level(void)
{
	return NSN_LOG_DEBUG;
}

static void check(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static int memory_file(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	check(fd >= 0, "memfd_create");
	check(write(fd, data, size) == (ssize_t)size, "write");
	check(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	return fd;
}

/* What was read and is written again reads as the same. */
static void check_round_trip(const struct nsn_records *records)
{
	const struct nsn_rec *rec = NULL;
	int fd = memory_file("", 0);
	struct nsn_recfile *file;
	struct nsn_records back;
	char path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	nsn_records__init(&back);
	check(nsn_recfile__create(path, &file) == 0, "create");
	while ((rec = nsn_records__next(records, rec)))
		check(nsn_recfile__put(file, rec) == 0, "what was read can be written");
	check(nsn_recfile__commit(file) == 0, "commit");
	nsn_recfile__free(file);
	check(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	check(nsn_replay__collect_fd(fd, "back", &back.sink) == 0, "what was written can be read");
	check(back.size == records->size, "the same records come back");
	check(!back.size || memcmp(back.data, records->data, back.size) == 0,
	      "the same values come back");
	nsn_records__free(&back);
}

/* Do the printed bytes hold a control character that a terminal would act on?
 */
static bool is_clean(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f)
			return false;
	return true;
}

/* Widths, colours and locales take turns with the size of the input. */
static void print_text(const struct nsn_model *model, const struct nsn_findings *findings,
		       size_t turn)
{
	static const int widths[] = { 80, 40, 200 };
	struct nsn_render_opts opts = { .width = widths[turn / 4 % NSN_ARRAY_SIZE(widths)],
					.utf8 = turn % 2,
					.color = turn / 2 % 2,
					.fail_on = NSN_SEVERITY_WARNING,
					.tool_version = "fuzz" };
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	check(setlocale(LC_ALL, opts.utf8 ? "C.UTF-8" : "C"), "locale");
	check(nsn_render_text(out, model, findings, &opts) == 0, "text");
	fclose(out);
	check(opts.color || is_clean(text, size), "no control character in the text");
	free(text);
}

static void print_json(const struct nsn_model *model, const struct nsn_findings *findings)
{
	struct nsn_render_opts opts = { .fail_on = NSN_SEVERITY_WARNING, .tool_version = "fuzz" };
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	check(nsn_render_json(out, model, findings, &opts) == 0, "json");
	fclose(out);
	check(is_clean(text, size), "no control character in the JSON");
	free(text);
}

static void judge(const struct nsn_records *records, size_t turn)
{
	struct nsn_model *model = nsn_model__new();
	const struct nsn_rec *rec = NULL;
	struct nsn_findings *findings;
	size_t count = 0;

	check(model, "model");
	while ((rec = nsn_records__next(records, rec)) && count++ < MAX_RECORDS)
		check(nsn_model__add(model, rec) == 0, "the model takes what the reader gives");
	check(nsn_model__finish(model) == 0, "finish");
	findings = nsn_findings__new(model);
	check(findings, "findings");
	print_json(model, findings);
	/* The text takes five times as long as all the rest. */
	if (turn % 4 == 0)
		print_text(model, findings, turn / 4);
	nsn_findings__free(findings);
	nsn_model__free(model);
}

static void fuzz_recording(const uint8_t *data, size_t size)
{
	struct nsn_records records;

	nsn_records__init(&records);
	if (nsn_replay__collect_fd(memory_file(data, size), "fuzz", &records.sink) == 0) {
		check_round_trip(&records);
		judge(&records, size);
	} else {
		check(records.count == 0, "a broken recording gives nothing");
	}
	nsn_records__free(&records);
}

/* Texts that records hold in life; a byte picks one. */
static const char *const words[] = {
	"",
	"vfio-iommu-type1",
	"vfio-noiommu",
	"intel",
	"amd",
	"virtio",
	"vfio-pci",
	"i915",
	"pci",
	"mdev",
	"0000:00:02.0",
	"0000:00:02.1",
	"dmar0",
	"dmar1",
	"kernel.files",
	"kernel.kvm",
	"kernel.vfio",
	"kernel.type1",
	"kernel.iommu",
	"kernel.iommufd",
	"sysfs.iommu",
	"sysfs.groups",
	"sysfs.pci",
	"proc",
	"intel_iommu_enforce_cache_coherency",
	"amd_iommu_enforce_cache_coherency",
	"D3cold",
	"DMA",
	"identity",
	"qemu-system-x86",
	"11111111-2222-3333-4444-555555555555",
	"\x1b[31m\n\"\xc2\x9b\xf0\x9f\x92\xa9",
};

/* Small numbers, so that objects meet; some large ones. */
static uint64_t pick_number(uint8_t byte)
{
	if (byte < 0xf0)
		return byte % 24;
	return byte < 0xf8 ? 1ULL << (byte - 0xe0) : byte == 0xff ? UINT64_MAX : byte * 40503ULL;
}

static size_t compact_field(const struct nsn_field_desc *field, char *at, const uint8_t *data,
			    size_t size)
{
	const char *word;
	uint64_t number;

	if (!size)
		return 0;
	if (field->type == NSN_FIELD_STR) {
		word = words[*data % NSN_ARRAY_SIZE(words)];
		nsn_utf8_copy(at, field->size, word);
	} else {
		number = pick_number(*data);
		if (field->type == NSN_FIELD_KEY)
			number %= 8;
		memcpy(at, &number, sizeof(number));
	}
	return 1;
}

/* A record: a byte for the kind, one that (mostly) says which field is unknown,
 * the fields. */
static void fuzz_records(const uint8_t *data, size_t size)
{
	struct nsn_records records;
	size_t turn = size;

	nsn_records__init(&records);
	while (size >= 2 && records.count < MAX_RECORDS) {
		union nsn_any_rec rec = { .h = { .kind = data[0] % NSN_REC_MAX } };
		const struct nsn_rec_desc *desc = &nsn_rec_descs[rec.h.kind];
		uint8_t unknown = data[1];

		rec.h.size = desc->size;
		data += 2;
		size -= 2;
		for (size_t i = 0; i < desc->fields_count; i++) {
			size_t used;

			if (unknown != 0xff && (unknown == i || unknown == 0xfe))
				continue;
			used = compact_field(&desc->fields[i],
					     (char *)&rec + desc->fields[i].offset, data, size);
			rec.h.known |= 1U << i;
			data += used;
			size -= used;
		}
		check(nsn_records__add(&records, &rec.h) == 0, "memory");
	}
	judge(&records, turn);
	nsn_records__free(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] == '{')
		fuzz_recording(data, size);
	else
		fuzz_records(data, size);
	return 0;
}
