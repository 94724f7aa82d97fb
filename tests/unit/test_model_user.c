// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_model_user.c - iommufd contexts and vDPA devices: what the model makes of them, which verdict
 * a VM has over them, and what the rules say.
 */
#include "machine.h"

enum { CONTEXT_KEY = 40, VDPA_KEY = 50, PARENT_KEY = 590, PASID_KEY = 595 };

static const struct nsn_vm *vm(void)
{
	judge();
	return &model->vms[0];
}

static const struct nsn_domain *domain(const char *id)
{
	for (size_t i = 0; i < model->domains_count; i++)
		if (strcmp(model->domains[i].id, id) == 0)
			return &model->domains[i];
	fail_msg("no domain %s", id);
	return NULL;
}

static void add_context(void)
{
	NSN_NEW(rec, IOMMUFD, iommufd);
	NSN_NEW(file, FILE, file);

	set_source("kernel.iommufd", NSN_SOURCE_OK);
	NSN_PUT(&rec, iommufd, iommufd, CONTEXT_KEY);
	NSN_PUT(&rec, iommufd, mm, MM_KEY);
	NSN_PUT(&rec, iommufd, mapped, 1);
	NSN_PUT(&rec, iommufd, devices, 0);
	NSN_PUT(&rec, iommufd, page_tables, 0);
	NSN_PUT(&rec, iommufd, accesses, 0);
	NSN_PUT(&rec, iommufd, address_spaces, 1);
	NSN_PUT(&rec, iommufd, complete, 1);
	ADD(rec);
	NSN_PUT(&file, file, kind, NSN_FILE_IOMMUFD);
	NSN_PUT(&file, file, iommufd, CONTEXT_KEY);
	NSN_PUT(&file, file, pid, PID);
	NSN_PUT(&file, file, fd, 12);
	ADD(file);
}

static void add_page_table(uint64_t key, uint64_t enforced, uint64_t parent)
{
	NSN_NEW(rec, IOMMUFD_HWPT, iommufd_hwpt);

	NSN_PUT(&rec, iommufd_hwpt, iommufd, CONTEXT_KEY);
	NSN_PUT(&rec, iommufd_hwpt, domain, key);
	NSN_PUT(&rec, iommufd_hwpt, parent, parent);
	NSN_PUT(&rec, iommufd_hwpt, id, key);
	NSN_PUT(&rec, iommufd_hwpt, nested, parent != 0);
	if (!parent)
		NSN_PUT(&rec, iommufd_hwpt, enforced, enforced);
	ADD(rec);
	add_domain(key, parent ? 64 : TYPE_UNMANAGED, enforced);
	REC(IOMMUFD, iommufd, 0)->page_tables++;
}

/* The group's device is bound to the context; domain 0: not attached. */
static void bind(uint64_t number, const char *bdf, uint64_t key)
{
	struct nsn_rec_group *group = group_record(number);
	NSN_NEW(rec, IOMMUFD_DEVICE, iommufd_device);
	NSN_NEW(device, VFIO_DEVICE, vfio_device);
	NSN_NEW(vfio, VFIO_GROUP, vfio_group);

	group->owner = OWNER_KEY + number;
	if (key)
		group->domain = key;
	NSN_PUT(&rec, iommufd_device, iommufd, CONTEXT_KEY);
	NSN_PUT(&rec, iommufd_device, domain, key);
	NSN_PUT(&rec, iommufd_device, group, GROUP_KEY + number);
	NSN_PUT(&rec, iommufd_device, group_id, number);
	NSN_PUT(&rec, iommufd_device, owner, 1);
	NSN_PUT(&rec, iommufd_device, pasids, 0);
	NSN_PUT_STR(&rec, iommufd_device, name, bdf);
	ADD(rec);
	NSN_PUT(&device, vfio_device, vfio_device, VFIO_DEVICE_KEY + number);
	NSN_PUT(&device, vfio_device, vfio_group, VFIO_GROUP_KEY + number);
	NSN_PUT(&device, vfio_device, open_count, 1);
	NSN_PUT_STR(&device, vfio_device, name, bdf);
	ADD(device);
	NSN_PUT(&vfio, vfio_group, vfio_group, VFIO_GROUP_KEY + number);
	NSN_PUT(&vfio, vfio_group, group, GROUP_KEY + number);
	NSN_PUT(&vfio, vfio_group, group_id, number);
	NSN_PUT(&vfio, vfio_group, container, 0);
	NSN_PUT(&vfio, vfio_group, iommufd, 0);
	NSN_PUT(&vfio, vfio_group, vm, 0);
	NSN_PUT(&vfio, vfio_group, type, NSN_VFIO_GROUP_IOMMU);
	NSN_PUT(&vfio, vfio_group, opened, 0);
	ADD(vfio);
	REC(IOMMUFD, iommufd, 0)->devices++;
}

static void give_device_to_kvm(uint64_t number, uint64_t context)
{
	NSN_NEW(rec, VM_FILE, vm_file);

	NSN_PUT(&rec, vm_file, vm, VM_KEY);
	NSN_PUT(&rec, vm_file, kind, NSN_FILE_VFIO_DEVICE);
	NSN_PUT(&rec, vm_file, vfio_device, VFIO_DEVICE_KEY + number);
	NSN_PUT(&rec, vm_file, iommufd, context);
	ADD(rec);
}

static void add_assigned_group(uint64_t number, const char *bdf, uint64_t snoop_control)
{
	add_unit(snoop_control ? "dmar0" : "dmar1", "intel", snoop_control);
	add_group(number, 1);
	add_device(bdf, number, "vfio-pci", snoop_control);
}

/* Device 03.0 of group 2 goes to VM web1 by its own file; KVM knows of it. */
static void assign_by_file(uint64_t snoop_control, uint64_t registered)
{
	add_assigned_group(2, "0000:00:03.0", snoop_control);
	add_vm(registered, 1);
	add_context();
	add_page_table(USER_KEY + 2, snoop_control, 0);
	bind(2, "0000:00:03.0", USER_KEY + 2);
	give_device_to_kvm(2, CONTEXT_KEY);
}

/* ---- iommufd --------------------------------------------------------------------------------- */

static void test_by_file(void **state)
{
	(void)state;
	assign_by_file(0, 1);
	assert_int_equal(vm()->verdict, NSN_VERDICT_NONCOHERENT);
	assert_int_equal(vm()->paths_count, 1);
	assert_int_equal(vm()->paths[0].dma, NSN_DMA_DOMAIN);
	assert_string_equal(vm()->paths[0].device->id, "0000:00:03.0");
	assert_int_equal(vm()->links[0].by, NSN_LINK_KVM_VFIO);
	assert_int_equal(model->containers[0].kind, NSN_CONTAINER_IOMMUFD);
	assert_string_equal(model->containers[0].id, "1234:12");
	assert_int_equal(domain("g2")->state, NSN_COHERENCY_NOT_ASKED);
	assert_int_equal(nsn_model__group(model, 2)->owner, NSN_OWNER_IOMMUFD);
	check_status("NS002", NSN_RULE_FAIL);
	check_status("NS015", NSN_RULE_PASS);
	check_status("NS018", NSN_RULE_PASS);
	SET(VM, vm, 0, noncoherent_dma, 0);
	expect_fail("NS001", NSN_SEVERITY_CRITICAL);
	check_status("NS015", NSN_RULE_FAIL);
	assert_string_equal(evidence("NS015", "devices_given"), "1");
}

static void test_coherent(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	assert_int_equal(vm()->verdict, NSN_VERDICT_COHERENT);
	expect_exit(NSN_SEVERITY_INFO, NSN_RESULT_CLEAN);
	/* what iommufd keeps and what the driver keeps must agree */
	SET(IOMMUFD_HWPT, iommufd_hwpt, 0, enforced, 0);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	check_status("NS016", NSN_RULE_FAIL);
}

/* Each of these could hide a path. */
static void test_not_whole(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	SET(IOMMUFD, iommufd, 0, devices, 2);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	SET(IOMMUFD, iommufd, 0, devices, 1);
	SET(IOMMUFD, iommufd, 0, complete, 0);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	SET(IOMMUFD, iommufd, 0, complete, 1);
	SET(IOMMUFD_DEVICE, iommufd_device, 0, pasids, 1);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	FORGET(IOMMUFD_DEVICE, iommufd_device, 0, pasids);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	check_status("NS006", NSN_RULE_UNKNOWN);
}

/* A device that was there first could not block; what stays could. */
static void test_leftover(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	SET(IOMMUFD_HWPT, iommufd_hwpt, 0, enforced, 0);
	SET(DOMAIN, domain, 1, force_snooping, 0);
	expect_fail("NS006", NSN_SEVERITY_CRITICAL);
	check_status("NS001", NSN_RULE_FAIL);
	check_status("NS016", NSN_RULE_PASS);
}

/* A page table that nobody is attached to is nobody's leftover, and breaks nothing. */
static void test_idle_page_table(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	add_page_table(USER_KEY + 9, 0, 0);
	assert_int_equal(vm()->verdict, NSN_VERDICT_COHERENT);
	check_status("NS006", NSN_RULE_PASS);
	check_status("NS016", NSN_RULE_PASS);
}

static void test_bound_only(void **state)
{
	(void)state;
	add_assigned_group(2, "0000:00:03.0", 1);
	add_vm(0, 1);
	add_context();
	bind(2, "0000:00:03.0", 0);
	give_device_to_kvm(2, CONTEXT_KEY);
	SET(GROUP, group, 0, blocking, 1);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNATTACHED);
	assert_int_equal(vm()->paths[0].dma, NSN_DMA_NONE);
}

/* Its file was opened and given to KVM, but never bound: no access yet. */
static void test_unbound(void **state)
{
	(void)state;
	add_assigned_group(2, "0000:00:03.0", 1);
	add_vm(0, 1);
	add_context();
	bind(2, "0000:00:03.0", 0);
	REC(IOMMUFD_DEVICE, iommufd_device, 0)->iommufd = CONTEXT_KEY + 1; /* of another's */
	SET(IOMMUFD, iommufd, 0, devices, 0);
	SET(IOMMUFD, iommufd, 0, mm, MM_KEY + 1);
	REC(FILE, file, 0)->pid = PID + 5;
	add_process(PID + 5, "dpdk", "/system.slice/dpdk");
	give_device_to_kvm(2, 0);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNATTACHED);
	FORGET(VM_FILE, vm_file, 0, iommufd);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
}

static void test_nested(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	add_page_table(PARENT_KEY, 1, 0);
	add_page_table(USER_KEY + 3, 0, PARENT_KEY);
	SET(IOMMUFD_DEVICE, iommufd_device, 0, domain, USER_KEY + 3);
	group_record(2)->domain = USER_KEY + 3;
	assert_int_equal(vm()->verdict, NSN_VERDICT_COHERENT);
	assert_int_equal(domain("g2")->kind, NSN_DOMAIN_NESTED);
	assert_int_equal(domain("g2")->enforced_source, NSN_SOURCE_PARENT);
	check_status("NS016", NSN_RULE_PASS);
	SET(DOMAIN, domain, 2, force_snooping, 0);
	SET(IOMMUFD_HWPT, iommufd_hwpt, 1, enforced, 0);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNSAFE);
	check_status("NS006", NSN_RULE_FAIL);
	FORGET(IOMMUFD_HWPT, iommufd_hwpt, 2, parent);
	REC(IOMMUFD_HWPT, iommufd_hwpt, 2)->parent = 0;
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
}

/* A device that VFIO does not have, bound by another driver: KVM can't have been given it. */
static void test_bound_by_other(void **state)
{
	(void)state;
	assign_by_file(0, 0);
	REC(VM_FILE, vm_file, 0)->kind = NSN_FILE_NONE;
	FORGET(VFIO_GROUP, vfio_group, 0, vm);
	FORGET(VM_FILE, vm_file, 0, vfio_device);
	REC(VM_FILE, vm_file, 0)->vfio_device = 0;
	FORGET(VFIO_DEVICE, vfio_device, 0, open_count);
	assert_int_equal(nsn_model__group((vm(), model), 2)->residual, NSN_NO);
	check_status("NS015", NSN_RULE_PASS);
	FORGET(VM, vm, 0, complete);
	vm();
	check_status("NS015", NSN_RULE_UNKNOWN);
}

/* An IOMMU of a driver that we do not know: iommufd was told what it can do. */
static void test_bound_answers(void **state)
{
	const struct nsn_device *device;

	(void)state;
	assign_by_file(1, 0);
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, "mock");
	FORGET(GROUP_DEVICE, group_device, 0, cap_enforce);
	SET(IOMMUFD_DEVICE, iommufd_device, 0, must_enforce, 0);
	device = vm()->devices.items[0];
	assert_int_equal(device->can_enforce, NSN_NO);
	assert_int_equal(device->cap_cache_coherency, NSN_YES);
	FORGET(IOMMUFD_DEVICE, iommufd_device, 0, must_enforce);
	device = vm()->devices.items[0];
	assert_int_equal(device->can_enforce, NSN_UNKNOWN);
	SET(IOMMUFD_DEVICE, iommufd_device, 0, group, 0); /* no IOMMU: nobody was asked */
	device = vm()->devices.items[0];
	assert_int_equal(device->cap_cache_coherency, NSN_UNKNOWN);
}

/* PASID 7 of group 2 in a page table of its own, as iommufd has it. */
static void add_pasid(uint64_t enforced)
{
	NSN_NEW(rec, IOMMUFD_PASID, iommufd_pasid);

	add_page_table(PASID_KEY, enforced, 0);
	NSN_PUT(&rec, iommufd_pasid, iommufd, CONTEXT_KEY);
	NSN_PUT(&rec, iommufd_pasid, domain, PASID_KEY);
	NSN_PUT(&rec, iommufd_pasid, group, GROUP_KEY + 2);
	NSN_PUT(&rec, iommufd_pasid, group_id, 2);
	NSN_PUT(&rec, iommufd_pasid, pasid, 7);
	NSN_PUT_STR(&rec, iommufd_pasid, name, "0000:00:03.0");
	ADD(rec);
	SET(IOMMUFD_DEVICE, iommufd_device, 0, pasids, 1);
}

/* A PASID of group 2, as the IOMMU core has it. */
static void add_core_pasid(uint64_t pasid, uint64_t domain)
{
	NSN_NEW(rec, GROUP_PASID, group_pasid);

	NSN_PUT(&rec, group_pasid, group, GROUP_KEY + 2);
	NSN_PUT(&rec, group_pasid, domain, domain);
	NSN_PUT(&rec, group_pasid, group_id, 2);
	NSN_PUT(&rec, group_pasid, pasid, pasid);
	ADD(rec);
}

static const struct nsn_path *pasid_path(uint64_t pasid)
{
	for (size_t i = 0; i < vm()->paths_count; i++)
		if (model->vms[0].paths[i].pasid == pasid)
			return &model->vms[0].paths[i];
	fail_msg("no path by PASID %lu", (unsigned long)pasid);
	return NULL;
}

static void test_pasid(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	add_pasid(1);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN); /* the core's side is not there */
	assert_int_equal(vm()->paths_count, 2);
	assert_int_equal(domain("g2/pasid7")->blocks_nosnoop, NSN_YES);
	assert_string_equal(pasid_path(7)->unknown_reason,
			    "the IOMMU core's side of the PASID could not be read");
	check_status("NS019", NSN_RULE_PASS);
	add_core_pasid(7, USER_KEY + 2);
	assert_string_equal(pasid_path(7)->unknown_reason, "it changed while it was read");
	SET(GROUP_PASID, group_pasid, 0, domain, PASID_KEY);
	assert_int_equal(vm()->verdict, NSN_VERDICT_COHERENT);
	assert_int_equal(vm()->paths_count, 2);
	assert_true(domain("g2/pasid7")->by_pasid);
	check_status("NS019", NSN_RULE_PASS);
	SET(IOMMUFD_HWPT, iommufd_hwpt, 1, enforced, 0);
	SET(DOMAIN, domain, 2, force_snooping, 0);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNSAFE);
	assert_int_equal(pasid_path(7)->blocks_nosnoop, NSN_NO);
	assert_int_equal(pasid_path(0)->blocks_nosnoop, NSN_YES);
	check_status("NS006", NSN_RULE_FAIL);
	FORGET(GROUP_PASID, group_pasid, 0, domain);
	REC(GROUP_PASID, group_pasid, 0)->domain = 0;
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
}

/* Where the PASID's entry has the bit, only iommufd's order of steps vouches for it. */
static void test_pasid_entry(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	add_pasid(1);
	add_core_pasid(7, PASID_KEY);
	SET(DOMAIN, domain, 2, page_table, NSN_PT_FIRST_STAGE);
	assert_int_equal(pasid_path(7)->blocks_nosnoop, NSN_YES);
	FORGET(DOMAIN, domain, 2, page_table);
	assert_int_equal(pasid_path(7)->blocks_nosnoop, NSN_UNKNOWN);
	assert_string_equal(pasid_path(7)->unknown_reason,
			    "its PASID entry decides, which is not read");
	SET(DOMAIN, domain, 2, type, 16);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	assert_int_equal(domain("g2/pasid7")->kind, NSN_DOMAIN_SVA);
	assert_string_equal(pasid_path(7)->unknown_reason,
			    "shared with a process: its PASID entry decides");
}

/* PASID 9 is not iommufd's: its domain is the group's own, the VM's process's memory, another's. */
static void test_strange_pasid(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	add_core_pasid(9, USER_KEY + 2);
	assert_int_equal(vm()->paths_count, 2);
	assert_int_equal(pasid_path(9)->blocks_nosnoop, NSN_YES);
	assert_false(domain("g2")->by_pasid);
	assert_int_equal(vm()->verdict, NSN_VERDICT_COHERENT);
	add_domain(PASID_KEY, 16, 0);
	SET(GROUP_PASID, group_pasid, 0, domain, PASID_KEY);
	/* whose memory it shares is not known */
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	SET(DOMAIN, domain, 2, mm, MM_KEY);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	assert_int_equal(domain("g2/pasid9")->kind, NSN_DOMAIN_SVA);
	assert_false(domain("g2/pasid9")->user);
	SET(DOMAIN, domain, 2, mm, MM_KEY + 1);
	assert_int_equal(vm()->paths_count, 1);
	assert_int_equal(vm()->verdict, NSN_VERDICT_COHERENT);
	assert_int_equal(domain("g2/pasid9")->groups.items_count, 1);
	check_status("NS019", NSN_RULE_PASS);
}

static void test_no_iommu(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	SET(IOMMUFD_DEVICE, iommufd_device, 0, group, 0);
	FORGET(IOMMUFD_DEVICE, iommufd_device, 0, group_id);
	assert_int_equal(vm()->paths[0].dma, NSN_DMA_NOIOMMU);
	check_status("NS013", NSN_RULE_FAIL);
	assert_int_equal(finding("NS013")->severity, NSN_SEVERITY_CRITICAL);
	check_status("NS001", NSN_RULE_FAIL);
}

static void test_emulated(void **state)
{
	NSN_NEW(rec, IOMMUFD_ACCESS, iommufd_access);

	(void)state;
	assign_by_file(1, 0);
	NSN_PUT(&rec, iommufd_access, iommufd, CONTEXT_KEY);
	NSN_PUT(&rec, iommufd_access, vfio_device, 0);
	NSN_PUT(&rec, iommufd_access, id, 9);
	NSN_PUT(&rec, iommufd_access, address_space, 1);
	ADD(rec);
	SET(IOMMUFD, iommufd, 0, accesses, 1);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	assert_string_equal(vm()->paths[1].unknown_reason,
			    "an access that is not a VFIO device's: for whose DMA is unknown");
	SET(IOMMUFD_ACCESS, iommufd_access, 0, address_space, 0);
	assert_int_equal(vm()->verdict, NSN_VERDICT_COHERENT);
}

#define MDEV "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"

/* A mediated device by its group's file: the access is its only way to memory. */
static void test_emulated_by_group(void **state)
{
	NSN_NEW(rec, IOMMUFD_ACCESS, iommufd_access);

	(void)state;
	add_vm(1, 1);
	add_context();
	add_group(5, 1);
	SET(GROUP, group, 0, domain, 0);
	SET(GROUP, group, 0, default_domain, 0);
	add_device(MDEV, 5, "mtty", 0);
	open_group(5, MDEV, VM_KEY, 0);
	group_record(5)->owner = group_record(5)->owner_group = 0;
	SET(VFIO_GROUP, vfio_group, 0, iommufd, CONTEXT_KEY);
	SET(VFIO_GROUP, vfio_group, 0, type, NSN_VFIO_GROUP_EMULATED);
	NSN_PUT(&rec, iommufd_access, iommufd, CONTEXT_KEY);
	NSN_PUT(&rec, iommufd_access, vfio_device, VFIO_DEVICE_KEY + 5);
	NSN_PUT(&rec, iommufd_access, id, 2);
	NSN_PUT(&rec, iommufd_access, address_space, 1);
	ADD(rec);
	SET(IOMMUFD, iommufd, 0, accesses, 1);
	assert_int_equal(vm()->paths_count, 1);
	assert_int_equal(vm()->paths[0].dma, NSN_DMA_EMULATED);
	assert_string_equal(vm()->paths[0].device->id, MDEV);
	/* whose access that is is not known: the group may have another way */
	SET(IOMMUFD_ACCESS, iommufd_access, 0, vfio_device, 0);
	assert_int_equal(vm()->paths_count, 2);
}

/* iommufd and the IOMMU core name different domains. */
static void test_stray(void **state)
{
	(void)state;
	assign_by_file(1, 0);
	group_record(2)->domain = DEFAULT_KEY + 2;
	expect_fail("NS019", NSN_SEVERITY_CRITICAL);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
}

/* ---- vDPA ------------------------------------------------------------------------------------ */

/* A virtio device in a VM's hands by vhost-vdpa, in a domain of type `driver`. */
static void assign_vdpa(uint64_t key)
{
	NSN_NEW(rec, VDPA, vdpa);
	NSN_NEW(file, FILE, file);

	set_source("kernel.vdpa", NSN_SOURCE_OK);
	add_unit("dmar0", "intel", 1);
	add_group(2, 1);
	add_device("0000:00:03.0", 2, "vp-vdpa", 1);
	add_vm(0, 0);
	NSN_PUT(&rec, vdpa, vdpa, VDPA_KEY);
	NSN_PUT(&rec, vdpa, mm, MM_KEY);
	NSN_PUT(&rec, vdpa, domain, key);
	NSN_PUT(&rec, vdpa, group, GROUP_KEY + 2);
	NSN_PUT(&rec, vdpa, group_id, 2);
	NSN_PUT(&rec, vdpa, mappings, 1);
	NSN_PUT_STR(&rec, vdpa, name, "vdpa0");
	NSN_PUT_STR(&rec, vdpa, device, "0000:00:03.0");
	ADD(rec);
	NSN_PUT(&file, file, kind, NSN_FILE_VDPA);
	NSN_PUT(&file, file, vdpa, VDPA_KEY);
	NSN_PUT(&file, file, pid, PID);
	NSN_PUT(&file, file, fd, 14);
	ADD(file);
	if (!key)
		return;
	add_domain(key, TYPE_UNMANAGED, 0);
	group_record(2)->domain = key;
}

static void test_vdpa(void **state)
{
	(void)state;
	assign_vdpa(USER_KEY + 2);
	expect_fail("NS020", NSN_SEVERITY_WARNING);
	check_status("NS001", NSN_RULE_FAIL);
	check_status("NS006", NSN_RULE_NOT_APPLICABLE);
	check_status("NS016", NSN_RULE_PASS);
	check_status("NS018", NSN_RULE_PASS);
	check_status("NS015", NSN_RULE_PASS); /* KVM cannot be told */
	assert_int_equal(vm()->links[0].by, NSN_LINK_SAME_MM);
	assert_int_equal(domain("g2")->state, NSN_COHERENCY_NOT_ASKED);
	assert_int_equal(nsn_model__group(model, 2)->residual, NSN_NO);
	SET(VDPA, vdpa, 0, mappings, 0);
	expect("NS020", NSN_RULE_PASS);
	FORGET(VDPA, vdpa, 0, mappings);
	expect("NS020", NSN_RULE_UNKNOWN);
}

/* AMD's v1 tables always block, asked or not. */
static void test_vdpa_amd(void **state)
{
	(void)state;
	assign_vdpa(USER_KEY + 2);
	SET_STR(DOMAIN, domain, 1, iommu_driver, "amd");
	SET(DOMAIN, domain, 1, page_table, NSN_PT_AMD_V1);
	FORGET(DOMAIN, domain, 1, force_snooping);
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, "amd");
	expect("NS020", NSN_RULE_PASS);
	SET(DOMAIN, domain, 1, page_table, NSN_PT_AMD_V2);
	expect("NS020", NSN_RULE_UNKNOWN);
	check_status("NS014", NSN_RULE_PASS); /* nobody claimed anything */
}

/* It maps memory by itself. */
static void test_vdpa_without_domain(void **state)
{
	(void)state;
	assign_vdpa(0);
	expect("NS020", NSN_RULE_PASS);
	assert_int_equal(vm()->paths[0].dma, NSN_DMA_EMULATED);
	assert_int_equal(vm()->verdict, NSN_VERDICT_UNKNOWN);
	FORGET(VDPA, vdpa, 0, domain);
	expect("NS020", NSN_RULE_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_file),         TEST(test_coherent),
		TEST(test_not_whole),       TEST(test_leftover),
		TEST(test_idle_page_table), TEST(test_bound_only),
		TEST(test_unbound),         TEST(test_nested),
		TEST(test_bound_answers),   TEST(test_bound_by_other),
		TEST(test_pasid),           TEST(test_pasid_entry),
		TEST(test_strange_pasid),   TEST(test_no_iommu),
		TEST(test_emulated),        TEST(test_emulated_by_group),
		TEST(test_stray),           TEST(test_vdpa),
		TEST(test_vdpa_amd),        TEST(test_vdpa_without_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
