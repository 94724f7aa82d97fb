/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rendered.h - output of the renderers as strings, for their tests; after machine.h.
 */
#ifndef NSN_TESTS_RENDERED_H
#define NSN_TESTS_RENDERED_H

#include <stdio.h>

#include "render.h"

typedef int (*renderer)(FILE *out, const struct nsn_model *model,
			const struct nsn_findings *findings, const struct nsn_render_opts *opts);

/* What a renderer prints of the machine as it is; the caller frees it. */
static inline char *rendered(renderer render, const struct nsn_render_opts *opts)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(render(out, model, findings, opts), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(text), size); /* no NUL among it */
	return text;
}

/* Names that want to do harm. */
static const char *const hostile_names[] = {
	"\033[31mred\033[0m\033]0;title\007",
	"two\nlines\tand\ra\vtab",
	"quote\" 'quote' `quote` $(reboot) \\x41 %s%n",
	"bad \xff\xfe\xc3( \xed\xa0\x80 bytes",
	"\xe2\x80\xae"
	"desrever \xe2\x81\xa6 bidi",
	"\xc2\x9b"
	"31m C1 \xc2\x85",
	"\xe8\x99\x9a\xe6\x8b\x9f\xe6\x9c\xba\xe8\x99\x9a\xe6\x8b\x9f\xe6\x9c\xba\xe8\x99\x9a"
	"\xe6\x8b\x9f\xe6\x9c\xba\xe8\x99\x9a\xe6\x8b\x9f\xe6\x9c\xba\xe8\x99\x9a\xe6\x8b\x9f",
	"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81 marks",
	"\xcc\x81 mark first",
	"   blanks   ",
	"\xf0\x9f\x94\xa5 fire \xf3\xa0\x81\x81 tag \xef\xbb\xbf",
	"",
	"x",
	"a name of very many words that goes on and on until no terminal could ever hold it all in "
	"a single line, and then some more words after these",
	"aNameWithoutAnyBlankThatGoesOnAndOnUntilNoTerminalCouldEverHoldItAllInASingleLineAndThen"
	"SomeMore",
};

static inline void put_raw(char *out, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (length > size - 1)
		length = size - 1;
	memset(out, 0, size);
	memcpy(out, text, length);
}

/* Gives the VM (and its device) a name, past the cleaning that collectors do. */
static inline void name_vm(const char *name)
{
	struct nsn_rec_process *process = REC(PROCESS, process, 0);
	struct nsn_rec_device *device = REC(DEVICE, device, 0);

	if (!process || !device)
		return;
	put_raw(process->name, sizeof(process->name), name);
	put_raw(device->name, sizeof(device->name), name);
	device->h.known |= NSN_BIT(device, name);
}

#endif /* NSN_TESTS_RENDERED_H */
