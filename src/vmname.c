// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmname.c - guest names and UUIDs from command lines and cgroup paths. Floor 1.
 */
#include "vmname.h"

#include <ctype.h>
#include <string.h>

#include "util.h"

/* The arguments of a command line that are still to be read. */
struct args {
	const char *next, *end;
};

/* The next argument, or NULL at the end. The text is NUL-terminated within the buffer. */
static const char *args_next(struct args *args)
{
	const char *argument = args->next;

	if (argument >= args->end)
		return NULL;
	args->next += strnlen(argument, args->end - argument) + 1;
	/* An argument that the buffer cuts has no end: not read. */
	return args->next <= args->end ? argument : NULL;
}

/*
 * True if the argument is the option `name` (one or two dashes), given as "-name VALUE" or, if
 * `equals`, also as "--name=VALUE". *value: its value, NULL if it has none.
 */
static bool is_option(struct args *args, const char *argument, const char *name, bool equals,
		      const char **value)
{
	size_t length = strlen(name);

	if (argument[0] != '-')
		return false;
	argument += argument[1] == '-' ? 2 : 1;
	if (strncmp(argument, name, length))
		return false;
	argument += length;
	if (!*argument) {
		*value = args_next(args);
		return true;
	}
	*value = argument + 1;
	return equals && *argument == '=';
}

/* Copies a C string, cut at the buffer's end. */
static void copy(char *out, size_t size, const char *text, size_t length)
{
	if (length >= size)
		length = size - 1;
	memcpy(out, text, length);
	out[length] = '\0';
}

/*
 * One element of a list "key=value,key=value": QEMU writes a comma in a value as two. Copies the
 * value; returns where the next element begins, NULL after the last.
 */
static const char *read_element(const char *text, char *key, size_t key_size, char *value,
				size_t value_size)
{
	size_t stop = strcspn(text, "=,"), used = 0;

	key[0] = '\0';
	if (text[stop] == '=') {
		copy(key, key_size, text, stop);
		text += stop + 1;
	}
	for (; *text; text++) {
		if (*text == ',') {
			if (text[1] != ',')
				break;
			text++;
		}
		if (used < value_size - 1)
			value[used++] = *text;
	}
	value[used] = '\0';
	return *text ? text + 1 : NULL;
}

/* The value of `wanted` in such a list; `implied`: the key of a first element without one. */
static bool read_key(const char *list, const char *wanted, const char *implied, char *out,
		     size_t size)
{
	char key[32], value[1024];
	bool found = false;

	for (const char *next = list; next;) {
		bool first = next == list;

		next = read_element(next, key, sizeof(key), value, sizeof(value));
		if (first && !key[0])
			nsn_format(key, sizeof(key), "%s", implied);
		if (strcmp(key, wanted) || !value[0])
			continue;
		copy(out, size, value, strlen(value));
		found = true;
	}
	return found;
}

/* Takes a UUID if it is one: 8-4-4-4-12 hexadecimal digits. */
static void take_uuid(const char *text, char *out)
{
	if (strlen(text) != 36)
		return;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return;
	}
	for (size_t i = 0; i <= 36; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
}

/* QEMU: -name [guest=]web1,process=…; -uuid U; Proxmox gives -smbios type=1,uuid=U instead. */
static void read_qemu(struct args args, struct nsn_vmname *out)
{
	char text[64], type[8], smbios[40] = "";
	const char *argument, *value;

	while ((argument = args_next(&args))) {
		if (is_option(&args, argument, "name", false, &value)) {
			if (value)
				read_key(value, "guest", "guest", out->name, sizeof(out->name));
		} else if (is_option(&args, argument, "uuid", false, &value)) {
			if (value)
				take_uuid(value, out->uuid);
		} else if (is_option(&args, argument, "smbios", false, &value) && value &&
			   read_key(value, "type", "", type, sizeof(type)) && !strcmp(type, "1") &&
			   read_key(value, "uuid", "", text, sizeof(text))) {
			take_uuid(text, smbios);
		}
	}
	if (!out->uuid[0])
		strcpy(out->uuid, smbios);
}

/* True for a socket's name that tells nothing of its VM. */
static bool is_common_socket(const char *name)
{
	static const char *const common[] = { "",    "api",    "clh-api",          "ch-api",
					      "ch",  "clh",    "cloud-hypervisor", "api-socket",
					      "vmm", "socket", "api.socket" };

	for (size_t i = 0; i < NSN_ARRAY_SIZE(common); i++)
		if (!strcmp(name, common[i]))
			return true;
	return false;
}

static void cut_suffix(char *text, const char *suffix)
{
	size_t length = strlen(text), cut = strlen(suffix);

	if (length > cut && !strcmp(text + length - cut, suffix))
		text[length - cut] = '\0';
}

/*
 * cloud-hypervisor has no option for a name. Who runs several gives each API socket a path of its
 * own: the socket's name, or its folder's if the name is a common one, stands for the VM.
 */
static void name_by_socket(const char *value, char *out, size_t size)
{
	char path[1024], *slash;

	if (!strchr(value, '=')) /* the path alone, or path=…; fd=… tells nothing */
		copy(path, sizeof(path), value, strlen(value));
	else if (!read_key(value, "path", "path", path, sizeof(path)))
		return;
	for (int i = 0; i < 2; i++) {
		char *name;

		slash = strrchr(path, '/');
		name = slash ? slash + 1 : path;
		cut_suffix(name, ".sock");
		cut_suffix(name, ".socket");
		cut_suffix(name, "-socket");
		if (!is_common_socket(name)) {
			copy(out, size, name, strlen(name));
			return;
		}
		if (!slash)
			return;
		*slash = '\0';
	}
}

/* --api-socket PATH; --platform uuid=U,… */
static void read_cloud_hypervisor(struct args args, struct nsn_vmname *out)
{
	const char *argument, *value;
	char text[64];

	while ((argument = args_next(&args))) {
		if (is_option(&args, argument, "api-socket", true, &value)) {
			if (value)
				name_by_socket(value, out->name, sizeof(out->name));
		} else if (is_option(&args, argument, "platform", true, &value) && value &&
			   read_key(value, "uuid", "", text, sizeof(text))) {
			take_uuid(text, out->uuid);
		}
	}
}

/* crosvm run --name web1; firecracker --id web1: one option has it all. */
static void read_plain(struct args args, const char *option, struct nsn_vmname *out)
{
	const char *argument, *value;

	while ((argument = args_next(&args)))
		if (is_option(&args, argument, option, true, &value) && value && value[0])
			copy(out->name, sizeof(out->name), value, strlen(value));
}

static void read_crosvm(struct args args, struct nsn_vmname *out)
{
	read_plain(args, "name", out);
}

static void read_firecracker(struct args args, struct nsn_vmname *out)
{
	read_plain(args, "id", out);
}

/* A program that is no VMM we know: -name counts only with a key that says what it names. */
static void read_unknown(struct args args, struct nsn_vmname *out)
{
	const char *argument, *value;

	while ((argument = args_next(&args))) {
		if (is_option(&args, argument, "name", false, &value)) {
			if (value)
				read_key(value, "guest", "", out->name, sizeof(out->name));
		} else if (is_option(&args, argument, "uuid", false, &value) && value) {
			take_uuid(value, out->uuid);
		}
	}
}

static const struct vmm {
	const char *program; /* basename of the executable */
	bool prefix;         /* anything may follow */
	const char *name;
	void (*read)(struct args args, struct nsn_vmname *out);
} vmms[] = {
	{ "qemu-system-", true, "qemu", read_qemu },
	{ "qemu-kvm", false, "qemu", read_qemu },
	{ "kvm", false, "qemu", read_qemu },
	{ "cloud-hypervisor", true, "cloud-hypervisor", read_cloud_hypervisor },
	{ "crosvm", false, "crosvm", read_crosvm },
	{ "firecracker", true, "firecracker", read_firecracker },
};

static const struct vmm *find_vmm(const char *program)
{
	const char *slash = strrchr(program, '/');
	char name[256];

	if (slash)
		program = slash + 1;
	program += *program == '.'; /* NixOS: .qemu-system-x86_64-wrapped */
	copy(name, sizeof(name), program, strlen(program));
	cut_suffix(name, " (deleted)"); /* /proc/PID/exe after an upgrade */
	for (size_t i = 0; i < NSN_ARRAY_SIZE(vmms); i++)
		if (vmms[i].prefix ? !strncmp(name, vmms[i].program, strlen(vmms[i].program))
				   : !strcmp(name, vmms[i].program))
			return &vmms[i];
	return NULL;
}

void nsn_vmname__from_argv(const char *argv, size_t size, const char *program,
			   struct nsn_vmname *out)
{
	struct args args = { .next = argv, .end = argv + size };
	const char *argv0 = args_next(&args);
	const struct vmm *vmm = find_vmm(program);

	memset(out, 0, sizeof(*out));
	if (!vmm && argv0)
		vmm = find_vmm(argv0);
	if (!vmm) {
		read_unknown(args, out);
		return;
	}
	nsn_format(out->vmm, sizeof(out->vmm), "%s", vmm->name);
	vmm->read(args, out);
}

static int hex_digit(char c)
{
	c = (char)tolower((unsigned char)c);
	return isdigit((unsigned char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes systemd's escapes of unit names: \xHH, and "-" for "/" (which no VM's name has). */
static void unescape(char *text)
{
	char *out = text;

	while (*text) {
		int value = text[0] == '\\' && text[1] == 'x' && hex_digit(text[2]) >= 0 &&
					    hex_digit(text[3]) >= 0
				    ? hex_digit(text[2]) << 4 | hex_digit(text[3])
				    : 0;

		if (value) {
			*out++ = (char)value;
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

/* libvirt's name of a machine is qemu-<its number>-<the guest's name>. */
static const char *skip_driver(const char *machine)
{
	const char *name = machine;

	if (strncmp(name, "qemu-", 5))
		return machine;
	name += 5;
	if (!isdigit((unsigned char)*name))
		return machine;
	while (isdigit((unsigned char)*name))
		name++;
	return name[0] == '-' && name[1] ? name + 1 : machine;
}

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool ends(const char *text, const char *suffix)
{
	size_t length = strlen(text), cut = strlen(suffix);

	return length > cut && !strcmp(text + length - cut, suffix);
}

/* kubepods…pod<uid>: systemd's driver writes the uid's dashes as underscores. */
static bool name_by_pod(const char *component, char *out, size_t size)
{
	const char *pod = strstr(component, "pod");
	char uuid[40] = "", text[40];

	/* "kubepods" has a "pod" of its own. */
	for (; pod; pod = strstr(pod + 1, "pod")) {
		copy(text, sizeof(text), pod + 3, strnlen(pod + 3, 36));
		for (char *c = text; *c; c++)
			if (*c == '_')
				*c = '-';
		take_uuid(text, uuid);
		if (uuid[0]) {
			nsn_format(out, size, "pod%s", uuid);
			return true;
		}
	}
	return false;
}

/* The name that one component of the path tells; `above`: the component before it. */
static bool name_by_component(char *component, const char *above, bool kubernetes, char *out,
			      size_t size)
{
	const char *name;

	if (kubernetes)
		return name_by_pod(component, out, size);
	if (starts(component, "machine-") && ends(component, ".scope")) {
		cut_suffix(component, ".scope");
		unescape(component);
		name = skip_driver(component + strlen("machine-"));
	} else if (ends(component, ".libvirt-qemu")) { /* without systemd */
		cut_suffix(component, ".libvirt-qemu");
		name = skip_driver(component);
	} else if (!strcmp(above, "qemu.slice") && ends(component, ".scope")) { /* Proxmox */
		cut_suffix(component, ".scope");
		name = component;
	} else {
		return false;
	}
	if (!*name)
		return false;
	copy(out, size, name, strlen(name));
	return true;
}

bool nsn_vmname__from_cgroup(const char *path, char *out, size_t size)
{
	char component[1024], above[1024] = "";
	bool kubernetes = strstr(path, "kubepods");

	while (*path) {
		size_t length = strcspn(path, "/");

		copy(component, sizeof(component), path, length);
		if (name_by_component(component, above, kubernetes, out, size))
			return true;
		strcpy(above, component);
		path += length;
		path += *path == '/';
	}
	return false;
}
