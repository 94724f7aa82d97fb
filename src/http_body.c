// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http_body.c - what is sent of a collection, each form of it made once. Floor 4.
 */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "http_internal.h"

#define COMPRESSION 4 /* of 9: a tenth of the size for a hundredth of a second */

/* ---- bodies ----------------------------------------------------------------------------------- */

void nsn_bodies__drop(struct nsn_bodies *bodies)
{
	for (int format = 0; format < 2; format++) {
		for (int gzip = 0; gzip < 2; gzip++) {
			if (bodies->of[format][gzip])
				MHD_destroy_response(bodies->of[format][gzip]);
			bodies->of[format][gzip] = NULL;
		}
	}
}

/* The response takes the text over. */
static struct MHD_Response *make_body(char *text, size_t size, enum nsn_prom_format format,
				      bool gzip)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);

	if (!response) {
		free(text);
		return NULL;
	}
	MHD_add_response_header(response, "Content-Type", nsn_prom_content_type(format));
	MHD_add_response_header(response, "Vary", "Accept, Accept-Encoding");
	if (gzip)
		MHD_add_response_header(response, "Content-Encoding", "gzip");
	return response;
}

static char *compress_text(const char *text, size_t size, size_t *out_size)
{
	z_stream stream = { .next_in = (unsigned char *)text, .avail_in = (unsigned int)size };
	char *out = NULL;

	if (deflateInit2(&stream, COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return NULL;
	*out_size = deflateBound(&stream, size);
	out = malloc(*out_size);
	stream.next_out = (unsigned char *)out;
	stream.avail_out = (unsigned int)*out_size;
	if (!out || deflate(&stream, Z_FINISH) != Z_STREAM_END) {
		free(out);
		out = NULL;
	}
	*out_size = stream.total_out;
	deflateEnd(&stream);
	return out;
}

struct MHD_Response *nsn_bodies__get(struct nsn_bodies *bodies, const struct nsn_http_opts *opts,
				     enum nsn_prom_format format, bool gzip)
{
	struct MHD_Response **body = &bodies->of[format][gzip];
	char *text = NULL, *small;
	size_t size = 0, small_size = 0;
	FILE *memory;
	int err;

	if (*body)
		return *body;
	memory = open_memstream(&text, &size);
	err = memory ? opts->render(opts->data, memory, format) : -ENOMEM;
	if (memory && fclose(memory))
		err = -ENOMEM;
	if (err) {
		free(text);
		return NULL;
	}
	if (gzip) {
		small = compress_text(text, size, &small_size);
		free(text);
		*body = small ? make_body(small, small_size, format, true) : NULL;
	} else {
		*body = make_body(text, size, format, false);
	}
	return *body;
}
