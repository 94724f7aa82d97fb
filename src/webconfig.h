/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * webconfig.h - TLS and users of the listener, from a file as Prometheus's exporter toolkit has it.
 *
 * Floor 4. A key that is not known is an error: who asks for protection must not be given less.
 */
#ifndef NSN_WEBCONFIG_H
#define NSN_WEBCONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct nsn_web_user {
	char *name;
	char *hash; /* crypt(5) */
};

struct nsn_webconfig {
	bool tls;
	char *certificate, *key, *client_ca; /* PEM, not paths; client_ca NULL: none */
	bool client_needed;                  /* a client must show a certificate */
	char *priorities;                    /* for GnuTLS */
	struct nsn_web_user *users;
	size_t users_count, users_capacity;
};

/* Reads the file and those it names. 0 or -errno (logged). */
int nsn_webconfig__read(const char *path, struct nsn_webconfig *out);
void nsn_webconfig__free(struct nsn_webconfig *config); /* its contents; zeroed is fine */

#endif /* NSN_WEBCONFIG_H */
