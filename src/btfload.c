// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * btfload.c - where a kernel's BTF comes from: /sys/kernel/btf, or a folder with the files of a
 * kernel that does not run. Floor 2.
 */
#include "btfcheck.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "util.h"

/* An errno, or one of libbpf's own numbers, in words. */
static const char *words(int err, char *out, size_t size)
{
	libbpf_strerror(err, out, size);
	return out;
}

/* Parses raw BTF or the .BTF section of an object, and adds it. */
static int add_file(struct nsn_types *types, const char *module, const char *path)
{
	struct btf *base = (struct btf *)nsn_types__vmlinux(types);
	struct btf *btf = base ? btf__parse_split(path, base) : btf__parse(path, NULL);

	if (!btf)
		return errno ? -errno : -EINVAL;
	return nsn_types__add(types, module, btf);
}

int nsn_types__load_live(struct nsn_types *types, const char *folder, char *reason, size_t size)
{
	char path[PATH_MAX], why[128];
	struct dirent *entry;
	DIR *dir;
	int err;

	snprintf(path, sizeof(path), "%s/vmlinux", folder);
	err = add_file(types, "vmlinux", path);
	if (err) {
		snprintf(reason, size, "%s: %s", path, words(err, why, sizeof(why)));
		return err;
	}
	dir = opendir(folder);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "vmlinux") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		/* a module that cannot be parsed is one that is not there; the loader thinks alike
		 */
		err = add_file(types, entry->d_name, path);
		if (err == -ENOMEM)
			break;
		err = 0;
	}
	closedir(dir);
	return err;
}

/* The module a file is of: "kvm-intel.ko" is kvm_intel. Tells whether the file is compressed. */
static void module_name(const char *file, char *out, size_t size, bool *compressed)
{
	static const char *const endings[] = { ".xz", ".zst", ".gz" };
	char *end;

	nsn_format(out, size, "%s", file);
	*compressed = false;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(endings); i++) {
		end = strrchr(out, '.');
		if (end && strcmp(end, endings[i]) == 0) {
			*end = '\0';
			*compressed = true;
		}
	}
	end = strrchr(out, '.');
	if (end && (strcmp(end, ".ko") == 0 || strcmp(end, ".btf") == 0))
		*end = '\0';
	for (end = out; *end; end++)
		if (*end == '-')
			*end = '_';
}

/* First round: vmlinux alone, for all others are split from it. Second: the modules. */
static int load_round(struct nsn_types *types, const char *folder, bool modules,
		      bool (*wanted)(const char *module), char *reason, size_t size)
{
	char *paths[] = { (char *)folder, NULL };
	char module[NAME_MAX + 1], why[128];
	bool compressed;
	FTSENT *entry;
	int err = 0;
	FTS *tree;

	tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	if (!tree)
		return -errno;
	while (!err && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_F && entry->fts_info != FTS_SL)
			continue;
		module_name(entry->fts_name, module, sizeof(module), &compressed);
		if (modules == (strcmp(module, "vmlinux") == 0) || (modules && !wanted(module)) ||
		    nsn_types__has_module(types, module))
			continue;
		if (compressed) {
			snprintf(reason, size, "%s is compressed: unpack it", entry->fts_path);
			continue;
		}
		err = add_file(types, module, entry->fts_path);
		if (err)
			snprintf(reason, size, "%s: no BTF can be read: %s", entry->fts_path,
				 words(err, why, sizeof(why)));
	}
	fts_close(tree);
	return err;
}

int nsn_types__load_folder(struct nsn_types *types, const char *folder,
			   bool (*wanted)(const char *module), char *reason, size_t size)
{
	int err;

	reason[0] = '\0';
	if (access(folder, R_OK | X_OK)) {
		err = -errno;
		snprintf(reason, size, "%s: %s", folder, strerror(-err));
		return err;
	}
	err = load_round(types, folder, false, wanted, reason, size);
	if (!err && !nsn_types__vmlinux(types)) {
		if (!reason[0])
			snprintf(reason, size, "%s: no file called vmlinux in it", folder);
		return -ENOENT;
	}
	if (!err)
		err = load_round(types, folder, true, wanted, reason, size);
	return err;
}
