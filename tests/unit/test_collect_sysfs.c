// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_collect_sysfs.c - host, IOMMU units, groups and PCI devices from fake sysfs trees.
 */
#include "sysroot.h"

#include <time.h>

#include <pci/header.h>

#include "collect_pci.h"
#include "collect_sysfs.h"

static struct nsn_records records;

static void collect(void)
{
	nsn_records__free(&records);
	nsn_records__init(&records);
	assert_int_equal(nsn_sysfs__collect(sysroot, 42, &records.sink), 0);
}

static int setup(void **state)
{
	nsn_records__init(&records);
	return sysroot_make(state);
}

static int teardown(void **state)
{
	nsn_records__free(&records);
	return sysroot_remove(state);
}

/* A device's configuration space under construction. */
struct space {
	uint8_t bytes[4096];
	size_t size;
};

static void put16(struct space *space, size_t at, unsigned int value)
{
	space->bytes[at] = value & 0xff;
	space->bytes[at + 1] = value >> 8;
}

/* An ordinary PCI device: no capability. */
static struct space conventional(unsigned int header_type)
{
	struct space space = { .size = 256 };

	put16(&space, PCI_VENDOR_ID, 0x8086);
	put16(&space, PCI_DEVICE_ID, 0x100e);
	space.bytes[PCI_HEADER_TYPE] = header_type;
	return space;
}

/* A PCI Express device of a type, with its Device Control register. */
static struct space express(unsigned int header_type, unsigned int type, unsigned int control)
{
	struct space space = conventional(header_type);

	space.size = 4096;
	put16(&space, PCI_STATUS, PCI_STATUS_CAP_LIST);
	space.bytes[PCI_CAPABILITY_LIST] = 0x50;
	space.bytes[0x50] = PCI_CAP_ID_EXP;
	put16(&space, 0x50 + PCI_EXP_FLAGS, 2 | type << 4);
	put16(&space, 0x50 + PCI_EXP_DEVCTL, control);
	return space;
}

static void with_ats(struct space *space, unsigned int control)
{
	put16(space, 0x100, PCI_EXT_CAP_ID_ATS);
	put16(space, 0x102, 1);
	put16(space, 0x100 + PCI_ATS_CTRL, control);
}

/*
 * A PCI device: `where` is its folder under /sys/devices, its last part the address. group: ""
 * none.
 */
static void add_device(const char *where, const char *group, const struct space *space)
{
	const char *bdf = strrchr(where, '/') + 1;
	char path[512], target[512];

	nsn_format(path, sizeof(path), "/sys/devices/%s/vendor", where);
	sysroot_text(path, "0x8086\n");
	nsn_format(path, sizeof(path), "/sys/devices/%s/device", where);
	sysroot_text(path, "0x100e\n");
	nsn_format(path, sizeof(path), "/sys/devices/%s/class", where);
	sysroot_text(path, space && space->bytes[PCI_HEADER_TYPE] ? "0x060400\n" : "0x020000\n");
	nsn_format(path, sizeof(path), "/sys/devices/%s/power_state", where);
	sysroot_text(path, "D0\n");
	nsn_format(path, sizeof(path), "/sys/devices/%s/driver_override", where);
	sysroot_text(path, "(null)\n");
	if (space) {
		nsn_format(path, sizeof(path), "/sys/devices/%s/config", where);
		sysroot_bytes(path, space->bytes, space->size);
	}
	nsn_format(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	nsn_format(target, sizeof(target), "../../../devices/%s", where);
	sysroot_link(path, target);
	if (!group[0])
		return;
	nsn_format(path, sizeof(path), "/sys/devices/%s/iommu_group", where);
	nsn_format(target, sizeof(target), "/kernel/iommu_groups/%s", group);
	sysroot_link(path, target);
	nsn_format(path, sizeof(path), "/sys/kernel/iommu_groups/%s/type", group);
	sysroot_text(path, "DMA-FQ\n");
	nsn_format(path, sizeof(path), "/sys/kernel/iommu_groups/%s/devices/%s", group, bdf);
	nsn_format(target, sizeof(target), "../../../../devices/%s", where);
	sysroot_link(path, target);
}

static const struct nsn_rec_device *device_of(const char *id)
{
	const struct nsn_rec_device *rec = NULL;

	while ((rec = next_record(&records, NSN_REC_DEVICE, rec)))
		if (!strcmp(rec->id, id))
			return rec;
	fail_msg("no device %s", id);
	return NULL;
}

static const struct nsn_rec_sys_group *group_of(uint64_t number)
{
	const struct nsn_rec_sys_group *rec = NULL;

	while ((rec = next_record(&records, NSN_REC_SYS_GROUP, rec)))
		if (rec->group_id == number)
			return rec;
	fail_msg("no group %u", (unsigned int)number);
	return NULL;
}

static void test_nothing(void **state)
{
	const struct nsn_rec_host *host;

	(void)state;
	collect();
	host = record_at(&records, NSN_REC_HOST, 0);
	assert_non_null(host);
	assert_int_equal(host->taken_at, 42);
	assert_false(NSN_KNOWS(host, host, hostname));
	assert_false(NSN_KNOWS(host, host, unsafe_interrupts));
	assert_false(NSN_KNOWS(host, host, pid_namespace_initial));
	/* No sysfs at all is no knowledge of any kind. */
	assert_int_equal(source_of(&records, "sysfs.iommu")->state, NSN_SOURCE_FAILED);
	assert_int_equal(source_of(&records, "sysfs.groups")->state, NSN_SOURCE_FAILED);
	assert_int_equal(source_of(&records, "sysfs.pci")->state, NSN_SOURCE_FAILED);
	assert_non_null(missing_reason(&records, "host.hostname", ""));
}

static void test_no_iommu(void **state)
{
	(void)state;
	sysroot_folder("/sys/kernel/iommu_groups");
	sysroot_folder("/sys/class/iommu");
	sysroot_folder("/sys/module");
	sysroot_folder("/sys/bus");
	collect();
	assert_int_equal(source_of(&records, "sysfs.iommu")->state, NSN_SOURCE_ABSENT);
	assert_int_equal(source_of(&records, "sysfs.groups")->state, NSN_SOURCE_ABSENT);
	assert_int_equal(source_of(&records, "sysfs.pci")->state, NSN_SOURCE_ABSENT);
	assert_string_equal(missing_reason(&records, "host.vfio.allow_unsafe_interrupts", ""),
			    "module not loaded");
	assert_string_equal(missing_reason(&records, "host.vfio.enable_unsafe_noiommu_mode", ""),
			    "module not loaded");
}

static void add_host(const char *namespace)
{
	sysroot_text("/proc/sys/kernel/hostname", "node7\n");
	sysroot_text("/proc/sys/kernel/random/boot_id", "0d9a2f3c-1111-2222-3333-444455556666\n");
	sysroot_text("/proc/sys/kernel/osrelease", "6.12.1\n");
	sysroot_text("/proc/sys/kernel/arch", "x86_64\n");
	sysroot_text("/proc/cpuinfo",
		     "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n");
	sysroot_link("/proc/self/ns/pid", namespace);
}

static void test_host(void **state)
{
	const struct nsn_rec_host *host;
	char *stat = malloc(70000);

	(void)state;
	assert_non_null(stat);
	add_host("pid:[4026531836]");
	/* A line of interrupts that is longer than any buffer, with a lure in it. */
	memset(stat, '1', 65536);
	memcpy(stat, "intr ", 5);
	memcpy(stat + 8192, "btime 7 ", 8);
	strcpy(stat + 65536, "\nbtime 1700000000\nprocesses 9\n");
	sysroot_text("/proc/stat", stat);
	free(stat);
	sysroot_text("/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n");
	sysroot_text("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n");
	collect();
	host = record_at(&records, NSN_REC_HOST, 0);
	assert_string_equal(host->hostname, "node7");
	assert_string_equal(host->boot_id, "0d9a2f3c-1111-2222-3333-444455556666");
	assert_string_equal(host->kernel, "6.12.1");
	assert_string_equal(host->arch, "x86_64");
	assert_string_equal(host->cpu_vendor, "intel");
	assert_int_equal(host->boot_time, 1700000000ULL * 1000000000);
	assert_int_equal(host->ticks_per_second, sysconf(_SC_CLK_TCK));
	assert_int_equal(host->pid_namespace_initial, 1);
	assert_int_equal(host->unsafe_interrupts, 1);
	assert_true(NSN_KNOWS(host, host, unsafe_noiommu));
	assert_int_equal(host->unsafe_noiommu, 0);
	assert_null(missing_reason(&records, "host.vfio.allow_unsafe_interrupts", ""));
}

static void test_host_elsewhere(void **state)
{
	const struct nsn_rec_host *host;

	(void)state;
	add_host("pid:[4026532001]");
	sysroot_text("/proc/cpuinfo", "vendor_id\t: HygonGenuine\n");
	sysroot_folder("/sys/module/vfio/parameters");
	collect();
	host = record_at(&records, NSN_REC_HOST, 0);
	assert_true(NSN_KNOWS(host, host, pid_namespace_initial));
	assert_int_equal(host->pid_namespace_initial, 0);
	assert_string_equal(host->cpu_vendor, "hygongenuine");
	assert_false(NSN_KNOWS(host, host, unsafe_noiommu));
	assert_non_null(strstr(missing_reason(&records, "host.vfio.enable_unsafe_noiommu_mode", ""),
			       "no such parameter"));
}

static const struct nsn_rec_iommu *iommu_of(const char *name)
{
	const struct nsn_rec_iommu *rec = NULL;

	while ((rec = next_record(&records, NSN_REC_IOMMU, rec)))
		if (!strcmp(rec->name, name))
			return rec;
	fail_msg("no IOMMU %s", name);
	return NULL;
}

static void test_intel_units(void **state)
{
	const struct nsn_rec_iommu *unit;

	(void)state;
	sysroot_text("/sys/class/iommu/dmar0/intel-iommu/ecap", "f0108a\n"); /* SC and IR */
	sysroot_text("/sys/class/iommu/dmar1/intel-iommu/ecap", "f0000a\n"); /* IR only */
	sysroot_text("/sys/class/iommu/dmar2/intel-iommu/ecap", "f00082\n"); /* SC only */
	sysroot_text("/sys/class/iommu/dmar3/intel-iommu/ecap", "nonsense\n");
	collect();
	unit = iommu_of("dmar0");
	assert_string_equal(unit->driver, "intel");
	assert_int_equal(unit->snoop_control, 1);
	assert_false(NSN_KNOWS(unit, iommu, interrupt_remapping));
	assert_non_null(missing_reason(&records, "iommus.interrupt_remapping", "dmar0"));
	unit = iommu_of("dmar1");
	assert_true(NSN_KNOWS(unit, iommu, snoop_control));
	assert_int_equal(unit->snoop_control, 0);
	unit = iommu_of("dmar2");
	assert_true(NSN_KNOWS(unit, iommu, interrupt_remapping));
	assert_int_equal(unit->interrupt_remapping, 0);
	unit = iommu_of("dmar3");
	assert_false(NSN_KNOWS(unit, iommu, snoop_control));
	assert_non_null(missing_reason(&records, "iommus.snoop_control", "dmar3"));
	assert_int_equal(source_of(&records, "sysfs.iommu")->state, NSN_SOURCE_OK);
}

static void test_remapping_in_use(void **state)
{
	const struct nsn_rec_iommu *unit;

	(void)state;
	sysroot_text("/sys/class/iommu/dmar0/intel-iommu/ecap", "f0108a\n");
	/* The unit's own fault interrupt is never remapped and proves nothing. */
	sysroot_text("/sys/kernel/irq/24/chip_name", "DMAR-MSI\n");
	sysroot_text("/sys/kernel/irq/25/chip_name", "PCI-MSIX-0000:00:02.0\n");
	collect();
	unit = iommu_of("dmar0");
	assert_true(NSN_KNOWS(unit, iommu, interrupt_remapping));
	assert_int_equal(unit->interrupt_remapping, 0);
	sysroot_text("/sys/kernel/irq/26/chip_name", "IR-PCI-MSI\n");
	collect();
	assert_int_equal(iommu_of("dmar0")->interrupt_remapping, 1);
}

static void test_other_units(void **state)
{
	const struct nsn_rec_iommu *unit;

	(void)state;
	sysroot_text("/sys/class/iommu/ivhd0/amd-iommu/cap", "40f\n");
	sysroot_text("/sys/kernel/irq/26/chip_name", "IR-PCI-MSI-0000:00:02.0\n");
	sysroot_link("/sys/class/iommu/0000:00:05.0/device/driver",
		     "../../bus/virtio/drivers/virtio_iommu");
	sysroot_link("/sys/class/iommu/smmu3/device/driver", "../../drivers/arm-smmu-v3");
	collect();
	unit = iommu_of("ivhd0");
	assert_string_equal(unit->driver, "amd");
	assert_int_equal(unit->snoop_control, 1);
	assert_int_equal(unit->interrupt_remapping, 1);
	unit = iommu_of("0000:00:05.0");
	assert_string_equal(unit->driver, "virtio");
	assert_true(NSN_KNOWS(unit, iommu, snoop_control));
	assert_int_equal(unit->snoop_control, 0);
	assert_int_equal(unit->interrupt_remapping, 0);
	unit = iommu_of("smmu3");
	assert_string_equal(unit->driver, "arm-smmu-v3");
	assert_false(NSN_KNOWS(unit, iommu, snoop_control));
	assert_non_null(missing_reason(&records, "iommus.snoop_control", "smmu3"));
}

/* An AMD IOMMU is a PCI device too; where others have a link to their unit it has a folder. */
static void test_unit_is_a_device(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, 0);
	const struct nsn_rec_device *device;

	(void)state;
	add_device("pci0000:00/0000:00:01.0", "", &space);
	sysroot_folder("/sys/devices/pci0000:00/0000:00:01.0/iommu/ivhd0");
	collect();
	device = device_of("0000:00:01.0");
	assert_true(NSN_KNOWS(device, device, iommu));
	assert_string_equal(device->iommu, "");
}

static void test_device(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, PCI_EXP_DEVCTL_NOSNOOP);
	const struct nsn_rec_device *device;

	(void)state;
	with_ats(&space, PCI_ATS_CTRL_ENABLE);
	add_device("pci0000:00/0000:00:02.0", "7", &space);
	sysroot_link("/sys/devices/pci0000:00/0000:00:02.0/driver",
		     "../../bus/pci/drivers/vfio-pci");
	sysroot_link("/sys/devices/pci0000:00/0000:00:02.0/iommu", "../../virtual/iommu/dmar0");
	sysroot_text("/sys/devices/pci0000:00/0000:00:02.0/driver_override", "vfio-pci\n");
	collect();
	device = device_of("0000:00:02.0");
	assert_string_equal(device->bus, "pci");
	assert_string_equal(device->driver, "vfio-pci");
	assert_string_equal(device->driver_override, "vfio-pci");
	assert_string_equal(device->iommu, "dmar0");
	assert_string_equal(device->power_state, "D0");
	assert_true(NSN_KNOWS(device, device, physfn));
	assert_string_equal(device->physfn, "");
	assert_int_equal(device->group_id, 7);
	assert_int_equal(device->vendor_id, 0x8086);
	assert_int_equal(device->device_id, 0x100e);
	assert_int_equal(device->class, 0x020000);
	assert_int_equal(device->nosnoop, 1);
	assert_int_equal(device->nosnoop_source, NSN_NOSNOOP_SELF);
	assert_string_equal(device->nosnoop_bdf, "0000:00:02.0");
	assert_int_equal(device->ats, 1);
	assert_true(NSN_KNOWS(device, device, bridge));
	assert_int_equal(device->bridge, 0);
	assert_true(NSN_KNOWS(device, device, asleep));
	assert_int_equal(device->asleep, 0);
	assert_true(NSN_KNOWS(device, device, name));
	assert_true(strlen(device->name) > 0);
	assert_int_equal(group_of(7)->why, NSN_WHY_SINGLE);
	assert_string_equal(group_of(7)->type, "DMA-FQ");
	assert_false(NSN_KNOWS(group_of(7), sys_group, isolated_msi));
	assert_int_equal(source_of(&records, "sysfs.pci")->state, NSN_SOURCE_OK);
	assert_int_equal(source_of(&records, "sysfs.groups")->state, NSN_SOURCE_OK);
	assert_null(missing_reason(&records, "devices.nosnoop.permitted", "0000:00:02.0"));
	assert_null(missing_reason(&records, "devices.ats", "0000:00:02.0"));
}

static void test_bits_clear(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, 0xffff & ~PCI_EXP_DEVCTL_NOSNOOP);
	const struct nsn_rec_device *device;

	(void)state;
	with_ats(&space, 0x7fff & ~PCI_ATS_CTRL_ENABLE);
	add_device("pci0000:00/0000:00:02.0", "", &space);
	space = express(0, PCI_EXP_TYPE_ENDPOINT, 0);
	space.size = 256;
	add_device("pci0000:00/0000:00:03.0", "", &space);
	collect();
	device = device_of("0000:00:02.0");
	assert_true(NSN_KNOWS(device, device, nosnoop));
	assert_int_equal(device->nosnoop, 0);
	assert_true(NSN_KNOWS(device, device, ats));
	assert_int_equal(device->ats, 0);
	/* In no group: no bit, and no reason given, for that is knowledge. */
	assert_false(NSN_KNOWS(device, device, group_id));
	assert_null(missing_reason(&records, "devices.group", "0000:00:02.0"));
	assert_string_equal(device->driver_override, "");
	assert_string_equal(device->driver, "");
	/* PCI Express, but the kernel reaches no extended space. */
	device = device_of("0000:00:03.0");
	assert_true(NSN_KNOWS(device, device, nosnoop));
	assert_false(NSN_KNOWS(device, device, ats));
	assert_non_null(missing_reason(&records, "devices.ats", "0000:00:03.0"));
}

static void test_no_capability(void **state)
{
	struct space space = conventional(0);
	const struct nsn_rec_device *device;

	(void)state;
	add_device("pci0000:00/0000:00:03.0", "", &space);
	collect();
	device = device_of("0000:00:03.0");
	assert_false(NSN_KNOWS(device, device, nosnoop));
	assert_true(NSN_KNOWS(device, device, nosnoop_source));
	assert_int_equal(device->nosnoop_source, NSN_NOSNOOP_NO_PCIE_CAP);
	assert_true(NSN_KNOWS(device, device, ats));
	assert_int_equal(device->ats, 0);
	assert_null(missing_reason(&records, "devices.nosnoop.permitted", "0000:00:03.0"));
}

/* The kernel takes it for PCI Express, its list of capabilities leads nowhere: unknown. */
static void test_broken_capabilities(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, 0);
	const struct nsn_rec_device *device;

	(void)state;
	space.bytes[0x50] = PCI_CAP_ID_VNDR;
	space.bytes[0x51] = 0x50; /* a loop */
	add_device("pci0000:00/0000:00:03.0", "", &space);
	sysroot_text("/sys/devices/pci0000:00/0000:00:03.0/current_link_speed", "8.0 GT/s\n");
	collect();
	device = device_of("0000:00:03.0");
	assert_false(NSN_KNOWS(device, device, nosnoop));
	assert_false(NSN_KNOWS(device, device, nosnoop_source));
	assert_false(NSN_KNOWS(device, device, ats));
	assert_non_null(missing_reason(&records, "devices.nosnoop.permitted", "0000:00:03.0"));
}

static void test_header_only(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, PCI_EXP_DEVCTL_NOSNOOP);
	const struct nsn_rec_device *device;

	(void)state;
	space.size = 64; /* what the kernel shows without CAP_SYS_ADMIN */
	add_device("pci0000:00/0000:00:02.0", "1", &space);
	space = conventional(0);
	space.size = 64;
	add_device("pci0000:00/0000:00:03.0", "2", &space);
	collect();
	device = device_of("0000:00:02.0");
	assert_false(NSN_KNOWS(device, device, nosnoop));
	assert_false(NSN_KNOWS(device, device, nosnoop_source));
	assert_false(NSN_KNOWS(device, device, ats));
	assert_true(NSN_KNOWS(device, device, bridge));
	assert_non_null(
		strstr(missing_reason(&records, "devices.nosnoop.permitted", ""), "CAP_SYS_ADMIN"));
	assert_non_null(strstr(missing_reason(&records, "devices.ats", ""), "CAP_SYS_ADMIN"));
	/* Without any capability the header says all. */
	device = device_of("0000:00:03.0");
	assert_int_equal(device->nosnoop_source, NSN_NOSNOOP_NO_PCIE_CAP);
	assert_true(NSN_KNOWS(device, device, nosnoop_source));
}

static void test_dead_and_unreadable(void **state)
{
	struct space space = { .size = 4096 };

	(void)state;
	memset(space.bytes, 0xff, sizeof(space.bytes));
	add_device("pci0000:00/0000:00:02.0", "", &space);
	add_device("pci0000:00/0000:00:03.0", "", NULL);
	space.size = 10;
	add_device("pci0000:00/0000:00:04.0", "", &space);
	sysroot_text("/sys/bus/pci/devices/not-an-address/vendor", "0x8086\n");
	collect();
	assert_false(NSN_KNOWS(device_of("0000:00:02.0"), device, nosnoop));
	assert_string_equal(missing_reason(&records, "devices.nosnoop.permitted", "0000:00:02.0"),
			    "the device does not answer");
	assert_non_null(missing_reason(&records, "devices.nosnoop.permitted", "0000:00:03.0"));
	assert_non_null(missing_reason(&records, "devices.nosnoop.permitted", "0000:00:04.0"));
	assert_non_null(missing_reason(&records, "devices", "not-an-address"));
}

/* Reading would wake it: its config is a trap that shows if it was read all the same. */
static void test_asleep(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, PCI_EXP_DEVCTL_NOSNOOP);
	struct space port = express(1, PCI_EXP_TYPE_ROOT_PORT, 0);
	const struct nsn_rec_device *device;

	(void)state;
	add_device("pci0000:00/0000:00:02.0", "", &space);
	sysroot_text("/sys/devices/pci0000:00/0000:00:02.0/power_state", "D3cold\n");
	add_device("pci0000:00/0000:00:1c.0", "", &port);
	sysroot_text("/sys/devices/pci0000:00/0000:00:1c.0/power/runtime_status", "suspended\n");
	sysroot_text("/sys/devices/pci0000:00/0000:00:1c.0/power_state", "D3hot\n");
	add_device("pci0000:00/0000:00:1c.0/0000:01:00.0", "", &space);
	sysroot_text("/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/power_state", "D3hot\n");
	add_device("pci0000:00/0000:00:04.0", "", &space);
	sysroot_text("/sys/devices/pci0000:00/0000:00:04.0/power_state", "D3hot\n");
	sysroot_text("/sys/devices/pci0000:00/0000:00:04.0/power/runtime_status", "suspended\n");
	add_device("pci0000:00/0000:00:05.0", "", &space);
	sysroot_text("/sys/devices/pci0000:00/0000:00:05.0/power_state", "");
	sysroot_text("/sys/devices/pci0000:00/0000:00:05.0/power/runtime_status", "suspended\n");
	collect();
	device = device_of("0000:00:02.0");
	assert_int_equal(device->asleep, 1);
	assert_false(NSN_KNOWS(device, device, nosnoop));
	assert_false(NSN_KNOWS(device, device, ats));
	assert_string_equal(device->power_state, "D3cold");
	assert_true(NSN_KNOWS(device, device, bridge)); /* by its class */
	assert_string_equal(missing_reason(&records, "devices.nosnoop.permitted", "0000:00:02.0"),
			    "asleep");
	/* The port above would be resumed. */
	device = device_of("0000:01:00.0");
	assert_int_equal(device->asleep, 1);
	assert_false(NSN_KNOWS(device, device, nosnoop));
	/* In D3hot below a running port: answers without waking. */
	device = device_of("0000:00:04.0");
	assert_int_equal(device->asleep, 0);
	assert_int_equal(device->nosnoop, 1);
	/* An old kernel does not say how deep it sleeps. */
	device = device_of("0000:00:05.0");
	assert_int_equal(device->asleep, 1);
	assert_false(NSN_KNOWS(device, device, nosnoop));
}

static void test_virtual_function(void **state)
{
	struct space pf = express(0, PCI_EXP_TYPE_ENDPOINT, PCI_EXP_DEVCTL_NOSNOOP);
	struct space vf = express(0, PCI_EXP_TYPE_ENDPOINT, 0);
	const struct nsn_rec_device *device;

	(void)state;
	put16(&vf, PCI_VENDOR_ID, 0xffff); /* a VF's ids are all ones */
	put16(&vf, PCI_DEVICE_ID, 0xffff);
	with_ats(&vf, PCI_ATS_CTRL_ENABLE);
	add_device("pci0000:00/0000:03:00.0", "1", &pf);
	add_device("pci0000:00/0000:03:10.0", "2", &vf);
	sysroot_link("/sys/devices/pci0000:00/0000:03:10.0/physfn", "../0000:03:00.0");
	add_device("pci0000:00/0000:04:10.0", "3", &vf);
	sysroot_link("/sys/devices/pci0000:00/0000:04:10.0/physfn", "../0000:04:00.0");
	collect();
	device = device_of("0000:03:10.0");
	assert_int_equal(device->nosnoop, 1);
	assert_int_equal(device->nosnoop_source, NSN_NOSNOOP_PF);
	assert_string_equal(device->nosnoop_bdf, "0000:03:00.0");
	assert_string_equal(device->physfn, "0000:03:00.0");
	assert_int_equal(device->ats, 1); /* its own */
	assert_int_equal(device_of("0000:03:00.0")->ats, 0);
	/* The PF is not there: the VF's own bit is no answer. */
	device = device_of("0000:04:10.0");
	assert_false(NSN_KNOWS(device, device, nosnoop));
	assert_non_null(missing_reason(&records, "devices.nosnoop.permitted", "0000:04:10.0"));
}

/* A VF whose PF sleeps is unknown too, though the VF itself is awake. */
static void test_sleeping_physical_function(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, PCI_EXP_DEVCTL_NOSNOOP);
	const struct nsn_rec_device *device;

	(void)state;
	add_device("pci0000:00/0000:03:00.0", "1", &space);
	sysroot_text("/sys/devices/pci0000:00/0000:03:00.0/power_state", "D3cold\n");
	add_device("pci0000:00/0000:03:10.0", "2", &space);
	sysroot_link("/sys/devices/pci0000:00/0000:03:10.0/physfn", "../0000:03:00.0");
	collect();
	device = device_of("0000:03:10.0");
	assert_int_equal(device->asleep, 0);
	assert_false(NSN_KNOWS(device, device, nosnoop));
	assert_non_null(strstr(
		missing_reason(&records, "devices.nosnoop.permitted", "0000:03:10.0"), "asleep"));
}

static void test_why(void **state)
{
	struct space endpoint = express(0, PCI_EXP_TYPE_ENDPOINT, 0);
	struct space port = express(1, PCI_EXP_TYPE_ROOT_PORT, 0);
	struct space bridge = express(1, PCI_EXP_TYPE_PCI_BRIDGE, 0);
	struct space old_bridge = conventional(1), old = conventional(0);

	(void)state;
	/* 1: functions of one slot. */
	add_device("pci0000:00/0000:00:1f.0", "1", &endpoint);
	add_device("pci0000:00/0000:00:1f.3", "1", &endpoint);
	/* 2: a port without ACS and what is below it. */
	add_device("pci0000:00/0000:00:1c.0", "2", &port);
	add_device("pci0000:00/0000:00:1c.0/0000:02:00.0", "2", &endpoint);
	/* 3: behind a bridge from PCI Express to PCI. */
	add_device("pci0000:00/0000:00:1d.0", "3", &port);
	add_device("pci0000:00/0000:00:1d.0/0000:03:00.0", "4", &bridge);
	add_device("pci0000:00/0000:00:1d.0/0000:03:00.0/0000:04:01.0", "4", &old);
	add_device("pci0000:00/0000:00:1d.0/0000:03:00.0/0000:04:02.0", "4", &old);
	/* 5: behind a conventional bridge; functions of one slot share its id all the same. */
	add_device("pci0000:00/0000:00:1e.0", "5", &old_bridge);
	add_device("pci0000:00/0000:00:1e.0/0000:05:01.0", "6", &old);
	add_device("pci0000:00/0000:00:1e.0/0000:05:01.1", "6", &old);
	collect();
	assert_int_equal(group_of(1)->why, NSN_WHY_MULTIFUNCTION);
	assert_int_equal(group_of(2)->why, NSN_WHY_ACS);
	assert_int_equal(group_of(4)->why, NSN_WHY_ALIAS);
	assert_int_equal(group_of(5)->why, NSN_WHY_SINGLE);
	assert_int_equal(group_of(6)->why, NSN_WHY_ALIAS);
	assert_int_equal(device_of("0000:00:1c.0")->bridge, 1);
	assert_int_equal(device_of("0000:00:1e.0")->bridge, 1);
	assert_int_equal(device_of("0000:02:00.0")->bridge, 0);
}

static void test_why_unknown(void **state)
{
	struct space endpoint = express(0, PCI_EXP_TYPE_ENDPOINT, 0);
	struct space port = express(1, PCI_EXP_TYPE_ROOT_PORT, 0);

	(void)state;
	port.size = 64;
	add_device("pci0000:00/0000:00:1c.0", "2", &port);
	add_device("pci0000:00/0000:00:1c.0/0000:02:00.0", "2", &endpoint);
	collect();
	assert_false(NSN_KNOWS(group_of(2), sys_group, why));
	assert_non_null(missing_reason(&records, "groups.why", "2"));
}

/* The quick first snapshot of nosnooptop: not unknown, just not there yet. */
static void test_names_left_out(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, 0);

	(void)state;
	add_device("pci0000:00/0000:00:02.0", "7", &space);
	nsn_pci__set_names(false);
	collect();
	nsn_pci__set_names(true);
	assert_false(NSN_KNOWS(device_of("0000:00:02.0"), device, name));
	assert_int_equal(device_of("0000:00:02.0")->vendor_id, 0x8086);
	assert_null(missing_reason(&records, "devices.name", "0000:00:02.0"));
	nsn_records__clear(&records);
	collect();
	assert_true(NSN_KNOWS(device_of("0000:00:02.0"), device, name));
}

static void test_other_buses(void **state)
{
	const struct nsn_rec_device *device;
	const char *uuid = "11111111-2222-3333-4444-555555555555";
	char path[256];

	(void)state;
	nsn_format(path, sizeof(path), "/sys/bus/mdev/devices/%s/mdev_type/name", uuid);
	sysroot_text(path, "GVTg_V5_4\n");
	nsn_format(path, sizeof(path), "/sys/bus/mdev/devices/%s/driver", uuid);
	sysroot_link(path, "../../drivers/vfio_mdev");
	nsn_format(path, sizeof(path), "/sys/bus/mdev/devices/%s/iommu_group", uuid);
	sysroot_link(path, "../../../kernel/iommu_groups/9");
	nsn_format(path, sizeof(path), "/sys/kernel/iommu_groups/9/devices/%s/subsystem", uuid);
	sysroot_link(path, "../../bus/mdev");
	sysroot_link("/sys/bus/vdpa/devices/vdpa0/driver", "../../drivers/vhost_vdpa");
	sysroot_link("/sys/kernel/iommu_groups/10/devices/fd000000.eth/subsystem",
		     "../../bus/platform");
	collect();
	device = device_of(uuid);
	assert_string_equal(device->bus, "mdev");
	assert_string_equal(device->name, "GVTg_V5_4");
	assert_string_equal(device->driver, "vfio_mdev");
	assert_int_equal(device->group_id, 9);
	assert_string_equal(device->iommu, "");
	device = device_of("vdpa0");
	assert_string_equal(device->bus, "vdpa");
	assert_string_equal(device->driver, "vhost_vdpa");
	assert_false(NSN_KNOWS(device, device, group_id));
	device = device_of("fd000000.eth");
	assert_string_equal(device->bus, "platform");
	assert_null(record_at(&records, NSN_REC_DEVICE, 3)); /* the mdev stands there once */
	assert_non_null(missing_reason(&records, "groups.default_kind", "10"));
}

/* Files where folders should be, folders where files should be, links to nowhere. */
static void test_wrong_types(void **state)
{
	const struct nsn_rec_host *host;

	(void)state;
	sysroot_folder("/proc/sys/kernel/hostname");
	sysroot_folder("/proc/stat");
	sysroot_folder("/proc/cpuinfo");
	sysroot_text("/proc/self", "x");
	sysroot_text("/sys/module", "x");
	sysroot_folder("/sys/class/iommu/dmar0/intel-iommu/ecap");
	sysroot_text("/sys/class/iommu/dmar1", "x");
	sysroot_folder("/sys/bus/pci/devices/0000:00:01.0/config");
	sysroot_link("/sys/bus/pci/devices/0000:00:02.0", "0000:00:02.0");
	sysroot_text("/sys/bus/pci/devices/0000:00:03.0", "x");
	sysroot_text("/sys/bus/pci/devices/0000:00:04.0/driver", "no link");
	sysroot_text("/sys/bus/pci/devices/0000:00:04.0/iommu_group", "no link");
	assert_int_equal(mkfifo(sysroot_path("/sys/bus/pci/devices/0000:00:04.0/config"), 0644), 0);
	sysroot_text("/sys/kernel/iommu_groups/1/devices", "x");
	sysroot_text("/sys/kernel/iommu_groups/2", "x");
	sysroot_text("/sys/kernel/iommu_groups/none/type", "x");
	sysroot_text("/sys/bus/mdev/devices", "x");
	collect();
	host = record_at(&records, NSN_REC_HOST, 0);
	assert_int_equal(host->h.known, NSN_BIT(host, taken_at) | NSN_BIT(host, ticks_per_second));
	assert_false(NSN_KNOWS(iommu_of("dmar0"), iommu, snoop_control));
	assert_false(NSN_KNOWS(iommu_of("dmar1"), iommu, snoop_control));
	for (unsigned int i = 1; i <= 4; i++) {
		char bdf[16];

		nsn_format(bdf, sizeof(bdf), "0000:00:%02u.0", i);
		assert_false(NSN_KNOWS(device_of(bdf), device, nosnoop));
		assert_non_null(missing_reason(&records, "devices.nosnoop.permitted", bdf));
	}
	assert_false(NSN_KNOWS(device_of("0000:00:04.0"), device, driver));
	assert_non_null(missing_reason(&records, "devices.group", "0000:00:04.0"));
	assert_non_null(missing_reason(&records, "groups.devices", "1"));
	assert_false(NSN_KNOWS(group_of(1), sys_group, why));
	assert_false(NSN_KNOWS(group_of(2), sys_group, type));
	assert_null(record_at(&records, NSN_REC_SYS_GROUP, 2));
	assert_non_null(missing_reason(&records, "devices", "mdev"));
}

static int refuse(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	(void)sink;
	return rec->kind == NSN_REC_DEVICE ? -ENOSPC : 0;
}

/* What the sink says comes back; nothing else stops the walk. */
static void test_sink_error(void **state)
{
	struct nsn_sink sink = { .put = refuse };
	struct space space = conventional(0);

	(void)state;
	add_device("pci0000:00/0000:00:02.0", "1", &space);
	assert_int_equal(nsn_sysfs__collect(sysroot, 0, &sink), -ENOSPC);
}

/* As lean as can be: what all devices share are links to one file. */
static void add_lean_device(unsigned int i)
{
	char bdf[32], path[256], target[256];

	nsn_format(bdf, sizeof(bdf), "%04x:00:%02x.%x", i >> 8, i >> 3 & 0x1f, i & 7);
	nsn_format(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	sysroot_link(path, "../../../../../config");
	nsn_format(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	nsn_format(target, sizeof(target), "../../../../kernel/iommu_groups/%u", i);
	sysroot_link(path, target);
	nsn_format(path, sizeof(path), "/sys/kernel/iommu_groups/%u/devices/%s", i, bdf);
	nsn_format(target, sizeof(target), "../../../../bus/pci/devices/%s", bdf);
	sysroot_link(path, target);
	nsn_format(path, sizeof(path), "/sys/kernel/iommu_groups/%u/type", i);
	sysroot_link(path, "../../../../type");
}

static void test_ten_thousand_groups(void **state)
{
	struct space space = express(0, PCI_EXP_TYPE_ENDPOINT, PCI_EXP_DEVCTL_NOSNOOP);
	const void *rec;
	size_t groups = 0, devices = 0;

	(void)state;
	sysroot_bytes("/config", space.bytes, space.size);
	sysroot_text("/type", "DMA\n");
	for (unsigned int i = 0; i < 10000; i++)
		add_lean_device(i);
	collect();
	for (rec = NULL; (rec = next_record(&records, NSN_REC_SYS_GROUP, rec)); groups++)
		;
	for (rec = NULL; (rec = next_record(&records, NSN_REC_DEVICE, rec)); devices++)
		;
	assert_int_equal(groups, 10000);
	assert_int_equal(devices, 10000);
	assert_int_equal(group_of(9999)->why, NSN_WHY_SINGLE);
	assert_string_equal(group_of(9999)->type, "DMA");
	assert_int_equal(device_of("0027:00:01.7")->group_id, 9999);
	assert_int_equal(device_of("0027:00:01.7")->nosnoop, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_no_iommu),
		TEST(test_host),
		TEST(test_host_elsewhere),
		TEST(test_intel_units),
		TEST(test_remapping_in_use),
		TEST(test_other_units),
		TEST(test_unit_is_a_device),
		TEST(test_device),
		TEST(test_bits_clear),
		TEST(test_no_capability),
		TEST(test_broken_capabilities),
		TEST(test_header_only),
		TEST(test_dead_and_unreadable),
		TEST(test_asleep),
		TEST(test_virtual_function),
		TEST(test_sleeping_physical_function),
		TEST(test_why),
		TEST(test_why_unknown),
		TEST(test_names_left_out),
		TEST(test_other_buses),
		TEST(test_wrong_types),
		TEST(test_sink_error),
		TEST(test_ten_thousand_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
