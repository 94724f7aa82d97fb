/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * labmock.h - labvm's steps for the mock devices of a kernel with CONFIG_IOMMUFD_TEST: they sit behind
 * a mock IOMMU that nests page tables and has PASIDs. Included by labvm.c alone.
 */
#ifndef LABMOCK_H
#define LABMOCK_H

/* drivers/iommu/iommufd/iommufd_test.h, which is no part of the headers for user space */
struct lab_test_cmd {
	__u32 size, op, id, reserved;
	union {
		struct {
			__u32 out_stdev_id, out_hwpt_id, out_idev_id, dev_flags;
		} mock;
		struct {
			__u32 pt_id;
		} replace;
		struct {
			__u32 out_fd, flags;
		} access;
		struct {
			__u32 pasid, pt_id;
		} pasid;
		__u64 room[6];
	};
	__u32 last;
};

struct lab_hwpt_selftest {
	__u32 iotlb, page_table;
};

#define LAB_IOMMU_TEST _IO(';', 0xa0)
enum {
	LAB_MOCK_DOMAIN = 2,
	LAB_CREATE_ACCESS = 5,
	LAB_MOCK_DOMAIN_REPLACE = 10,
	LAB_MOCK_DOMAIN_FLAGS = 12,
	LAB_PASID_ATTACH = 18,
	LAB_PASID_REPLACE = 19,
	LAB_PASID_DETACH = 20,
};
#define LAB_MOCK_HAS_PASID 4
#define LAB_DATA_SELFTEST  0xdead
#define LAB_HWPT_PARENT    1
#define LAB_HWPT_PASID     8

static int mock_test(struct lab_test_cmd *cmd, __u32 op, __u32 id)
{
	int fd = fd_of(IOMMUFD, NULL);

	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return fd < 0 ? -1 : ioctl(fd, LAB_IOMMU_TEST, cmd);
}

static int add_mock(const char *id, __u32 flags)
{
	struct lab_test_cmd cmd = { .mock.dev_flags = flags };
	struct object *mock;

	if (mock_test(&cmd, flags ? LAB_MOCK_DOMAIN_FLAGS : LAB_MOCK_DOMAIN,
		      cur[IOMMUFD] ? cur[IOMMUFD]->ioas : 0))
		return -1;
	mock = object_add(MOCK, id, 0);
	if (!mock)
		return -1;
	mock->devid = cmd.mock.out_idev_id;
	mock->testid = cmd.mock.out_stdev_id;
	return 0;
}

static int step_mock(const char *id)
{
	return add_mock(id, 0);
}

static int step_mock_pasid(const char *id)
{
	return add_mock(id, LAB_MOCK_HAS_PASID);
}

/* A page table for the current mock device, which becomes the current one */
static int add_table(const char *id, struct lab_hwpt_alloc *alloc)
{
	int iommufd = fd_of(IOMMUFD, NULL);
	struct object *table;

	if (iommufd < 0 || !cur[MOCK])
		return -1;
	alloc->size = sizeof(*alloc);
	alloc->dev_id = cur[MOCK]->devid;
	if (ioctl(iommufd, LAB_IOMMU_HWPT_ALLOC, alloc))
		return -1;
	table = object_add(TABLE, id, 0);
	if (!table)
		return -1;
	table->devid = alloc->out_hwpt_id;
	return 0;
}

static int step_table(const char *id)
{
	struct lab_hwpt_alloc alloc = { .pt_id = cur[IOMMUFD] ? cur[IOMMUFD]->ioas : 0 };

	return add_table(id, &alloc);
}

static int step_table_parent(const char *id)
{
	struct lab_hwpt_alloc alloc = { .flags = LAB_HWPT_PARENT,
					.pt_id = cur[IOMMUFD] ? cur[IOMMUFD]->ioas : 0 };

	return add_table(id, &alloc);
}

static int step_table_pasid(const char *id)
{
	struct lab_hwpt_alloc alloc = { .flags = LAB_HWPT_PASID,
					.pt_id = cur[IOMMUFD] ? cur[IOMMUFD]->ioas : 0 };

	return add_table(id, &alloc);
}

/* The guest's own table, in the current one, which must be a parent */
static int nest_table(const char *id, __u32 flags)
{
	struct lab_hwpt_selftest data = { .iotlb = 0xbadbeef };
	struct lab_hwpt_alloc alloc = { .flags = flags,
					.pt_id = cur[TABLE] ? cur[TABLE]->devid : 0,
					.data_type = LAB_DATA_SELFTEST,
					.data_len = sizeof(data),
					.data_uptr = (uintptr_t)&data };

	return add_table(id, &alloc);
}

static int step_table_nested(const char *id)
{
	return nest_table(id, 0);
}

static int step_table_nested_pasid(const char *id)
{
	return nest_table(id, LAB_HWPT_PASID);
}

/* What a step attaches to: the table of that name, or the IOAS */
static __u32 target(const char *id)
{
	struct object *table = object_find(TABLE, id);

	if (!strcmp(id, "ioas"))
		return cur[IOMMUFD] ? cur[IOMMUFD]->ioas : 0;
	return table ? table->devid : 0;
}

static int step_mock_attach(const char *id)
{
	struct lab_test_cmd cmd = { .replace.pt_id = target(id) };

	return cur[MOCK] ? mock_test(&cmd, LAB_MOCK_DOMAIN_REPLACE, cur[MOCK]->testid) : -1;
}

/* N:TABLE, or N alone for a detach; of the current mock device */
static int pasid_test(const char *arg, __u32 op)
{
	const char *table = strchr(arg, ':');
	struct lab_test_cmd cmd = { .pasid.pasid = strtoul(arg, NULL, 0),
				    .pasid.pt_id = table ? target(table + 1) : 0 };

	return cur[MOCK] ? mock_test(&cmd, op, cur[MOCK]->testid) : -1;
}

static int step_pasid_attach(const char *arg)
{
	return pasid_test(arg, LAB_PASID_ATTACH);
}

static int step_pasid_replace(const char *arg)
{
	return pasid_test(arg, LAB_PASID_REPLACE);
}

static int step_pasid_detach(const char *arg)
{
	return pasid_test(arg, LAB_PASID_DETACH);
}

/* An access of the kernel's own to the IOAS, as an emulated device has; its descriptor holds it */
static int step_access(const char *id)
{
	struct lab_test_cmd cmd = {};

	if (mock_test(&cmd, LAB_CREATE_ACCESS, cur[IOMMUFD] ? cur[IOMMUFD]->ioas : 0))
		return -1;
	return object_add(ACCESS, id, cmd.access.out_fd) ? 0 : -1;
}

#endif /* LABMOCK_H */
