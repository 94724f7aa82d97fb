// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * seeds.c FOLDER FIXTURE... - what the fuzzer starts from: each fixture as it is and as compact
 * records (see fuzz_recfile.c), one small recording a kind of record, and a dictionary of all keys.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect_replay.h"
#include "recfile.h"
#include "util.h"

static FILE *create(const char *folder, const char *name, const char *suffix)
{
	char path[4096];
	FILE *out = fopen(nsn_format(path, sizeof(path), "%s/%s%s", folder, name, suffix), "w");

	if (!out) {
		perror(path);
		exit(2);
	}
	return out;
}

static void write_dictionary(const char *folder)
{
	FILE *out = create(folder, "keys", ".dict");

	fputs("\"\\\"schema\\\":\\\"" NSN_RECFILE_SCHEMA "\\\"\"\n", out);
	for (int kind = 0; kind < NSN_REC_MAX; kind++) {
		const struct nsn_rec_desc *desc = &nsn_rec_descs[kind];

		fprintf(out, "\"{\\\"rec\\\":\\\"%s\\\",\"\n", desc->name);
		for (size_t i = 0; i < desc->fields_count; i++)
			fprintf(out, "\"\\\"%s\\\":\"\n", desc->fields[i].name);
	}
	fclose(out);
}

static void write_kind(const char *folder, int kind)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[kind];
	FILE *out = create(folder, desc->name, ".jsonl");

	fprintf(out, "{\"schema\":\"%s\"}\n{\"rec\":\"%s\"", NSN_RECFILE_SCHEMA, desc->name);
	for (size_t i = 0; i < desc->fields_count; i++)
		fprintf(out, desc->fields[i].type == NSN_FIELD_STR ? ",\"%s\":\"a\"" : ",\"%s\":1",
			desc->fields[i].name);
	fputs("}\n{\"rec\":\"end\"}\n", out);
	fclose(out);
}

/* Texts lose their values and numbers their size; the objects still meet in the same way. */
static void write_compact(FILE *out, const struct nsn_rec *rec)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[rec->kind];

	fputc(rec->kind, out);
	fputc(0xff, out);
	for (size_t i = 0; i < desc->fields_count; i++) {
		__u64 number;

		memcpy(&number, (const char *)rec + desc->fields[i].offset, sizeof(number));
		fputc(desc->fields[i].type == NSN_FIELD_STR ? 1 + (int)(i % 30)
							    : (int)(number % 24),
		      out);
	}
}

static int write_fixture(const char *folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const struct nsn_rec *rec = NULL;
	struct nsn_records records;
	FILE *out;
	int err;

	nsn_records__init(&records);
	err = nsn_replay__collect(path, &records.sink);
	if (err)
		return err;
	out = create(folder, name, ".compact");
	while ((rec = nsn_records__next(&records, rec)))
		write_compact(out, rec);
	fclose(out);
	nsn_records__free(&records);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	write_dictionary(argv[1]);
	for (int kind = 0; kind < NSN_REC_MAX; kind++)
		write_kind(argv[1], kind);
	for (int i = 2; i < argc; i++)
		if (write_fixture(argv[1], argv[i]))
			return 2;
	return 0;
}
