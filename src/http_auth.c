// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http_auth.c - who may ask: names and passwords against hashes. Floor 4.
 *
 * A good hash takes a tenth of a second of a CPU. It is computed in a thread of its own, one at a
 * time, so that nobody who guesses passwords delays a scrape; what came out is remembered under a
 * digest, so that Prometheus pays once and not at each scrape.
 */
#include <crypt.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "http_internal.h"
#include "util.h"

#define REMEMBERED 128
#define MOST_JOBS  32
#define DIGEST     32

/* A user that is not there takes as long as one that is: a hash of nothing in particular. */
static const char nobody[] = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

struct outcome {
	unsigned char digest[DIGEST]; /* of user and password */
	bool used, yes;
};

struct job {
	unsigned char digest[DIGEST];
	const char *hash;
	char *password;
	bool real; /* the user exists */
	bool yes;
};

struct nsn_auth {
	const struct nsn_webconfig *config;
	struct outcome outcomes[REMEMBERED]; /* a ring */
	size_t next_outcome;
	pthread_t thread;
	bool started;
	int fd;

	/* Of both threads, under the lock: */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job jobs[MOST_JOBS]; /* the first ones are done */
	size_t jobs_count, done;
	bool stop;
};

bool nsn_client__is_certified(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned int count = 0, status = 0;

	if (!info || !info->tls_session ||
	    !gnutls_certificate_get_peers((gnutls_session_t)info->tls_session, &count) || !count)
		return false;
	return gnutls_certificate_verify_peers2((gnutls_session_t)info->tls_session, &status) ==
		       0 &&
	       !status;
}

static bool matches(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made = data ? crypt_r(password, hash, data) : NULL;
	size_t length = strlen(hash);
	unsigned char differ = 1;

	if (made && made[0] != '*' && strlen(made) == length) {
		differ = 0;
		for (size_t i = 0; i < length; i++)
			differ |= (unsigned char)(made[i] ^ hash[i]);
	}
	free(data);
	return !differ;
}

static void *work(void *data)
{
	struct nsn_auth *auth = data;
	uint64_t one = 1;

	pthread_mutex_lock(&auth->lock);
	while (!auth->stop) {
		struct job job;

		if (auth->done == auth->jobs_count) {
			pthread_cond_wait(&auth->wake, &auth->lock);
			continue;
		}
		job = auth->jobs[auth->done];
		pthread_mutex_unlock(&auth->lock);
		job.yes = matches(job.password, job.hash) && job.real;
		pthread_mutex_lock(&auth->lock);
		auth->jobs[auth->done++].yes = job.yes;
		if (write(auth->fd, &one, sizeof(one)) != sizeof(one))
			break; /* can't be: the counter holds 2^64 */
	}
	pthread_mutex_unlock(&auth->lock);
	return NULL;
}

static int digest_of(const char *user, const char *password, unsigned char *out)
{
	gnutls_hash_hd_t hash;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256))
		return -ENOMEM;
	gnutls_hash(hash, user, strlen(user) + 1); /* its end, too: where the password begins */
	gnutls_hash(hash, password, strlen(password));
	gnutls_hash_deinit(hash, out);
	return 0;
}

static void forget_password(char *password)
{
	explicit_bzero(password, strlen(password));
	free(password);
}

void nsn_auth__take(struct nsn_auth *auth)
{
	uint64_t count;

	if (read(auth->fd, &count, sizeof(count)) != sizeof(count))
		return; /* nothing is new */
	pthread_mutex_lock(&auth->lock);
	for (size_t i = 0; i < auth->done; i++) {
		struct outcome *outcome = &auth->outcomes[auth->next_outcome++ % REMEMBERED];

		memcpy(outcome->digest, auth->jobs[i].digest, DIGEST);
		outcome->yes = auth->jobs[i].yes;
		outcome->used = true;
		forget_password(auth->jobs[i].password);
	}
	auth->jobs_count -= auth->done;
	memmove(auth->jobs, auth->jobs + auth->done, auth->jobs_count * sizeof(auth->jobs[0]));
	auth->done = 0;
	pthread_mutex_unlock(&auth->lock);
}

static void add_job(struct nsn_auth *auth, const char *user, const char *password,
		    const unsigned char *digest)
{
	struct job job = { .hash = nobody, .password = strdup(password) };

	if (!job.password)
		return;
	memcpy(job.digest, digest, DIGEST);
	for (size_t i = 0; i < auth->config->users_count; i++) {
		if (strcmp(auth->config->users[i].name, user))
			continue;
		job.hash = auth->config->users[i].hash;
		job.real = true;
	}
	auth->jobs[auth->jobs_count++] = job;
	pthread_cond_signal(&auth->wake);
}

enum nsn_auth_result nsn_auth__check(struct nsn_auth *auth, const char *user, const char *password)
{
	unsigned char digest[DIGEST];
	bool waits = false;

	if (!user || !password || strlen(password) >= CRYPT_MAX_PASSPHRASE_SIZE ||
	    digest_of(user, password, digest))
		return NSN_AUTH_NO;
	for (size_t i = 0; i < REMEMBERED; i++)
		if (auth->outcomes[i].used && !memcmp(auth->outcomes[i].digest, digest, DIGEST))
			return auth->outcomes[i].yes ? NSN_AUTH_YES : NSN_AUTH_NO;
	pthread_mutex_lock(&auth->lock);
	for (size_t i = 0; i < auth->jobs_count; i++)
		waits |= !memcmp(auth->jobs[i].digest, digest, DIGEST);
	/* with no room it asks again when the next one is done, which makes some */
	if (!waits && auth->jobs_count < MOST_JOBS)
		add_job(auth, user, password, digest);
	pthread_mutex_unlock(&auth->lock);
	return NSN_AUTH_LATER;
}

int nsn_auth__fd(const struct nsn_auth *auth)
{
	return auth->fd;
}

/* Signals are for the loop: a thread that takes one would end the process. */
static bool start_thread(struct nsn_auth *auth)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&auth->thread, NULL, work, auth);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err == 0;
}

struct nsn_auth *nsn_auth__new(const struct nsn_webconfig *config)
{
	struct nsn_auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return NULL;
	auth->config = config;
	pthread_mutex_init(&auth->lock, NULL);
	pthread_cond_init(&auth->wake, NULL);
	auth->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	auth->started = auth->fd >= 0 && start_thread(auth);
	if (auth->started)
		return auth;
	nsn_auth__free(auth);
	return NULL;
}

void nsn_auth__free(struct nsn_auth *auth)
{
	if (!auth)
		return;
	if (auth->started) {
		pthread_mutex_lock(&auth->lock);
		auth->stop = true;
		pthread_cond_signal(&auth->wake);
		pthread_mutex_unlock(&auth->lock);
		pthread_join(auth->thread, NULL);
	}
	for (size_t i = 0; i < auth->jobs_count; i++)
		forget_password(auth->jobs[i].password);
	if (auth->fd >= 0)
		close(auth->fd);
	pthread_cond_destroy(&auth->wake);
	pthread_mutex_destroy(&auth->lock);
	free(auth);
}
