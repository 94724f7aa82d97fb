/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.h - machines made of hand-written records, for the tests of the rules.
 *
 * A test starts from a sound machine (setup(), then plain_host() or assign()), changes a record or
 * two and calls expect(): the model is built anew and every rule judges it. Included by one test
 * program each, hence the definitions.
 */
#ifndef NSN_TESTS_MACHINE_H
#define NSN_TESTS_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "rules.h"

/* Keys of objects; groups and what belongs to them add the group's number. */
enum {
	VM_KEY = 10,
	MM_KEY = 20,
	CONTAINER_KEY = 30,
	GROUP_KEY = 100,
	VFIO_GROUP_KEY = 200,
	VFIO_DEVICE_KEY = 300,
	DEFAULT_KEY = 400,
	USER_KEY = 500,
	OWNER_KEY = 600,
};

#define TYPE_UNMANAGED 1
#define TYPE_DMA       3
#define PID            1234

static struct nsn_records records;
static struct nsn_model *model;
static struct nsn_findings *findings;

/* ---- records --------------------------------------------------------------------------------- */

#define ADD(rec) assert_int_equal(nsn_records__add(&records, &(rec).h), 0)

static inline void *nth(enum nsn_rec_kind kind, size_t n)
{
	struct nsn_rec *rec = (struct nsn_rec *)nsn_records__next(&records, NULL);

	for (; rec; rec = (struct nsn_rec *)nsn_records__next(&records, rec))
		if (rec->kind == kind && !n--)
			return rec;
	fail_msg("no such record");
	return NULL;
}

/* Record n of a kind; valid until the next one is added. */
#define REC(NAME, name, n)                   ((struct nsn_rec_##name *)nth(NSN_REC_##NAME, n))
#define SET(NAME, name, n, field, value)     NSN_PUT(REC(NAME, name, n), name, field, value)
#define SET_STR(NAME, name, n, field, value) NSN_PUT_STR(REC(NAME, name, n), name, field, value)
#define FORGET(NAME, name, n, field)         (REC(NAME, name, n)->h.known &= ~NSN_BIT(name, field))

static inline void add_source(const char *name, enum nsn_source_state state)
{
	NSN_NEW(rec, SOURCE, source);

	NSN_PUT_STR(&rec, source, name, name);
	NSN_PUT(&rec, source, state, state);
	NSN_PUT_STR(&rec, source, reason, state == NSN_SOURCE_FAILED ? "no permission" : "");
	ADD(rec);
}

static inline void set_source(const char *name, enum nsn_source_state state)
{
	for (size_t i = 0;; i++) {
		struct nsn_rec_source *rec = REC(SOURCE, source, i);

		if (strcmp(rec->name, name))
			continue;
		rec->state = state;
		return;
	}
}

static inline void add_host(void)
{
	NSN_NEW(rec, HOST, host);
	NSN_NEW(kernel, KERNEL, kernel);

	NSN_PUT(&rec, host, unsafe_interrupts, 0);
	NSN_PUT(&rec, host, unsafe_noiommu, 0);
	NSN_PUT(&rec, host, pid_namespace_initial, 1);
	ADD(rec);
	NSN_PUT(&kernel, kernel, wbinvd_exiting, 1);
	NSN_PUT(&kernel, kernel, criterion_capability, 1);
	NSN_PUT(&kernel, kernel, interrupt_remapping, 1);
	NSN_PUT(&kernel, kernel, vm_list, 1);
	NSN_PUT(&kernel, kernel, group_list, 1);
	ADD(kernel);
}

static inline void add_unit(const char *name, const char *driver, uint64_t snoop_control)
{
	NSN_NEW(rec, IOMMU, iommu);

	NSN_PUT_STR(&rec, iommu, name, name);
	NSN_PUT_STR(&rec, iommu, driver, driver);
	NSN_PUT(&rec, iommu, snoop_control, snoop_control);
	NSN_PUT(&rec, iommu, interrupt_remapping, 1);
	ADD(rec);
}

static inline void add_domain(uint64_t key, uint64_t type, uint64_t force_snooping)
{
	NSN_NEW(rec, DOMAIN, domain);

	NSN_PUT(&rec, domain, domain, key);
	NSN_PUT(&rec, domain, type, type);
	NSN_PUT(&rec, domain, has_op, 1);
	NSN_PUT(&rec, domain, force_snooping, force_snooping);
	NSN_PUT(&rec, domain, page_table, NSN_PT_SECOND_STAGE);
	NSN_PUT(&rec, domain, mapped, 1);
	NSN_PUT_STR(&rec, domain, op, "intel_iommu_enforce_cache_coherency");
	NSN_PUT_STR(&rec, domain, iommu_driver, "intel");
	ADD(rec);
}

/* A device of a group as sysfs and as the kernel see it; unit dmar0 has snoop control. */
static inline void add_device(const char *bdf, uint64_t group, const char *driver,
			      uint64_t snoop_control)
{
	NSN_NEW(sys, DEVICE, device);
	NSN_NEW(rec, GROUP_DEVICE, group_device);

	NSN_PUT_STR(&sys, device, id, bdf);
	NSN_PUT_STR(&sys, device, bus, "pci");
	NSN_PUT_STR(&sys, device, driver, driver);
	NSN_PUT_STR(&sys, device, driver_override, "");
	NSN_PUT_STR(&sys, device, iommu, snoop_control ? "dmar0" : "dmar1");
	NSN_PUT(&sys, device, group_id, group);
	NSN_PUT(&sys, device, bridge, 0);
	NSN_PUT(&sys, device, class, 0x020000);
	NSN_PUT(&sys, device, ats, 0);
	NSN_PUT(&sys, device, nosnoop, 1);
	ADD(sys);
	NSN_PUT(&rec, group_device, group, GROUP_KEY + group);
	NSN_PUT(&rec, group_device, group_id, group);
	NSN_PUT(&rec, group_device, snoop_control, snoop_control);
	NSN_PUT(&rec, group_device, cap_enforce, snoop_control);
	NSN_PUT(&rec, group_device, driver_managed_dma, strcmp(driver, "vfio-pci") == 0);
	NSN_PUT_STR(&rec, group_device, name, bdf);
	NSN_PUT_STR(&rec, group_device, bus, "pci");
	NSN_PUT_STR(&rec, group_device, driver, driver);
	NSN_PUT_STR(&rec, group_device, iommu_driver, "intel");
	NSN_PUT_STR(&rec, group_device, iommu, snoop_control ? "dmar0" : "dmar1");
	ADD(rec);
}

/* A group in its default domain, which belongs to the host. */
static inline void add_group(uint64_t number, uint64_t devices)
{
	NSN_NEW(sys, SYS_GROUP, sys_group);
	NSN_NEW(rec, GROUP, group);

	NSN_PUT(&sys, sys_group, group_id, number);
	NSN_PUT(&sys, sys_group, why, devices > 1 ? NSN_WHY_ALIAS : NSN_WHY_SINGLE);
	NSN_PUT_STR(&sys, sys_group, type, "DMA");
	ADD(sys);
	NSN_PUT(&rec, group, group, GROUP_KEY + number);
	NSN_PUT(&rec, group, group_id, number);
	NSN_PUT(&rec, group, domain, DEFAULT_KEY + number);
	NSN_PUT(&rec, group, default_domain, DEFAULT_KEY + number);
	NSN_PUT(&rec, group, owner, 0);
	NSN_PUT(&rec, group, owner_group, 0);
	NSN_PUT(&rec, group, owner_count, 1);
	NSN_PUT(&rec, group, blocking, 0);
	NSN_PUT(&rec, group, devices, devices);
	NSN_PUT(&rec, group, complete, 1);
	ADD(rec);
	add_domain(DEFAULT_KEY + number, TYPE_DMA, 0);
}

static inline struct nsn_rec_group *group_record(uint64_t number)
{
	for (size_t i = 0;; i++)
		if (REC(GROUP, group, i)->group_id == number)
			return REC(GROUP, group, i);
}

/* VFIO opens a group that is there already; it is set into the container `container`. */
static inline void open_group(uint64_t number, const char *bdf, uint64_t vm, uint64_t container)
{
	struct nsn_rec_group *rec = group_record(number);
	NSN_NEW(group, VFIO_GROUP, vfio_group);
	NSN_NEW(device, VFIO_DEVICE, vfio_device);
	NSN_NEW(file, FILE, file);

	rec->owner = OWNER_KEY + number;
	rec->owner_group = VFIO_GROUP_KEY + number;
	NSN_PUT(&group, vfio_group, vfio_group, VFIO_GROUP_KEY + number);
	NSN_PUT(&group, vfio_group, group, GROUP_KEY + number);
	NSN_PUT(&group, vfio_group, container, container);
	NSN_PUT(&group, vfio_group, vm, vm);
	NSN_PUT(&group, vfio_group, iommufd, 0);
	NSN_PUT(&group, vfio_group, group_id, number);
	NSN_PUT(&group, vfio_group, type, NSN_VFIO_GROUP_IOMMU);
	NSN_PUT(&group, vfio_group, opened, 1);
	NSN_PUT(&group, vfio_group, devices, 1);
	NSN_PUT(&group, vfio_group, complete, 1);
	ADD(group);
	NSN_PUT(&device, vfio_device, vfio_device, VFIO_DEVICE_KEY + number);
	NSN_PUT(&device, vfio_device, vfio_group, VFIO_GROUP_KEY + number);
	NSN_PUT(&device, vfio_device, vm, vm);
	NSN_PUT(&device, vfio_device, open_count, 1);
	NSN_PUT_STR(&device, vfio_device, name, bdf);
	ADD(device);
	NSN_PUT(&file, file, kind, NSN_FILE_GROUP);
	NSN_PUT(&file, file, vfio_group, VFIO_GROUP_KEY + number);
	NSN_PUT(&file, file, pid, PID);
	NSN_PUT(&file, file, fd, 20 + number);
	ADD(file);
}

/* The group is attached to a domain of the container. */
static inline void attach(uint64_t number, uint64_t domain)
{
	NSN_NEW(group, TYPE1_GROUP, type1_group);

	group_record(number)->domain = domain;
	NSN_PUT(&group, type1_group, container, CONTAINER_KEY);
	NSN_PUT(&group, type1_group, domain, domain);
	NSN_PUT(&group, type1_group, group, GROUP_KEY + number);
	NSN_PUT(&group, type1_group, group_id, number);
	ADD(group);
	REC(CONTAINER, container, 0)->groups++;
}

static inline void add_type1_domain(uint64_t key, uint64_t enforced)
{
	NSN_NEW(domain, TYPE1_DOMAIN, type1_domain);

	NSN_PUT(&domain, type1_domain, container, CONTAINER_KEY);
	NSN_PUT(&domain, type1_domain, domain, key);
	NSN_PUT(&domain, type1_domain, enforced, enforced);
	NSN_PUT(&domain, type1_domain, groups, 1);
	ADD(domain);
	add_domain(key, TYPE_UNMANAGED, enforced);
	REC(CONTAINER, container, 0)->domains++;
}

static inline void add_container(const char *driver)
{
	NSN_NEW(rec, CONTAINER, container);
	NSN_NEW(file, FILE, file);

	NSN_PUT(&rec, container, container, CONTAINER_KEY);
	NSN_PUT(&rec, container, mm, strcmp(driver, "vfio-iommu-type1") ? 0 : MM_KEY);
	NSN_PUT(&rec, container, noiommu, strcmp(driver, "vfio-noiommu") == 0);
	NSN_PUT(&rec, container, mapped, 1);
	NSN_PUT(&rec, container, domains, 0);
	NSN_PUT(&rec, container, groups, 0);
	NSN_PUT(&rec, container, emulated, 0);
	NSN_PUT(&rec, container, complete, 1);
	NSN_PUT_STR(&rec, container, driver, driver);
	ADD(rec);
	NSN_PUT(&file, file, kind, NSN_FILE_CONTAINER);
	NSN_PUT(&file, file, container, CONTAINER_KEY);
	NSN_PUT(&file, file, pid, PID);
	NSN_PUT(&file, file, fd, 11);
	ADD(file);
}

static inline void add_process(uint64_t pid, const char *name, const char *cgroup)
{
	NSN_NEW(rec, PROCESS, process);

	NSN_PUT(&rec, process, pid, pid);
	NSN_PUT(&rec, process, start_ticks, 7);
	NSN_PUT_STR(&rec, process, name, name);
	NSN_PUT_STR(&rec, process, uuid, "");
	NSN_PUT_STR(&rec, process, cgroup, cgroup);
	ADD(rec);
}

static inline void add_vm(uint64_t noncoherent_dma, uint64_t kvm_vfio_devices)
{
	NSN_NEW(rec, VM, vm);

	NSN_PUT(&rec, vm, vm, VM_KEY);
	NSN_PUT(&rec, vm, mm, MM_KEY);
	NSN_PUT(&rec, vm, creator, PID);
	NSN_PUT(&rec, vm, pid, PID);
	NSN_PUT(&rec, vm, start_ticks, 7);
	NSN_PUT(&rec, vm, fd, 10);
	NSN_PUT(&rec, vm, vcpus, 1);
	NSN_PUT(&rec, vm, noncoherent_dma, noncoherent_dma);
	NSN_PUT(&rec, vm, kvm_vfio_devices, kvm_vfio_devices);
	NSN_PUT(&rec, vm, complete, 1);
	ADD(rec);
	add_process(PID, "web1", "/machine.slice/web1");
}

static inline void give_to_kvm(uint64_t number)
{
	NSN_NEW(rec, VM_FILE, vm_file);

	NSN_PUT(&rec, vm_file, vm, VM_KEY);
	NSN_PUT(&rec, vm_file, kind, NSN_FILE_GROUP);
	NSN_PUT(&rec, vm_file, vfio_group, VFIO_GROUP_KEY + number);
	ADD(rec);
}

/* ---- machines -------------------------------------------------------------------------------- */

static inline int setup(void **state)
{
	(void)state;
	nsn_records__init(&records);
	add_source("kernel.files", NSN_SOURCE_OK);
	add_source("kernel.kvm", NSN_SOURCE_OK);
	add_source("kernel.vfio", NSN_SOURCE_OK);
	add_source("kernel.type1", NSN_SOURCE_OK);
	add_source("kernel.iommu", NSN_SOURCE_OK);
	add_source("kernel.iommufd", NSN_SOURCE_ABSENT);
	add_source("kernel.vdpa", NSN_SOURCE_ABSENT);
	add_source("sysfs.iommu", NSN_SOURCE_OK);
	add_source("sysfs.pci", NSN_SOURCE_OK);
	add_source("proc", NSN_SOURCE_OK);
	add_host();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	nsn_findings__free(findings);
	nsn_model__free(model);
	nsn_records__free(&records);
	findings = NULL;
	model = NULL;
	return 0;
}

/* A plain server: VFIO is not loaded, nobody has a device. */
static inline void plain_host(void)
{
	set_source("kernel.vfio", NSN_SOURCE_ABSENT);
	set_source("kernel.type1", NSN_SOURCE_ABSENT);
	FORGET(HOST, host, 0, unsafe_interrupts);
	FORGET(HOST, host, 0, unsafe_noiommu);
	add_unit("dmar0", "intel", 1);
	add_group(2, 1);
	add_device("0000:00:03.0", 2, "e1000e", 1);
}

/* Group 2 with one device goes to VM web1 through a type1 container; KVM knows of it. */
static inline void assign(uint64_t snoop_control, uint64_t registered)
{
	add_unit(snoop_control ? "dmar0" : "dmar1", "intel", snoop_control);
	add_group(2, 1);
	add_device("0000:00:03.0", 2, "vfio-pci", snoop_control);
	add_vm(registered, 1);
	add_container("vfio-iommu-type1");
	open_group(2, "0000:00:03.0", VM_KEY, CONTAINER_KEY);
	add_type1_domain(USER_KEY + 2, snoop_control);
	attach(2, USER_KEY + 2);
	give_to_kvm(2);
}

/* The VMM has no kvm-vfio device. */
static inline void forget_kvm_vfio(void)
{
	struct nsn_rec_vm_file *file = REC(VM_FILE, vm_file, 0);

	REC(VM, vm, 0)->kvm_vfio_devices = 0;
	REC(VFIO_GROUP, vfio_group, 0)->vm = 0;
	file->vm = VM_KEY + 1; /* of a VM that has gone */
}

/* A second group, behind a unit of its own kind, in a domain of its own. */
static inline void assign_another(uint64_t snoop_control)
{
	add_unit(snoop_control ? "dmar0" : "dmar1", "intel", snoop_control);
	add_group(5, 1);
	add_device("0000:00:05.0", 5, "vfio-pci", snoop_control);
	open_group(5, "0000:00:05.0", VM_KEY, CONTAINER_KEY);
	add_type1_domain(USER_KEY + 5, snoop_control);
	attach(5, USER_KEY + 5);
	give_to_kvm(5);
}

/* A process that is no VM's holds the container: PID is its, the VM is another's. */
static inline void part_vm_from_container(const char *cgroup)
{
	struct nsn_rec_vm *vm;

	forget_kvm_vfio();
	vm = REC(VM, vm, 0);
	vm->mm = MM_KEY + 1;
	vm->pid = vm->creator = PID + 1;
	add_process(PID + 1, "web2", cgroup);
}

/* ---- judging --------------------------------------------------------------------------------- */

static inline void judge(void)
{
	const struct nsn_rec *rec = NULL;
	NSN_NEW(end, END, end);
	__u64 *counts = &end.file;

	nsn_findings__free(findings);
	nsn_model__free(model);
	model = nsn_model__new();
	assert_non_null(model);
	while ((rec = nsn_records__next(&records, rec))) {
		counts[rec->kind]++;
		assert_int_equal(nsn_model__add(model, rec), 0);
	}
	end.h.known = (1U << NSN_REC_END) - 1;
	assert_int_equal(nsn_model__add(model, &end.h), 0);
	assert_int_equal(nsn_model__finish(model), 0);
	findings = nsn_findings__new(model);
	assert_non_null(findings);
	assert_int_equal(findings->results_count, nsn_rules_count);
}

static inline const struct nsn_rule_result *result(const char *id)
{
	return &findings->results[nsn_rule_by_id(id) - nsn_rules];
}

static inline const struct nsn_finding *finding(const char *id)
{
	for (size_t i = 0; i < findings->findings_count; i++)
		if (findings->findings[i].rule == nsn_rule_by_id(id))
			return &findings->findings[i];
	fail_msg("%s has no finding", id);
	return NULL;
}

static inline const struct nsn_rule_unknown *unknown(const char *id)
{
	for (size_t i = 0; i < findings->unknowns_count; i++)
		if (findings->unknowns[i].rule == nsn_rule_by_id(id))
			return &findings->unknowns[i];
	fail_msg("%s knows everything", id);
	return NULL;
}

static inline const char *evidence(const char *id, const char *key)
{
	const struct nsn_finding *found = finding(id);

	for (size_t i = 0; i < found->evidence_count; i++)
		if (strcmp(found->evidence[i].key, key) == 0)
			return found->evidence[i].value;
	fail_msg("%s has no evidence %s", id, key);
	return NULL;
}

static inline void check_status(const char *id, enum nsn_rule_status expected)
{
	enum nsn_rule_status status = result(id)->status;

	if (status != expected)
		fail_msg("%s: %s instead of %s", id, nsn_rule_status_name(status),
			 nsn_rule_status_name(expected));
}

/* The machine ends like this for a rule. */
static inline void expect(const char *id, enum nsn_rule_status expected)
{
	judge();
	check_status(id, expected);
	if (expected == NSN_RULE_UNKNOWN)
		assert_true(unknown(id)->reason[0] != '\0');
}

static inline void expect_fail(const char *id, enum nsn_severity severity)
{
	expect(id, NSN_RULE_FAIL);
	if (finding(id)->severity != severity)
		fail_msg("%s: %s instead of %s", id, nsn_severity_name(finding(id)->severity),
			 nsn_severity_name(severity));
	assert_true(strlen(finding(id)->title) > 10);
	assert_true(finding(id)->evidence_count > 0);
	assert_int_equal(result(id)->worst, severity);
}

static inline void expect_exit(enum nsn_severity fail_on, enum nsn_result expected)
{
	assert_int_equal(nsn_findings__result(findings, fail_on), expected);
}

#endif /* NSN_TESTS_MACHINE_H */
