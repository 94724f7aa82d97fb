// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cli.c - what all commands have in common on the command line. Floor 4.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"
#include "probes.h"
#include "version.h"

enum {
	OPTION_VM = 0x1000,
	OPTION_DEVICE,
	OPTION_GROUP,
	OPTION_FORMAT,
	OPTION_REPLAY,
	OPTION_RECORD,
	OPTION_SYSROOT,
	OPTION_COLOR,
	OPTION_USAGE,
};

/* Options of a command; those that it refuses are there to be told of, but not listed: OPTION_HIDDEN. */
#define OPTIONS(name, selection, format, recording)                                                \
	static const struct argp_option name[] = {                                                 \
		{ "vm", OPTION_VM, "VM", selection,                                                \
		  "only this VM: its uuid, else its name, else its pid "                           \
		  "(uuid:, name: or pid: force one)",                                              \
		  1 },                                                                             \
		{ "device", OPTION_DEVICE, "BDF", selection, "only this device: 0000:00:02.0",     \
		  1 },                                                                             \
		{ "group", OPTION_GROUP, "N", selection, "only this IOMMU group", 1 },             \
		{ "format", OPTION_FORMAT, "FORMAT", (format) ? 0 : OPTION_HIDDEN,                 \
		  (format) ? (format) : "", 2 },                                                   \
		{ "color", OPTION_COLOR, "WHEN", (format) ? 0 : OPTION_HIDDEN,                     \
		  "auto (the default), always or never", 2 },                                      \
		{ "replay", OPTION_REPLAY, "FILE", recording,                                      \
		  "read a recording instead of this machine", 3 },                                 \
		{ "record", OPTION_RECORD, "FILE", recording, "also write what was read to FILE",  \
		  3 },                                                                             \
		{ "sysroot", OPTION_SYSROOT, "DIR", 0, "read the sys/ and proc/ under DIR", 3 },   \
		{ "verbose", 'v', NULL, 0, "say more; twice: libbpf's messages too", -2 },         \
		{ "help", 'h', NULL, 0, "this text", -1 },                                         \
		{ "usage", OPTION_USAGE, NULL, OPTION_HIDDEN, NULL, -1 },                          \
		{ "version", 'V', NULL, 0, "print the version", -1 },                              \
		{ 0 },                                                                             \
	}

OPTIONS(options, 0, "text (the default) or json", 0);
OPTIONS(record_options, OPTION_HIDDEN, NULL, 0);
OPTIONS(export_options, OPTION_HIDDEN, "prometheus (the default) or openmetrics", 0);
OPTIONS(doctor_options, OPTION_HIDDEN, "text (the default) or json", OPTION_HIDDEN);

static error_t parse_color(struct nsn_cli_opts *opts, const char *arg, struct argp_state *state)
{
	static const char *const names[] = { "auto", "always", "never" };

	for (size_t i = 0; i < NSN_ARRAY_SIZE(names); i++) {
		if (strcmp(arg, names[i]))
			continue;
		opts->color = (enum nsn_color)i;
		return 0;
	}
	argp_error(state, "--color takes auto, always or never, not '%s'", arg);
	return EINVAL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct nsn_cli_opts *opts = state->input;

	switch (key) {
	case OPTION_VM:
		opts->vm = arg;
		return 0;
	case OPTION_DEVICE:
		opts->device = arg;
		return 0;
	case OPTION_GROUP:
		opts->group = arg;
		return 0;
	case OPTION_FORMAT:
		opts->format = arg;
		return 0;
	case OPTION_REPLAY:
		opts->session.replay = arg;
		return 0;
	case OPTION_RECORD:
		opts->session.record = arg;
		return 0;
	case OPTION_SYSROOT:
		opts->session.sysroot = arg;
		return 0;
	case OPTION_COLOR:
		return parse_color(opts, arg, state);
	case 'v':
		opts->verbosity++;
		nsn_log__set_level(opts->verbosity > 1 ? NSN_LOG_DEBUG : NSN_LOG_INFO);
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK);
		exit(nsn_cli__close_stdout(0));
	case OPTION_USAGE:
		argp_state_help(state, stdout, ARGP_HELP_USAGE);
		exit(nsn_cli__close_stdout(0));
	case 'V':
		printf("nosnoop %s (%s)\n", nsn_version, nsn_revision);
		exit(nsn_cli__close_stdout(0));
	case ARGP_KEY_END:
		if (opts->session.replay && opts->session.sysroot)
			argp_error(state, "--replay and --sysroot exclude each other");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp nsn_cli_argp = { .options = options, .parser = parse };
const struct argp nsn_cli_record_argp = { .options = record_options, .parser = parse };
const struct argp nsn_cli_export_argp = { .options = export_options, .parser = parse };
const struct argp nsn_cli_doctor_argp = { .options = doctor_options, .parser = parse };

const char *nsn_cli__probes(struct argp_state *state, const char *list)
{
	char name[NSN_SYMBOL_LEN];

	if (nsn_probe__not_one(list, name, sizeof(name)))
		argp_error(state, "no probe '%s'; nosnoop doctor lists them", name);
	return list;
}

void nsn_cli__not_to_stdout(struct argp_state *state, const struct nsn_cli_opts *opts,
			    const char *what)
{
	if (opts->session.record && strcmp(opts->session.record, "-") == 0)
		argp_error(state,
			   "--record - would mix the recording with the %s: name a file, or use "
			   "nosnoop record -",
			   what);
}

int nsn_cli__parse(const struct argp *argp, int argc, char **argv, void *input)
{
	argp_err_exit_status = NSN_EXIT_FAILURE;
	return argp_parse(argp, argc, argv, ARGP_NO_HELP, NULL, input) ? NSN_EXIT_FAILURE : 0;
}

int nsn_cli__format(const struct nsn_cli_opts *opts, bool *json)
{
	*json = opts->format && strcmp(opts->format, "json") == 0;
	if (*json || !opts->format || strcmp(opts->format, "text") == 0)
		return 0;
	nsn_error("--format takes text or json, not '%s'", opts->format);
	return NSN_EXIT_FAILURE;
}

static int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width;

	if (columns && nsn_parse_u64(columns, &width) == 0 && width >= 40 && width <= 1000)
		return (int)width;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		return size.ws_col;
	return 80;
}

static bool wants_color(enum nsn_color color)
{
	const char *terminal = getenv("TERM"), *none = getenv("NO_COLOR");

	if (color != NSN_COLOR_AUTO)
		return color == NSN_COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(none && none[0]) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

void nsn_cli__render_opts(const struct nsn_cli_opts *opts, struct nsn_render_opts *out)
{
	memset(out, 0, sizeof(*out));
	out->width = terminal_width();
	out->color = wants_color(opts->color);
	out->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	out->fail_on = NSN_SEVERITY_WARNING;
	out->tool_version = nsn_version;
}

/* ---- selection ------------------------------------------------------------------------------- */

static const char *vm_name(const struct nsn_vm *vm)
{
	return vm->process && NSN_KNOWS(vm->process, process, name) ? vm->process->name : "";
}

enum match_by {
	BY_UUID,
	BY_NAME,
	BY_PID,
};

static bool matches(const struct nsn_vm *vm, enum match_by by, const char *text)
{
	uint64_t pid;

	switch (by) {
	case BY_UUID:
		return strcasecmp(vm->id, text) == 0 || (vm->process && vm->process->uuid[0] &&
							 strcasecmp(vm->process->uuid, text) == 0);
	case BY_NAME:
		return strcmp(vm_name(vm), text) == 0;
	default:
		return nsn_parse_u64(text, &pid) == 0 && pid && vm->pid == pid;
	}
}

/* All VMs, or those that match. */
static void list_vms(const struct nsn_model *model, bool all, enum match_by by, const char *text)
{
	if (all)
		nsn_error("no such VM '%s'; running:%s", text, model->vms_count ? "" : " none");
	else
		nsn_error("several VMs match '%s':", text);
	for (size_t i = 0; i < model->vms_count; i++)
		if (all || matches(&model->vms[i], by, text))
			nsn_error("  %s  name '%s'  pid %llu", model->vms[i].id,
				  vm_name(&model->vms[i]), (unsigned long long)model->vms[i].pid);
}

/* An exact uuid, else an exact name, else a pid; a prefix forces one. */
static int select_vm(const struct nsn_model *model, const char *text, const struct nsn_vm **out)
{
	static const char *const prefixes[] = { "uuid:", "name:", "pid:" };
	enum match_by first = BY_UUID, last = BY_PID, by;
	size_t found = 0;

	for (size_t i = 0; i < NSN_ARRAY_SIZE(prefixes); i++) {
		size_t length = strlen(prefixes[i]);

		/* pid:12@345 is an id as we print it, for a VM without a uuid */
		if (strncmp(text, prefixes[i], length) || (i == BY_PID && strchr(text, '@')))
			continue;
		first = last = (enum match_by)i;
		text += length;
		break;
	}
	for (by = first; by <= last && !found; by++) {
		for (size_t i = 0; i < model->vms_count; i++) {
			if (!matches(&model->vms[i], by, text))
				continue;
			*out = &model->vms[i];
			found++;
		}
	}
	if (found == 1)
		return 0;
	list_vms(model, !found, by - 1, text); /* the last that was tried, or that matched */
	return found ? -EEXIST : -ENOENT;
}

int nsn_cli__select(const struct nsn_cli_opts *opts, const struct nsn_model *model,
		    struct nsn_selection *out)
{
	uint64_t number;
	int err;

	out->model = model;
	out->any = opts->vm || opts->device || opts->group;
	if (opts->vm) {
		err = select_vm(model, opts->vm, &out->vm);
		if (err)
			return err;
	}
	if (opts->device) {
		out->device = nsn_model__device(model, opts->device);
		if (!out->device) {
			nsn_error("no such device '%s': give it as it stands in "
				  "/sys/bus/pci/devices, 0000:00:02.0",
				  opts->device);
			return -ENOENT;
		}
	}
	if (opts->group) {
		if (nsn_parse_u64(opts->group, &number) == 0)
			out->group = nsn_model__group(model, number);
		if (!out->group) {
			nsn_error("no such IOMMU group '%s': see /sys/kernel/iommu_groups",
				  opts->group);
			return -ENOENT;
		}
	}
	return 0;
}

static bool vm_has(const struct nsn_refs *refs, const void *object)
{
	for (size_t i = 0; i < refs->items_count; i++)
		if (refs->items[i] == object)
			return true;
	return false;
}

int nsn_cli__check_selection(const struct nsn_cli_opts *opts, const struct nsn_selection *selection)
{
	const struct nsn_vm *vm = selection->vm;
	const struct nsn_device *device = selection->device;
	const struct nsn_group *group = selection->group;

	if (vm && device && !vm_has(&vm->devices, device))
		nsn_error("VM '%s' does not have device %s", opts->vm, opts->device);
	else if (vm && group && !vm_has(&vm->groups, group))
		nsn_error("VM '%s' does not have group %s", opts->vm, opts->group);
	else if (device && group && device->group != group)
		nsn_error("device %s is not in group %s", opts->device, opts->group);
	else
		return 0;
	return -ENOENT;
}

/* Everything that stands in the selected VM's tree, or in the selected group's or device's. */
static bool vm_selected(const struct nsn_selection *selection, const struct nsn_vm *vm)
{
	if (selection->vm && selection->vm != vm)
		return false;
	if (selection->device && !vm_has(&vm->devices, selection->device))
		return false;
	return !selection->group || vm_has(&vm->groups, selection->group);
}

static bool in_vm(const struct nsn_selection *selection, enum nsn_object kind, const void *object)
{
	const struct nsn_vm *vm = selection->vm;

	switch (kind) {
	case NSN_OBJECT_CONTAINER:
		return vm_has(&vm->containers, object);
	case NSN_OBJECT_DOMAIN:
		return vm_has(&vm->domains, object);
	case NSN_OBJECT_GROUP:
		return vm_has(&vm->groups, object);
	case NSN_OBJECT_DEVICE:
	case NSN_OBJECT_MEMBER:
		return vm_has(&vm->devices, object);
	default:
		return true;
	}
}

/* Is the object the group, one of its devices, or what it is attached to? */
static bool of_group(const struct nsn_group *group, enum nsn_object kind, const void *object)
{
	switch (kind) {
	case NSN_OBJECT_CONTAINER:
		return group && group->container == object;
	case NSN_OBJECT_DOMAIN:
		return group && (group->domain == object || group->default_domain == object);
	case NSN_OBJECT_GROUP:
		return group == object;
	case NSN_OBJECT_DEVICE:
	case NSN_OBJECT_MEMBER:
		return ((const struct nsn_device *)object)->group == group;
	default:
		return true;
	}
}

bool nsn_cli__shows(const struct nsn_render_opts *opts, enum nsn_object kind, const void *object)
{
	const struct nsn_selection *selection = opts->shows_data;

	if (kind == NSN_OBJECT_VM)
		return vm_selected(selection, object);
	if (selection->vm && !in_vm(selection, kind, object))
		return false;
	if (selection->device &&
	    (kind == NSN_OBJECT_DEVICE ? object != selection->device
				       : !of_group(selection->device->group, kind, object)))
		return false;
	return !selection->group || of_group(selection->group, kind, object);
}

int nsn_cli__close_stdout(int status)
{
	struct pollfd reader = { .fd = STDOUT_FILENO };
	int err;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	err = errno;
	if (!err && poll(&reader, 1, 0) == 1 && reader.revents & POLLERR)
		err = EPIPE; /* what failed was long ago: whoever read has gone */
	if (err != EPIPE)
		nsn_error("not all output could be written%s%s", err ? ": " : "",
			  err ? strerror(err) : "");
	return NSN_EXIT_FAILURE;
}

bool nsn_cli__hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

int nsn_cli__exec_sibling(const char *name, char **argv)
{
	size_t room = strlen(name) + 1;
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - room - 1);
	char *slash;

	path[length > 0 ? length : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		memcpy(slash + 1, name, room);
		execv(path, argv);
	}
	nsn_error("%s: %s", slash ? path : name, strerror(errno));
	return NSN_EXIT_FAILURE;
}
