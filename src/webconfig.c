// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * webconfig.c - TLS and users of the listener, from a file as Prometheus's exporter toolkit has it.
 * Floor 4.
 */
#include "webconfig.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "log.h"
#include "util.h"

#define MOST_BYTES (1 << 20) /* of the file, and of each that it names */

struct reader {
	const char *path;
	yaml_document_t *document;
	struct nsn_webconfig *config;
	char min[16], max[16]; /* TLS versions */
};

/* A key of a mapping, and what is done with its value. */
struct key {
	const char *name;
	int (*take)(struct reader *reader, yaml_node_t *value);
};

static int complain(const struct reader *reader, const yaml_node_t *node, const char *text)
{
	nsn_error("%s:%zu: %s", reader->path, node->start_mark.line + 1, text);
	return -EINVAL;
}

/* The text of a scalar; NULL (told) if it is none. */
static const char *scalar(const struct reader *reader, const yaml_node_t *node)
{
	if (node->type == YAML_SCALAR_NODE &&
	    strlen((char *)node->data.scalar.value) == node->data.scalar.length)
		return (const char *)node->data.scalar.value;
	complain(reader, node, "a text is expected here");
	return NULL;
}

/* A mapping whose keys are all in the table. */
static int take_mapping(struct reader *reader, yaml_node_t *node, const struct key *keys,
			size_t count)
{
	yaml_node_pair_t *pair;
	int err = 0;

	if (node->type != YAML_MAPPING_NODE)
		return complain(reader, node, "a mapping is expected here");
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top && !err;
	     pair++) {
		yaml_node_t *name = yaml_document_get_node(reader->document, pair->key);
		const char *text = scalar(reader, name);
		size_t i;

		for (i = 0; text && i < count; i++)
			if (strcmp(keys[i].name, text) == 0)
				break;
		if (!text)
			return -EINVAL;
		if (i == count) {
			nsn_error("%s:%zu: '%s' is not known here", reader->path,
				  name->start_mark.line + 1, text);
			return -EINVAL;
		}
		err = keys[i].take(reader, yaml_document_get_node(reader->document, pair->value));
	}
	return err;
}

/* ---- TLS -------------------------------------------------------------------------------------- */

/* Reads a file that the configuration names, relative to its own folder. */
static int read_named(struct reader *reader, yaml_node_t *node, char **out)
{
	const char *name = scalar(reader, node), *slash = strrchr(reader->path, '/');
	char path[PATH_MAX];
	long length;

	if (!name)
		return -EINVAL;
	if (name[0] == '/' || !slash)
		nsn_format(path, sizeof(path), "%s", name);
	else
		nsn_format(path, sizeof(path), "%.*s%s", (int)(slash + 1 - reader->path),
			   reader->path, name);
	free(*out);
	*out = malloc(MOST_BYTES);
	if (!*out)
		return -ENOMEM;
	length = nsn_read_file("", path, *out, MOST_BYTES);
	if (length >= 0)
		return 0;
	nsn_error("%s:%zu: %s: %s", reader->path, node->start_mark.line + 1, path,
		  strerror((int)-length));
	return (int)length;
}

static int take_certificate(struct reader *reader, yaml_node_t *value)
{
	return read_named(reader, value, &reader->config->certificate);
}

static int take_key(struct reader *reader, yaml_node_t *value)
{
	return read_named(reader, value, &reader->config->key);
}

static int take_client_ca(struct reader *reader, yaml_node_t *value)
{
	return read_named(reader, value, &reader->config->client_ca);
}

static int take_client_auth(struct reader *reader, yaml_node_t *value)
{
	const char *text = scalar(reader, value);

	if (!text)
		return -EINVAL;
	reader->config->client_needed = strcmp(text, "RequireAndVerifyClientCert") == 0;
	if (reader->config->client_needed || strcmp(text, "NoClientCert") == 0)
		return 0;
	return complain(reader, value,
			"client_auth_type takes NoClientCert or RequireAndVerifyClientCert");
}

/* GnuTLS's name of a version. */
static const char *version_name(const char *text)
{
	static const char *const names[][2] = {
		{ "TLS10", "TLS1.0" },
		{ "TLS11", "TLS1.1" },
		{ "TLS12", "TLS1.2" },
		{ "TLS13", "TLS1.3" },
	};

	for (size_t i = 0; text && i < NSN_ARRAY_SIZE(names); i++)
		if (strcmp(names[i][0], text) == 0)
			return names[i][1];
	return NULL;
}

static int take_version(struct reader *reader, yaml_node_t *value, char *out)
{
	const char *name = version_name(scalar(reader, value));

	if (!name)
		return complain(reader, value, "a version is TLS10, TLS11, TLS12 or TLS13");
	nsn_format(out, sizeof(reader->min), "%s", name);
	return 0;
}

static int take_min(struct reader *reader, yaml_node_t *value)
{
	return take_version(reader, value, reader->min);
}

static int take_max(struct reader *reader, yaml_node_t *value)
{
	return take_version(reader, value, reader->max);
}

/* TLS 1.2 is the least, as the toolkit has it. Versions are told by name, and compare as texts. */
static int set_versions(struct reader *reader)
{
	static const char *const versions[] = { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" };
	const char *min = reader->min[0] ? reader->min : "TLS1.2";
	const char *max = reader->max[0] ? reader->max : "TLS1.3";
	char text[128] = "NORMAL:-VERS-ALL";

	for (size_t i = 0; i < NSN_ARRAY_SIZE(versions); i++)
		if (strcmp(versions[i], min) >= 0 && strcmp(versions[i], max) <= 0)
			strcat(strcat(text, ":+VERS-"), versions[i]);
	if (strcmp(min, max) > 0) {
		nsn_error("%s: min_version is above max_version", reader->path);
		return -EINVAL;
	}
	reader->config->priorities = strdup(text);
	return reader->config->priorities ? 0 : -ENOMEM;
}

static int take_tls(struct reader *reader, yaml_node_t *value)
{
	static const struct key keys[] = {
		{ "cert_file", take_certificate },    { "key_file", take_key },
		{ "client_ca_file", take_client_ca }, { "client_auth_type", take_client_auth },
		{ "min_version", take_min },          { "max_version", take_max },
	};
	struct nsn_webconfig *config = reader->config;
	int err = take_mapping(reader, value, keys, NSN_ARRAY_SIZE(keys));

	if (err)
		return err;
	if (!config->certificate || !config->key)
		return complain(reader, value, "TLS needs both cert_file and key_file");
	if (config->client_needed && !config->client_ca)
		return complain(reader, value, "RequireAndVerifyClientCert needs client_ca_file");
	config->tls = true;
	return set_versions(reader);
}

/* ---- users ------------------------------------------------------------------------------------ */

static int take_users(struct reader *reader, yaml_node_t *value)
{
	yaml_node_pair_t *pair;

	if (value->type != YAML_MAPPING_NODE)
		return complain(reader, value, "a mapping of users to hashes is expected here");
	for (pair = value->data.mapping.pairs.start; pair < value->data.mapping.pairs.top; pair++) {
		yaml_node_t *node = yaml_document_get_node(reader->document, pair->value);
		const char *name =
			scalar(reader, yaml_document_get_node(reader->document, pair->key));
		const char *hash = scalar(reader, node);
		struct nsn_web_user *user;

		if (!name || !hash)
			return -EINVAL;
		if (hash[0] != '$')
			return complain(reader, node,
					"not a hash: htpasswd -nBC 10 NAME makes one (bcrypt)");
		user = NSN_APPEND(reader->config, users);
		if (!user)
			return -ENOMEM;
		user->name = strdup(name);
		user->hash = strdup(hash);
		if (!user->name || !user->hash)
			return -ENOMEM;
	}
	return 0;
}

/* HTTP/2 is never offered, whether it is allowed or not. */
static int take_http2(struct reader *reader, yaml_node_t *value)
{
	return scalar(reader, value) ? 0 : -EINVAL;
}

static int take_http(struct reader *reader, yaml_node_t *value)
{
	static const struct key keys[] = { { "http2", take_http2 } };

	return take_mapping(reader, value, keys, NSN_ARRAY_SIZE(keys));
}

/* ---- the file --------------------------------------------------------------------------------- */

static int take_document(struct reader *reader)
{
	static const struct key keys[] = {
		{ "tls_server_config", take_tls },
		{ "http_server_config", take_http },
		{ "basic_auth_users", take_users },
	};
	yaml_node_t *root = yaml_document_get_root_node(reader->document);

	return root ? take_mapping(reader, root, keys, NSN_ARRAY_SIZE(keys)) : 0;
}

static int parse_text(const char *path, const char *text, size_t size, struct nsn_webconfig *out)
{
	yaml_document_t document;
	struct reader reader = { .path = path, .document = &document, .config = out };
	yaml_parser_t parser;
	int err = -EINVAL;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (yaml_parser_load(&parser, &document)) {
		err = take_document(&reader);
		yaml_document_delete(&document);
	} else {
		nsn_error("%s:%zu: %s", path, parser.problem_mark.line + 1,
			  parser.problem ? parser.problem : "not YAML");
	}
	yaml_parser_delete(&parser);
	return err;
}

int nsn_webconfig__read(const char *path, struct nsn_webconfig *out)
{
	char *text = malloc(MOST_BYTES);
	long length;
	int err;

	memset(out, 0, sizeof(*out));
	if (!text)
		return -ENOMEM;
	length = nsn_read_file("", path, text, MOST_BYTES);
	if (length < 0) {
		err = (int)length;
		nsn_error("--web.config.file %s: %s", path, strerror(-err));
	} else {
		err = parse_text(path, text, (size_t)length, out);
	}
	free(text);
	if (err)
		nsn_webconfig__free(out);
	return err;
}

void nsn_webconfig__free(struct nsn_webconfig *config)
{
	for (size_t i = 0; i < config->users_count; i++) {
		free(config->users[i].name);
		free(config->users[i].hash);
	}
	free(config->users);
	free(config->certificate);
	free(config->key);
	free(config->client_ca);
	free(config->priorities);
	memset(config, 0, sizeof(*config));
}
