// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kpeek: the lab's witness. Prints, as one line of JSON, the state of VMs, IOMMU groups, their
 * PASIDs and domains, and Intel IOMMUs, read from /proc/kcore by the offsets in the kernel's BTF. It
 * shares no code with nosnoop and loads no BPF program, so that what it says can be held against what
 * nosnoop says.
 * Cells are quiet while it reads: it takes no lock and knows no retry.
 */
#include <bpf/btf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OBJECTS 4096

#define STRUCTS (1u << 17) /* places for the structures of BTF, at most half of them taken */
#define SYMBOLS "/run/kpeek.symbols"

static struct btf *btf;
static __u32 structs[STRUCTS];
static int kcore;
static Elf64_Phdr *segments;
static int nr_segments;

static void __attribute__((noreturn, format(printf, 1, 2))) fatal(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "kpeek: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

static void kcore_open(void)
{
	Elf64_Ehdr ehdr;
	size_t size;

	kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (kcore < 0 || read(kcore, &ehdr, sizeof(ehdr)) != sizeof(ehdr))
		fatal("/proc/kcore: %s", strerror(errno));
	nr_segments = ehdr.e_phnum;
	size = nr_segments * sizeof(*segments);
	segments = malloc(size);
	if (!segments || pread(kcore, segments, size, ehdr.e_phoff) != (ssize_t)size)
		fatal("/proc/kcore: headers: %s", strerror(errno));
}

static void kread(uint64_t addr, void *buf, size_t size)
{
	const Elf64_Phdr *p;

	for (p = segments; p < segments + nr_segments; p++) {
		if (p->p_type != PT_LOAD || addr < p->p_vaddr || addr - p->p_vaddr >= p->p_memsz)
			continue;
		if (pread(kcore, buf, size, p->p_offset + addr - p->p_vaddr) == (ssize_t)size)
			return;
	}
	fatal("can't read kernel memory at %#llx", (unsigned long long)addr);
}

static uint64_t kptr(uint64_t addr)
{
	uint64_t value;

	kread(addr, &value, sizeof(value));
	return value;
}

/* Addresses of symbols, 0 where the kernel has none of that name */
static uint64_t vm_list, iommu_group_kset, dmar_drhd_units;

/* The functions of the IOMMU drivers that this lab has, by which a domain's driver is told */
static struct function {
	uint64_t addr;
	char *name;
} functions[4096];
static int nr_functions;

static bool function_add(const char *name, uint64_t addr)
{
	static const char *const prefixes[] = { "intel_iommu_", "amd_iommu_", "viommu_",
						"mock_domain_" };
	unsigned int i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) ||
		    nr_functions == sizeof(functions) / sizeof(*functions))
			continue;
		functions[nr_functions].addr = addr;
		functions[nr_functions++].name = strdup(name);
		return true;
	}
	return false;
}

static const char *function_name(uint64_t addr)
{
	int i;

	for (i = 0; i < nr_functions; i++)
		if (functions[i].addr == addr)
			return functions[i].name;
	return "";
}

static bool symbol_add(const char *name, uint64_t addr)
{
	static const struct {
		const char *name;
		uint64_t *addr;
	} wanted[] = {
		{ "vm_list", &vm_list },
		{ "iommu_group_kset", &iommu_group_kset },
		{ "dmar_drhd_units", &dmar_drhd_units },
	};
	unsigned int i;

	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		if (*wanted[i].addr || strcmp(name, wanted[i].name))
			continue;
		*wanted[i].addr = addr;
		return true;
	}
	return function_add(name, addr);
}

/* Where the modules lie: as long as that is so, symbols are where they were. */
static uint64_t modules_sum(void)
{
	FILE *f = fopen("/proc/modules", "re");
	char line[1024], *end;
	uint64_t sum = 14695981039346656037ULL;
	const char *p;

	if (!f)
		fatal("/proc/modules: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		/* NAME SIZE USERS BY STATE ADDRESS TAINTS: who uses it is left out */
		end = strstr(line, " 0x");
		line[strcspn(line, " ")] = 0;
		for (p = line; *p; p++)
			sum = (sum ^ (unsigned char)*p) * 1099511628211ULL;
		for (p = end; p && *p; p++)
			sum = (sum ^ (unsigned char)*p) * 1099511628211ULL;
	}
	fclose(f);
	return sum;
}

/* Under emulation the list of all symbols takes half a second to read: those wanted are kept. */
static bool symbols_kept(uint64_t sum)
{
	FILE *f = fopen(SYMBOLS, "re");
	unsigned long long value;
	char name[256];
	bool same;

	if (!f)
		return false;
	same = fscanf(f, "%llx", &value) == 1 && value == sum;
	while (same && fscanf(f, "%llx %255s", &value, name) == 2)
		symbol_add(name, value);
	fclose(f);
	return same;
}

static void symbols_read(void)
{
	uint64_t sum = modules_sum();
	FILE *f, *kept;
	char line[512];

	if (symbols_kept(sum))
		return;
	f = fopen("/proc/kallsyms", "re");
	kept = fopen(SYMBOLS ".new", "we");
	if (!f || !kept)
		fatal("%s: %s", f ? SYMBOLS ".new" : "/proc/kallsyms", strerror(errno));
	setvbuf(f, NULL, _IOFBF, 1 << 16);
	fprintf(kept, "%llx\n", (unsigned long long)sum);
	while (fgets(line, sizeof(line), f)) {
		/* ADDRESS TYPE NAME [MODULE] */
		char *name = line + 18;

		if (line[16] != ' ' || *name != ' ')
			continue;
		name[strcspn(name, "\t\n")] = 0;
		if (symbol_add(name + 1, strtoull(line, NULL, 16)))
			fprintf(kept, "%.16s %s\n", line, name + 1);
	}
	fclose(f);
	if (fclose(kept) || rename(SYMBOLS ".new", SYMBOLS))
		fatal(SYMBOLS ": %s", strerror(errno));
}

static unsigned int place_of(const char *name)
{
	unsigned int hash = 5381;

	while (*name)
		hash = hash * 33 + (unsigned char)*name++;
	return hash % STRUCTS;
}

/* The kernel's types, and the place of each structure by its name: its first, if there are more */
static void types_read(void)
{
	const char *path = "/sys/kernel/btf/vmlinux";
	const struct btf_type *t;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END), done = 0;
	char *data = malloc(size);
	unsigned int at, taken = 0;
	ssize_t got;
	__u32 id;

	for (; data && done < size; done += got) {
		got = pread(fd, data + done, size - done, done);
		if (got <= 0)
			break;
	}
	btf = size && done == size ? btf__new(data, size) : NULL;
	if (!btf)
		fatal("%s: %s", path, strerror(errno));
	close(fd);
	free(data);
	for (id = 1; id < btf__type_cnt(btf); id++) {
		t = btf__type_by_id(btf, id);
		if (!btf_is_struct(t) || !t->name_off)
			continue;
		for (at = place_of(btf__name_by_offset(btf, t->name_off)); structs[at];)
			at = (at + 1) % STRUCTS;
		structs[at] = id;
		if (++taken > STRUCTS / 2)
			fatal("more than %u structures in BTF", STRUCTS / 2);
	}
}

struct field {
	uint32_t bit, bits;
};

static bool member_find(__s32 type, const char *name, size_t len, struct field *f, __s32 *out)
{
	const struct btf_type *t = btf__type_by_id(btf, btf__resolve_type(btf, type));
	const struct btf_member *m;
	int i;

	if (!btf_is_composite(t))
		return false;
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++, m++) {
		const char *n = btf__name_by_offset(btf, m->name_off);
		uint32_t bit = btf_member_bit_offset(t, i);

		if (!*n && member_find(m->type, name, len, f, out)) {
			f->bit += bit;
			return true;
		}
		if (strlen(n) == len && !strncmp(n, name, len)) {
			f->bit += bit;
			f->bits = btf_member_bitfield_size(t, i);
			*out = m->type;
			return true;
		}
	}
	return false;
}

static __s32 struct_id(const char *name)
{
	unsigned int at;

	for (at = place_of(name); structs[at]; at = (at + 1) % STRUCTS)
		if (!strcmp(btf__name_by_offset(btf, btf__type_by_id(btf, structs[at])->name_off),
			    name))
			return structs[at];
	fatal("no struct %s in BTF", name);
}

/* field("kvm", "arch.noncoherent_dma_count"): where it lies in the running kernel */
static struct field field(const char *type, const char *path)
{
	__s32 id = struct_id(type);
	struct field f = {};
	const char *p = path;

	while (*p) {
		size_t len = strcspn(p, ".");

		if (!member_find(id, p, len, &f, &id))
			fatal("no field %s.%s in BTF", type, path);
		p += len + (p[len] == '.');
	}
	if (!f.bits)
		f.bits = btf__resolve_size(btf, id) * 8;
	return f;
}

static uint64_t offset(const char *type, const char *path)
{
	return field(type, path).bit / 8;
}

static uint64_t value(uint64_t base, const char *type, const char *path)
{
	struct field f = field(type, path);
	uint64_t v = 0;

	if (f.bits % 8 == 0) {
		kread(base + f.bit / 8, &v, f.bits / 8);
		return v;
	}
	kread(base + f.bit / 8, &v, 1);
	return v >> f.bit % 8 & ((1ULL << f.bits) - 1);
}

static bool field_exists(const char *type, const char *name)
{
	struct field f = {};
	__s32 id;

	return member_find(struct_id(type), name, strlen(name), &f, &id);
}

/* The members of the list at head, whose struct list_head is at off in each */
static int list(uint64_t head, uint64_t off, uint64_t *out)
{
	uint64_t p;
	int n = 0;

	for (p = kptr(head); p != head && n < MAX_OBJECTS; p = kptr(p))
		out[n++] = p - off;
	return n;
}

static void print_vms(void)
{
	static uint64_t vms[MAX_OBJECTS];
	int i, n = vm_list ? list(vm_list, offset("kvm", "vm_list"), vms) : 0;

	printf("\"vms\":[");
	for (i = 0; i < n; i++)
		printf("%s{\"pid\":%d,\"users\":%d,\"noncoherent_dma\":%d}", i ? "," : "",
		       (int)value(vms[i], "kvm", "userspace_pid"),
		       (int)value(vms[i], "kvm", "users_count"),
		       (int)value(vms[i], "kvm", "arch.noncoherent_dma_count"));
	printf("]");
}

/* "v1" or "v2": pd_mode since 6.8 (PD_MODE_V1 is 1), PD_IOMMUV2_MASK (bit 3) of flags before */
static const char *amd_format(uint64_t domain)
{
	uint64_t protection = domain - offset("protection_domain", "domain");

	if (field_exists("protection_domain", "pd_mode"))
		return value(protection, "protection_domain", "pd_mode") == 1 ? "v1" : "v2";
	return value(protection, "protection_domain", "flags") & 8 ? "v2" : "v1";
}

/* A number for each domain, in the order of their first mention: addresses are not printed */
static int domain_number(uint64_t domain)
{
	static uint64_t seen[MAX_OBJECTS];
	static int n;
	int i;

	for (i = 0; i < n; i++)
		if (seen[i] == domain)
			return i;
	if (n == MAX_OBJECTS)
		fatal("more than %d domains", n);
	seen[n] = domain;
	return n++;
}

/* The entries of an xarray below an entry of it, by index; taken places (0x406) too */
static int xarray(uint64_t entry, uint64_t first, uint64_t *indices, uint64_t *out, int n)
{
	uint64_t node = entry - 2, slots, shift;
	unsigned int i;

	if ((entry & 3) != 2 || entry <= 4096) {
		if (!entry || n == MAX_OBJECTS)
			return n;
		indices[n] = first;
		out[n] = entry;
		return n + 1;
	}
	slots = node + offset("xa_node", "slots");
	shift = value(node, "xa_node", "shift");
	for (i = 0; i < field("xa_node", "slots").bits / 64; i++)
		n = xarray(kptr(slots + i * 8), first + ((uint64_t)i << shift), indices, out, n);
	return n;
}

/* What a group's PASIDs (0: none) are attached to, as handles or domains: see below */
static int group_pasids(uint64_t group, uint64_t *pasids, uint64_t *entries)
{
	if (!field_exists("iommu_group", "pasid_array"))
		return 0;
	return xarray(value(group, "iommu_group", "pasid_array.xa_head"), 0, pasids, entries, 0);
}

/* Since 6.15 (where the domain has a cookie_type) bit 0 tells a handle from a domain */
static uint64_t pasid_domain(uint64_t entry)
{
	bool tagged = field_exists("iommu_domain", "cookie_type");

	if (entry == 0x406)
		return 0;
	if (tagged && !(entry & 1))
		return entry;
	return value(entry & ~3ULL, "iommu_attach_handle", "domain");
}

/* iommufd's side of a domain that it made: the page table's number, its IOAS, what it is nested in */
static void print_table(uint64_t domain)
{
	uint64_t type = value(domain, "iommu_domain", "type"), table, parent;

	if (!field_exists("iommu_domain", "iommufd_hwpt") ||
	    value(domain, "iommu_domain", "cookie_type") != 5)
		return;
	table = value(domain, "iommu_domain", "iommufd_hwpt");
	printf(",\"table\":%d", (int)value(table, "iommufd_hw_pagetable", "obj.id"));
	parent = table;
	if (type == 64) {
		parent = value(table - offset("iommufd_hwpt_nested", "common"),
			       "iommufd_hwpt_nested", "parent") +
			 offset("iommufd_hwpt_paging", "common");
		printf(",\"parent\":%d",
		       domain_number(value(parent, "iommufd_hw_pagetable", "domain")));
	}
	parent -= offset("iommufd_hwpt_paging", "common");
	printf(",\"ioas\":%d,\"enforced\":%d",
	       (int)value(value(parent, "iommufd_hwpt_paging", "ioas"), "iommufd_ioas", "obj.id"),
	       (int)value(parent, "iommufd_hwpt_paging", "enforce_cache_coherency"));
}

/* What the driver itself holds of a domain. type 1 is UNMANAGED, one of VFIO or iommufd. */
static void print_domain(uint64_t domain)
{
	uint64_t ops = value(domain, "iommu_domain", "ops");
	uint64_t type = value(domain, "iommu_domain", "type");
	const char *attach = "", *enforce = "";

	if (ops) {
		attach = function_name(value(ops, "iommu_domain_ops", "attach_dev"));
		enforce = function_name(value(ops, "iommu_domain_ops", "enforce_cache_coherency"));
	}
	printf(",\"domain\":%d,\"type\":%d,\"driver\":\"%.*s\",\"enforce_op\":\"%s\"",
	       domain_number(domain), (int)type, (int)strcspn(attach, "_"), attach, enforce);
	print_table(domain);
	if (type & 1 && !strncmp(attach, "amd_", 4))
		printf(",\"page_table\":\"%s\"", amd_format(domain));
	if (type != 1 || strncmp(attach, "intel_", 6))
		return;
	printf(",\"force_snooping\":%d", (int)value(domain - offset("dmar_domain", "domain"),
						    "dmar_domain", "force_snooping"));
}

static int all_groups(uint64_t *out)
{
	uint64_t kset = iommu_group_kset ? kptr(iommu_group_kset) : 0;

	return kset ? list(kset + offset("kset", "list"), offset("iommu_group", "kobj.entry"), out)
		    : 0;
}

/* The devices of a group, as struct device */
static int group_devices(uint64_t group, uint64_t *out)
{
	int i, n = list(group + offset("iommu_group", "devices"), offset("group_device", "list"),
			out);

	for (i = 0; i < n; i++)
		out[i] = value(out[i], "group_device", "dev");
	return n;
}

static void print_string(uint64_t addr)
{
	char c;

	for (kread(addr, &c, 1); c; kread(++addr, &c, 1))
		putchar(c);
}

static bool is_pci(uint64_t device)
{
	uint64_t bus = value(device, "device", "bus");
	char name[4] = "";

	if (bus)
		kread(value(bus, "bus_type", "name"), name, sizeof(name));
	return !memcmp(name, "pci", sizeof(name));
}

/* A group's devices: is address translation on in them? Only PCI devices have it */
static void print_devices(uint64_t group)
{
	static uint64_t devices[MAX_OBJECTS];
	int i, n = group_devices(group, devices);

	printf(",\"devices\":[");
	for (i = 0; i < n; i++) {
		printf("%s{\"bdf\":\"", i ? "," : "");
		print_string(value(devices[i], "device", "kobj.name"));
		printf("\",\"ats\":%s}",
		       is_pci(devices[i]) && value(devices[i] - offset("pci_dev", "dev"), "pci_dev",
						   "ats_enabled")
			       ? "true"
			       : "false");
	}
	printf("]");
}

static void print_pasids(uint64_t group)
{
	static uint64_t pasids[MAX_OBJECTS], entries[MAX_OBJECTS];
	int i, n = group_pasids(group, pasids, entries);
	const char *sep = "";

	printf(",\"pasids\":[");
	for (i = 0; i < n; i++) {
		if (!pasids[i])
			continue;
		printf("%s{\"pasid\":%d", sep, (int)pasids[i]);
		if (pasid_domain(entries[i]))
			print_domain(pasid_domain(entries[i]));
		printf("}");
		sep = ",";
	}
	printf("]");
}

static void print_groups(void)
{
	static uint64_t groups[MAX_OBJECTS];
	int i, n = all_groups(groups);

	printf("\"groups\":[");
	for (i = 0; i < n; i++) {
		uint64_t domain = value(groups[i], "iommu_group", "domain");

		printf("%s{\"id\":%d,\"owner_cnt\":%d,\"owned\":%s", i ? "," : "",
		       (int)value(groups[i], "iommu_group", "id"),
		       (int)value(groups[i], "iommu_group", "owner_cnt"),
		       value(groups[i], "iommu_group", "owner") ? "true" : "false");
		printf(",\"blocking\":%s",
		       domain == value(groups[i], "iommu_group", "blocking_domain") ? "true"
										    : "false");
		if (domain)
			print_domain(domain);
		if (value(groups[i], "iommu_group", "owner"))
			print_devices(groups[i]);
		print_pasids(groups[i]);
		printf("}");
	}
	printf("]");
}

static void print_iommus(void)
{
	static uint64_t units[MAX_OBJECTS];
	int i, n = 0;
	const char *sep = "";

	if (dmar_drhd_units)
		n = list(dmar_drhd_units, offset("dmar_drhd_unit", "list"), units);
	printf("\"iommus\":[");
	for (i = 0; i < n; i++) {
		uint64_t iommu = value(units[i], "dmar_drhd_unit", "iommu");

		if (!iommu)
			continue;
		printf("%s{\"ecap\":\"%llx\",\"ecap_address\":\"%llx\"}", sep,
		       (unsigned long long)value(iommu, "intel_iommu", "ecap"),
		       (unsigned long long)(iommu + offset("intel_iommu", "ecap")));
		sep = ",";
	}
	printf("]");
}

/* "ADDRESS BYTES BIT": where something lies, what is there now, and which bit of it is meant */
static void print_place(uint64_t addr, unsigned int size, unsigned int bit)
{
	unsigned char bytes[64];
	unsigned int i;

	kread(addr, bytes, size);
	printf("%llx ", (unsigned long long)addr);
	for (i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf(" %u\n", bit);
}

static void print_field_place(uint64_t base, const char *type, const char *path)
{
	struct field f = field(type, path);

	print_place(base + f.bit / 8, f.bits < 8 ? 1 : f.bits / 8, f.bit % 8);
}

/* pasidN.FIELD: a field of the domain that PASID N of a group is attached to */
static void print_pasid_place(uint64_t group, const char *name)
{
	static uint64_t pasids[MAX_OBJECTS], entries[MAX_OBJECTS];
	int i, n = group_pasids(group, pasids, entries);
	char *path;
	uint64_t pasid = strtoull(name + strlen("pasid"), &path, 10);

	for (i = 0; i < n; i++) {
		if (pasids[i] != pasid || *path != '.')
			continue;
		print_field_place(pasid_domain(entries[i]), "iommu_domain", path + 1);
		return;
	}
	fatal("no %s", name);
}

/* For cells that change the kernel: a field of a group, of its domain, or of its device's driver */
static void print_group_place(int id, const char *name)
{
	static uint64_t groups[MAX_OBJECTS], devices[MAX_OBJECTS];
	uint64_t domain, driver;
	int i, n = all_groups(groups);

	for (i = 0; i < n; i++)
		if ((int)value(groups[i], "iommu_group", "id") == id)
			break;
	if (i == n)
		fatal("no group %d", id);
	domain = value(groups[i], "iommu_group", "domain");
	n = group_devices(groups[i], devices);
	driver = n ? value(devices[0], "device", "driver") : 0;
	if (!strncmp(name, "pasid", 5))
		print_pasid_place(groups[i], name);
	else if (!strcmp(name, "owner") || !strcmp(name, "domain"))
		print_field_place(groups[i], "iommu_group", name);
	else if (!strcmp(name, "force_snooping") && domain)
		print_field_place(domain - offset("dmar_domain", "domain"), "dmar_domain", name);
	else if (!strcmp(name, "page_table") && domain)
		print_field_place(
			domain - offset("protection_domain", "domain"), "protection_domain",
			field_exists("protection_domain", "pd_mode") ? "pd_mode" : "flags");
	else if (!strcmp(name, "driver_name") && driver)
		print_place(value(driver, "device_driver", "name"), 8, 0);
	else if (!strcmp(name, "driver_folder") && driver)
		print_place(value(value(value(driver, "device_driver", "p"), "driver_private",
					"kobj.sd"),
				  "kernfs_node", "name"),
			    8, 0);
	else
		fatal("group %d has no %s", id, name);
}

/*
 * kpeek                   the witness
 * kpeek place GROUP FIELD where the field lies; pasid5.FIELD: of the domain of the group's PASID 5
 * kpeek code FUNCTION     where a function of an IOMMU driver begins
 */
int main(int argc, char **argv)
{
	int i;

	types_read();
	symbols_read();
	kcore_open();
	if (argc == 4 && !strcmp(argv[1], "place")) {
		print_group_place(atoi(argv[2]), argv[3]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "code")) {
		for (i = 0; i < nr_functions; i++)
			if (!strcmp(functions[i].name, argv[2]))
				print_place(functions[i].addr, 3, 0);
		return 0;
	}
	printf("{");
	print_vms();
	printf(",");
	print_groups();
	printf(",");
	print_iommus();
	printf("}\n");
	return 0;
}
