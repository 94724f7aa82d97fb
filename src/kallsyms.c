// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kallsyms.c - which of a few symbols a kernel has. Floor 2.
 */
#include "kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

int nsn_kallsyms__want(struct nsn_kallsyms *kallsyms, const char *name)
{
	struct nsn_kallsym *symbol = NSN_APPEND(kallsyms, symbols);

	if (!symbol)
		return -ENOMEM;
	symbol->name = name;
	return 0;
}

static int compare_symbols(const void *left, const void *right)
{
	const struct nsn_kallsym *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static struct nsn_kallsym *lookup(const struct nsn_kallsyms *kallsyms, const char *name)
{
	struct nsn_kallsym key = { .name = name };

	if (!kallsyms->symbols_count)
		return NULL;
	return bsearch(&key, kallsyms->symbols, kallsyms->symbols_count, sizeof(key),
		       compare_symbols);
}

/* A name asked for twice stands in the table twice; all of them are marked, so any may be found. */
static void mark(struct nsn_kallsyms *kallsyms, struct nsn_kallsym *hit, const char *module)
{
	struct nsn_kallsym *end = kallsyms->symbols + kallsyms->symbols_count;

	while (hit > kallsyms->symbols && strcmp(hit[-1].name, hit->name) == 0)
		hit--;
	for (const char *name = hit->name; hit < end && strcmp(hit->name, name) == 0; hit++) {
		if (hit->found)
			continue;
		hit->found = true;
		nsn_format(hit->module, sizeof(hit->module), "%s", module);
	}
}

/* "ffffffff81000000 t name\t[module]" */
static bool parse_line(struct nsn_kallsyms *kallsyms, const char *line)
{
	char type, name[512], module[58] = "";
	struct nsn_kallsym *hit;
	int got = sscanf(line, "%*s %c %511s [%57[^]]", &type, name, module);

	if (got < 2)
		return false;
	/* lower case: static. Linker symbols of data are always there, and global. */
	if (type == 'b' || type == 'd')
		kallsyms->variables = true;
	hit = lookup(kallsyms, name);
	if (hit)
		mark(kallsyms, hit, module);
	return true;
}

static void sort(struct nsn_kallsyms *kallsyms)
{
	if (kallsyms->symbols_count)
		qsort(kallsyms->symbols, kallsyms->symbols_count, sizeof(*kallsyms->symbols),
		      compare_symbols);
}

int nsn_kallsyms__ask(struct nsn_kallsyms *kallsyms, int (*has)(void *context, const char *name),
		      void *context)
{
	sort(kallsyms);
	for (size_t i = 0; i < kallsyms->symbols_count; i++) {
		int answer = has(context, kallsyms->symbols[i].name);

		if (answer < 0)
			return answer;
		if (answer)
			mark(kallsyms, &kallsyms->symbols[i], "");
	}
	return 0;
}

int nsn_kallsyms__read(struct nsn_kallsyms *kallsyms, const char *path)
{
	size_t size = 0, lines = 0;
	char *line = NULL, buffer[16384];
	FILE *file;

	sort(kallsyms);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	setvbuf(file, buffer, _IOFBF, sizeof(buffer)); /* 122,000 lines, not by the kilobyte */
	while (getline(&line, &size, file) > 0)
		lines += parse_line(kallsyms, line);
	free(line);
	fclose(file);
	kallsyms->read = lines > 0;
	return lines ? 0 : -ENODATA;
}

const struct nsn_kallsym *nsn_kallsyms__find(const struct nsn_kallsyms *kallsyms, const char *name)
{
	const struct nsn_kallsym *symbol = lookup(kallsyms, name);

	return symbol && symbol->found ? symbol : NULL;
}

void nsn_kallsyms__free(struct nsn_kallsyms *kallsyms)
{
	free(kallsyms->symbols);
	memset(kallsyms, 0, sizeof(*kallsyms));
}
