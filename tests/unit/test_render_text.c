// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_render_text.c - the text of an audit: widths, escapes, ellipses, colours, its closing line;
 * and the functions that cut and wrap.
 */
#include "machine.h"
#include "rendered.h"

#include <errno.h>
#include <locale.h>
#include <wchar.h>

#include "render_page.h"

static struct nsn_render_opts opts = {
	.width = 80, .utf8 = true, .fail_on = NSN_SEVERITY_WARNING, .tool_version = "1.2.3"
};

/* Cells of a line; fails on whatever must not get out. */
static size_t check_line(const char *line, size_t length, bool color)
{
	size_t cells = 0;

	for (size_t i = 0; i < length;) {
		uint32_t code;
		size_t bytes = nsn_utf8_next(line + i, &code);
		int width = wcwidth((wchar_t)code);

		if (color && code == '\033') {
			i += strcspn(line + i, "m") + 1;
			continue;
		}
		if (code < ' ' || (code == 0xfffd && bytes == 1) || width < 0 ||
		    (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
		    (code >= 0x2060 && code <= 0x206f))
			fail_msg("U+%04x is printed raw in: %.*s", code, (int)length, line);
		cells += (size_t)width;
		i += bytes;
	}
	if (length && line[length - 1] == ' ')
		fail_msg("blank at the end of: %.*s", (int)length, line);
	return cells;
}

static void check_lines(const char *text, size_t width, bool color)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n"), cells = check_line(line, length, color);

		if (cells > width)
			fail_msg("%zu cells instead of %zu: %.*s", cells, width, (int)length, line);
		line += length;
		assert_int_equal(*line, '\n');
		line++;
	}
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void tells_who_is_in_danger(void **state)
{
	char *text;

	(void)state;
	assign(0, 0);
	forget_kvm_vfio();
	judge();
	text = rendered(nsn_render_text, &opts);
	has(text,
	    "\nweb1  1234      1                 0  ignored        unsafe   0000:00:03.0\n\n");
	has(text, "  unsafe          a device can bypass the CPU caches");
	has(text, "domain g2         does NOT block No Snoop; the IOMMU driver was asked to,");
	has(text, "0000:00:03.0  behind dmar1; its No Snoop bit is set; driver vfio-pci\n");
	has(text, "\nCRITICAL  NS001  VM web1");
	has(text, "          Why       ");
	has(text, "          To do     ");
	has(text, "\nResult: ");
	has(text, " critical (exit code 1)\n");
	free(text);
}

static void closing_line_counts_rules(void **state)
{
	size_t counts[NSN_RULE_NEEDS_EVENTS + 1] = { 0 };
	char expected[128];
	char *text, *last;

	(void)state;
	assign(0, 1);
	judge();
	for (size_t i = 0; i < findings->results_count; i++)
		counts[findings->results[i].status]++;
	text = rendered(nsn_render_text, &opts);
	snprintf(expected, sizeof(expected),
		 "\n%zu rules: %zu passed, %zu failed, %zu unknown, %zu not applicable, "
		 "%zu need events\n",
		 nsn_rules_count, counts[NSN_RULE_PASS], counts[NSN_RULE_FAIL],
		 counts[NSN_RULE_UNKNOWN], counts[NSN_RULE_NOT_APPLICABLE],
		 counts[NSN_RULE_NEEDS_EVENTS]);
	last = text + strlen(text) - strlen(expected);
	assert_string_equal(last, expected);
	free(text);
}

static void nothing_in_use_is_said(void **state)
{
	char *text;

	(void)state;
	plain_host();
	judge();
	text = rendered(nsn_render_text, &opts);
	has(text, "Virtual machines\n  none is running\n");
	has(text, "Result: clean: nothing found at or above warning (exit code 0)\n");
	free(text);
	set_source("kernel.kvm", NSN_SOURCE_FAILED);
	judge();
	text = rendered(nsn_render_text, &opts);
	has(text, "Virtual machines\n  unknown: it could not be read\n");
	free(text);
}

static void unknown_names_its_reason(void **state)
{
	char *text;

	(void)state;
	assign(1, 0);
	FORGET(VM, vm, 0, noncoherent_dma);
	judge();
	text = rendered(nsn_render_text, &opts);
	has(text, "\nCould not be decided\n");
	has(text, "NS001 (web1)");
	has(text, "\nUnknown\n");
	has(text, "vms (web1): ");
	has(text, "noncoherent_dma");
	has(text, "(exit code 3)\n");
	free(text);
}

static void strays_have_their_own_tree(void **state)
{
	char *text;

	(void)state;
	assign(0, 0);
	part_vm_from_container("/other.slice");
	judge();
	text = rendered(nsn_render_text, &opts);
	has(text, "\nIn use, but by no VM that could be named\n");
	has(text, "\ncontainer 1234:11   VFIO container; held by process 1234\n");
	free(text);
}

/* ---- hostile names, narrow and wide ---------------------------------------------------------- */

static void lines_fit_whatever_the_name(void **state)
{
	(void)state;
	assign(0, 0);
	assign_another(1);
	forget_kvm_vfio();
	for (size_t i = 0; i < NSN_ARRAY_SIZE(hostile_names); i++) {
		name_vm(hostile_names[i]);
		judge();
		for (opts.width = 80; opts.width <= 240; opts.width += 17) {
			char *text;

			opts.color = false;
			text = rendered(nsn_render_text, &opts);
			check_lines(text, (size_t)opts.width, false);
			free(text);
			opts.color = true;
			text = rendered(nsn_render_text, &opts);
			check_lines(text, (size_t)opts.width, true);
			free(text);
		}
	}
	opts.width = 80;
	opts.color = false;
}

static void ascii_if_told(void **state)
{
	(void)state;
	assign(0, 0);
	opts.utf8 = false;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(hostile_names); i++) {
		char *text;

		name_vm(hostile_names[i]);
		judge();
		text = rendered(nsn_render_text, &opts);
		for (const char *c = text; *c; c++)
			if ((*c < ' ' && *c != '\n') || *c > '~')
				fail_msg("byte %02x", (unsigned char)*c);
		check_lines(text, 80, false);
		free(text);
	}
	opts.utf8 = true;
}

/* The same words with and without colours. */
static void colour_is_never_alone(void **state)
{
	char *plain, *coloured;
	size_t used = 0;

	(void)state;
	assign(0, 0);
	forget_kvm_vfio();
	judge();
	plain = rendered(nsn_render_text, &opts);
	opts.color = true;
	coloured = rendered(nsn_render_text, &opts);
	opts.color = false;
	assert_null(strchr(plain, '\033'));
	assert_non_null(strchr(coloured, '\033'));
	for (const char *c = coloured; *c; c++) {
		if (*c == '\033')
			c += strcspn(c, "m");
		else
			coloured[used++] = *c;
	}
	coloured[used] = '\0';
	assert_string_equal(plain, coloured);
	free(plain);
	free(coloured);
}

static void full_disk_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	if (!full)
		skip();
	assign(1, 0);
	judge();
	assert_int_equal(nsn_render_text(full, model, findings, &opts), -EIO);
	fclose(full);
}

static void all_rules_fit(void **state)
{
	(void)state;
	for (size_t i = 0; i <= nsn_rules_count; i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(i == nsn_rules_count
					 ? nsn_render_rules(out, false, &opts)
					 : nsn_render_explain(out, &nsn_rules[i], false, &opts),
				 0);
		fclose(out);
		check_lines(text, 80, false);
		has(text, i == nsn_rules_count ? "NS023" : nsn_rules[i].id);
		free(text);
	}
}

/* ---- the page -------------------------------------------------------------------------------- */

static void safe(struct nsn_page *page, const char *text, const char *expected)
{
	assert_string_equal(nsn_page__safe(page, text), expected);
}

static void escapes(void **state)
{
	struct nsn_page page;
	char *huge = malloc(1 << 20);

	(void)state;
	nsn_page__init(&page, stdout, NULL, &opts);
	safe(&page, "plain text", "plain text");
	safe(&page, "\033[0m", "\\x1b[0m");
	safe(&page, "a\nb\tc\rd\\e", "a\\nb\\tc\\rd\\\\e");
	safe(&page, "\x7f", "\\x7f");
	safe(&page, "\xff", "\\xff");
	safe(&page, "\xc2\x9b", "\\u009b");
	safe(&page, "\xe2\x80\xae", "\\u202e");
	safe(&page, "\xf3\xa0\x81\x81", "\\U000e0041");
	safe(&page, " x  y ", "\\x20x\\x20 y\\x20");
	safe(&page, "\xe8\x99\x9a", "\xe8\x99\x9a");
	safe(&page, "e\xcc\x81", "e\xcc\x81");
	assert_non_null(huge);
	memset(huge, '\033', 1 << 20);
	huge[(1 << 20) - 1] = '\0';
	assert_in_range(nsn_cells(nsn_page__safe(&page, huge)), 100, NSN_SAFE_CELLS + 10);
	free(huge);
	opts.utf8 = false;
	safe(&page, "\xe8\x99\x9a", "\\u865a");
	safe(&page, "cut\xe2\x80\xa6", "cut...");
	opts.utf8 = true;
	assert_int_equal(nsn_page__close(&page), 0);
}

static void cuts_end_in_an_ellipsis(void **state)
{
	struct nsn_page page;

	(void)state;
	nsn_page__init(&page, stdout, NULL, &opts);
	assert_string_equal(nsn_page__cut(&page, "abcdef", 6), "abcdef");
	assert_string_equal(nsn_page__cut(&page, "abcdefg", 6), "abcde\xe2\x80\xa6");
	/* a wide character is not halved */
	assert_string_equal(nsn_page__cut(&page, "\xe8\x99\x9a\xe8\x99\x9a\xe8\x99\x9a", 4),
			    "\xe8\x99\x9a\xe2\x80\xa6");
	opts.utf8 = false;
	assert_string_equal(nsn_page__cut(&page, "abcdefg", 6), "abc...");
	opts.utf8 = true;
	assert_int_equal(nsn_page__close(&page), 0);
}

static void wraps_at_blanks(void **state)
{
	struct nsn_page page;

	(void)state;
	nsn_page__init(&page, stdout, NULL, &opts);
	assert_string_equal(nsn_page__wrap(&page, "", 10), "");
	assert_string_equal(nsn_page__wrap(&page, "one two three", 7), "one two\nthree");
	assert_string_equal(nsn_page__wrap(&page, "one two three", 8), "one two\nthree");
	assert_string_equal(nsn_page__wrap(&page, "abcdefghij", 4), "abcd\nefgh\nij");
	assert_string_equal(nsn_page__wrap(&page, "\xe8\x99\x9a\xe8\x99\x9a", 3),
			    "\xe8\x99\x9a\n\xe8\x99\x9a");
	assert_int_equal(nsn_cells("\xe8\x99\x9a"
				   "e\xcc\x81\nabcd"),
			 4);
	assert_int_equal(nsn_page__close(&page), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_who_is_in_danger),
		TEST(closing_line_counts_rules),
		TEST(nothing_in_use_is_said),
		TEST(unknown_names_its_reason),
		TEST(strays_have_their_own_tree),
		TEST(lines_fit_whatever_the_name),
		TEST(ascii_if_told),
		TEST(colour_is_never_alone),
		TEST(full_disk_is_an_error),
		cmocka_unit_test(all_rules_fit),
		cmocka_unit_test(escapes),
		cmocka_unit_test(cuts_end_in_an_ellipsis),
		cmocka_unit_test(wraps_at_blanks),
	};

	if (!setlocale(LC_ALL, "C.UTF-8")) {
		fprintf(stderr, "no locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
