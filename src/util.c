// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * util.c - small things that every floor uses. Floor 0.
 */
#include "util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void *nsn_grow(void *array, size_t count, size_t *capacity, size_t element_size)
{
	size_t wanted = *capacity ? *capacity * 2 : 8;
	void *grown;

	if (count < *capacity)
		return array;
	grown = reallocarray(array, wanted, element_size);
	if (grown)
		*capacity = wanted;
	return grown;
}

void *nsn_append(void **array, size_t *count, size_t *capacity, size_t element_size)
{
	char *grown = nsn_grow(*array, *count, capacity, element_size);

	if (!grown)
		return NULL;
	*array = grown;
	grown += (*count)++ * element_size;
	memset(grown, 0, element_size);
	return grown;
}

/* Length of a well-formed UTF-8 sequence at text, or 0. */
static size_t utf8_length(const unsigned char *text, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80                      ? 1
			: text[0] >= 0xc2 && text[0] < 0xe0 ? 2
			: text[0] >= 0xe0 && text[0] < 0xf0 ? 3
			: text[0] >= 0xf0 && text[0] < 0xf5 ? 4
							    : 0;
	uint32_t value;

	if (length <= 1) {
		*code = text[0];
		return length;
	}
	value = text[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	*code = value;
	return length;
}

size_t nsn_utf8_next(const char *text, uint32_t *code)
{
	size_t length;

	if (!*text)
		return 0;
	length = utf8_length((const unsigned char *)text, code);
	if (length)
		return length;
	*code = 0xfffd;
	return 1;
}

void nsn_utf8_copy(char *out, size_t size, const char *text)
{
	static const char ellipsis[] = "\xe2\x80\xa6", replacement[] = "\xef\xbf\xbd";
	size_t used = 0, fits = 0; /* fits: where an ellipsis could still be put */
	uint32_t code;
	size_t length;

	if (!size)
		return;
	while ((length = nsn_utf8_next(text, &code))) {
		bool bad = code == 0xfffd && length == 1;
		size_t add = bad ? 3 : length;

		if (used + add >= size) {
			if (size >= sizeof(ellipsis)) {
				memcpy(out + fits, ellipsis, sizeof(ellipsis));
				return;
			}
			break;
		}
		memcpy(out + used, bad ? replacement : text, add);
		used += add;
		if (used + sizeof(ellipsis) <= size)
			fits = used;
		text += length;
	}
	out[used] = '\0';
}

char *nsn_format(char *out, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out, size, format, args);
	va_end(args);
	return out;
}

long nsn_read_file(const char *root, const char *path, char *out, size_t size)
{
	char full[4096];
	size_t used = 0;
	ssize_t got = 0;
	int fd, err;

	out[0] = '\0';
	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	while (used < size - 1 && (got = read(fd, out + used, size - 1 - used)) > 0)
		used += got;
	err = errno;
	close(fd);
	if (got < 0)
		return -err;
	while (used && out[used - 1] == '\n')
		used--;
	out[used] = '\0';
	return used;
}

int nsn_parse_u64(const char *text, uint64_t *out)
{
	char *end;

	if (!isxdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
	return errno || *end ? -EINVAL : 0;
}

int nsn_parse_decimal(const char *text, const char *unit, double *out)
{
	size_t digits = strspn(text, "0123456789"), decimals = 0;
	double weight = 1;

	*out = 0;
	for (size_t i = 0; i < digits; i++)
		*out = *out * 10 + (text[i] - '0');
	text += digits;
	if (*text == '.')
		decimals = strspn(++text, "0123456789");
	for (size_t i = 0; i < decimals; i++)
		*out += (text[i] - '0') * (weight /= 10);
	text += decimals;
	return digits + decimals && digits < 16 && (!*text || strcmp(text, unit) == 0) ? 0
										       : -EINVAL;
}

int nsn_parse_duration(const char *text, const char *unit, uint64_t *out_ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "ns", 1 },  { "us", 1e3 }, { "ms", 1e6 },
		      { "s", 1e9 }, { "m", 6e10 }, { "h", 3.6e12 } };
	double value;
	char *end;

	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -EINVAL;
	errno = 0;
	value = strtod(text, &end);
	if (errno || end == text)
		return -EINVAL;
	if (!*end)
		end = (char *)unit;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		value *= units[i].ns;
		if (!(value >= 0 && value < 9e18))
			return -EINVAL;
		*out_ns = (uint64_t)value;
		return 0;
	}
	return -EINVAL;
}

char *nsn_format_time(char *out, size_t size, uint64_t ns)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		out[0] = '\0';
	return out;
}

const char *nsn_errno_name(int error)
{
	const char *name = strerrorname_np(error < 0 ? -error : error);
	static __thread char number[16];

	if (name)
		return name;
	return nsn_format(number, sizeof(number), "%d", error < 0 ? -error : error);
}
