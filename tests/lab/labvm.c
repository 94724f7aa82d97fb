// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labvm: a virtual machine and its VMM, scripted by the arguments. Each step is one thing that a
 * VMM does (open a container, add a group to kvm-vfio, close a descriptor, run the vCPU), so that
 * each order of them, the wrong ones too, can be made and then looked at.
 *
 * usage: labvm [--name N | -name guest=N,...] [--uuid U | -uuid U] STEP...
 * Steps are described in steps[] below. "try:STEP" goes on if STEP fails, "fail:ERRNO:STEP" wants
 * it to fail with that errno. Each step prints "ok STEP" or "error STEP ERRNO".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <linux/vhost_types.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* iommufd and the VFIO device's own file are younger than Debian 12's headers */
struct lab_bind {
	__u32 argsz, flags;
	__s32 iommufd;
	__u32 out_devid;
};
struct lab_attach {
	__u32 argsz, flags, pt_id;
};
struct lab_detach {
	__u32 argsz, flags;
};
struct lab_ioas_alloc {
	__u32 size, flags, out_ioas_id;
};
struct lab_ioas_map {
	__u32 size, flags, ioas_id, reserved;
	__u64 user_va, length, iova;
};
struct lab_destroy {
	__u32 size, id;
};
struct lab_hwpt_alloc {
	__u32 size, flags, dev_id, pt_id, out_hwpt_id, reserved, data_type, data_len;
	__u64 data_uptr;
	__u32 fault_id, reserved2;
};

#define LAB_VFIO_BIND        _IO(VFIO_TYPE, VFIO_BASE + 18)
#define LAB_VFIO_ATTACH      _IO(VFIO_TYPE, VFIO_BASE + 19)
#define LAB_VFIO_DETACH      _IO(VFIO_TYPE, VFIO_BASE + 20)
#define LAB_IOMMU_DESTROY    _IO(';', 0x80)
#define LAB_IOMMU_IOAS_ALLOC _IO(';', 0x81)
#define LAB_IOMMU_IOAS_MAP   _IO(';', 0x85)
#define LAB_IOMMU_HWPT_ALLOC _IO(';', 0x89)

#define MAX_OBJECTS 256
#define ID_LEN      64
#define PORT        0x10

enum kind {
	VM,
	VCPU,
	KVM_VFIO,
	CONTAINER,
	GROUP,
	DEVICE,
	CDEV,
	IOMMUFD,
	VDPA,
	MOCK,
	TABLE,
	ACCESS
};

static const char *const kind_names[] = {
	"vm",   "vcpu",    "kvm-vfio", "container", "group", "device",
	"cdev", "iommufd", "vdpa",     "mock",      "table", "access",
};

/* One open descriptor (or what is left of it, an mmap, after fd was closed) */
struct object {
	enum kind kind;
	char id[ID_LEN];
	int fd;
	struct kvm_run *run;
	__u32 devid, ioas, testid;
};

static struct object objects[MAX_OBJECTS];
static int nr_objects;
static struct object *cur[ACCESS + 1]; /* the newest, or the chosen, of each kind */
static char *mapping;
static size_t mapping_size;
static __u64 mapping_iova;

static struct object *object_find(enum kind kind, const char *id)
{
	int i;

	if (!id || !*id)
		return cur[kind];
	for (i = nr_objects - 1; i >= 0; i--)
		if (objects[i].kind == kind && !strcmp(objects[i].id, id))
			return &objects[i];
	return NULL;
}

static struct object *object_add(enum kind kind, const char *id, int fd)
{
	struct object *o;

	if (fd < 0)
		return NULL;
	if (nr_objects == MAX_OBJECTS) {
		errno = ENOSPC;
		return NULL;
	}
	o = &objects[nr_objects++];
	o->kind = kind;
	snprintf(o->id, sizeof(o->id), "%s", id && *id ? id : "");
	o->fd = fd;
	cur[kind] = o;
	return o;
}

static int fd_of(enum kind kind, const char *id)
{
	struct object *o = object_find(kind, id);

	if (!o || o->fd < 0) {
		errno = ENODEV;
		return -1;
	}
	return o->fd;
}

static int open_fmt(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return open(path, O_RDWR | O_CLOEXEC);
}

static long long size_of(const char *s)
{
	char *end;
	long long n = strtoll(s, &end, 0);

	switch (*end) {
	case 'G':
		n <<= 10;
		/* fall through */
	case 'M':
		n <<= 10;
		/* fall through */
	case 'K':
		n <<= 10;
	}
	return n;
}

/* KVM */

static int step_vm(const char *id)
{
	int kvm = open_fmt("/dev/kvm");
	int ret;

	if (kvm < 0)
		return -1;
	ret = object_add(VM, id, ioctl(kvm, KVM_CREATE_VM, 0)) ? 0 : -1;
	close(kvm);
	return ret;
}

static int step_kvm_vfio(const char *id)
{
	struct kvm_create_device cd = { .type = KVM_DEV_TYPE_VFIO };
	int vm = fd_of(VM, NULL);

	if (vm < 0 || ioctl(vm, KVM_CREATE_DEVICE, &cd))
		return -1;
	return object_add(KVM_VFIO, id, cd.fd) ? 0 : -1;
}

static int kvm_vfio_file(const char *id, __u64 attr)
{
	__s32 file = object_find(GROUP, id) ? fd_of(GROUP, id) : fd_of(CDEV, id);
	struct kvm_device_attr a = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = attr,
		.addr = (uintptr_t)&file,
	};
	int dev = fd_of(KVM_VFIO, NULL);

	return dev < 0 || file < 0 ? -1 : ioctl(dev, KVM_SET_DEVICE_ATTR, &a);
}

static int step_add(const char *id)
{
	return kvm_vfio_file(id, KVM_DEV_VFIO_GROUP_ADD);
}

static int step_del(const char *id)
{
	return kvm_vfio_file(id, KVM_DEV_VFIO_GROUP_DEL);
}

#define IO_CODE 0x100 /* where in the page a loop without WBINVD is */

static char *vcpu_page;

/* A vCPU in real mode: loop: wbinvd; out PORT, al; jmp loop */
static int step_vcpu(const char *id)
{
	static const unsigned char code[] = { 0x0f, 0x09, 0xe6, PORT, 0xeb, 0xfa };
	struct kvm_userspace_memory_region mem = { .guest_phys_addr = 0x1000, .memory_size = 4096 };
	int vm = fd_of(VM, NULL), fd, kvm, size;
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = 0x1000, .rflags = 2 };
	struct object *o;
	void *page;

	if (vm < 0)
		return -1;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -1;
	memcpy(page, code, sizeof(code));
	vcpu_page = page;
	mem.userspace_addr = (uintptr_t)page;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &mem))
		return -1;
	o = object_add(VCPU, id, ioctl(vm, KVM_CREATE_VCPU, 0));
	if (!o)
		return -1;
	fd = o->fd;
	kvm = open_fmt("/dev/kvm");
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(kvm);
	if (size < 0)
		return -1;
	o->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (o->run == MAP_FAILED || ioctl(fd, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	return ioctl(fd, KVM_SET_SREGS, &sregs) || ioctl(fd, KVM_SET_REGS, &regs) ? -1 : 0;
}

static volatile bool stopping;
static pthread_t spinning;
static bool is_spinning;
static useconds_t pause_us; /* between two WBINVDs of the spinner */
static long long ran;       /* WBINVDs that the spinner's guest ran */

static int run_vcpu(struct object *vcpu, long long n)
{
	while (n-- && !stopping) {
		if (ioctl(vcpu->fd, KVM_RUN, 0))
			return -1;
		if (vcpu->run->exit_reason != KVM_EXIT_IO) {
			errno = EPROTO;
			return -1;
		}
	}
	return 0;
}

static int step_run(const char *n)
{
	return fd_of(VCPU, NULL) < 0 ? -1 : run_vcpu(cur[VCPU], size_of(n));
}

/* Exits that are none by WBINVD: the loop enters behind it, where the port is */
static int step_io(const char *n)
{
	static const unsigned char code[] = { 0xe6, PORT, 0xeb, 0xfc }; /* out PORT, al; jmp */
	struct kvm_regs regs, before;
	int fd = fd_of(VCPU, NULL), ret;

	if (fd < 0 || ioctl(fd, KVM_GET_REGS, &before))
		return -1;
	memcpy(vcpu_page + IO_CODE, code, sizeof(code));
	regs = before;
	regs.rip = 0x1000 + IO_CODE;
	if (ioctl(fd, KVM_SET_REGS, &regs))
		return -1;
	ret = run_vcpu(cur[VCPU], size_of(n));
	return ioctl(fd, KVM_SET_REGS, &before) ? -1 : ret;
}

static void *spinner(void *vcpu)
{
	while (!stopping && !run_vcpu(vcpu, 1)) {
		ran++;
		if (pause_us)
			usleep(pause_us);
	}
	return NULL;
}

static int step_spin(const char *us)
{
	if (fd_of(VCPU, NULL) < 0)
		return -1;
	pause_us = atoi(us);
	stopping = false;
	errno = pthread_create(&spinning, NULL, spinner, cur[VCPU]);
	is_spinning = !errno;
	return errno ? -1 : 0;
}

/* Tells how many WBINVDs the guest ran, each of which left KVM_RUN by the port behind it */
static int step_stop(const char *arg)
{
	(void)arg;
	if (!is_spinning) {
		errno = ESRCH;
		return -1;
	}
	stopping = true;
	errno = pthread_join(spinning, NULL);
	stopping = is_spinning = false;
	printf("ran %lld\n", ran);
	ran = 0;
	return errno ? -1 : 0;
}

static int put_on(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	errno = pthread_setaffinity_np(thread, sizeof(set), &set);
	return errno ? -1 : 0;
}

/*
 * The current group leaves kvm-vfio and comes back, so many times, on another CPU than the spinner's;
 * after each ten they change places.
 */
static int step_switch(const char *n)
{
	long long i, times = size_of(n);

	for (i = 0; i < times; i++) {
		const int cpu = i / 10 % 2;

		if (put_on(pthread_self(), cpu) || (is_spinning && put_on(spinning, !cpu)))
			return -1;
		if (step_del(""))
			return -1;
		usleep(2000);
		if (step_add(""))
			return -1;
		usleep(2000);
	}
	return 0;
}

/*
 * VMs one after the other, each in a process of its own and with one WBINVD. Tells the processes, in
 * that order.
 */
static int step_churn(const char *n)
{
	long long i, times = size_of(n);
	int status;
	pid_t pid;

	for (i = 0; i < times; i++) {
		pid = fork();
		if (!pid) {
			if (step_vm("") || step_vcpu("") || run_vcpu(cur[VCPU], 1))
				_exit(1);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			return -1;
		if (status) {
			errno = EPROTO;
			return -1;
		}
		printf("vm %d\n", pid);
	}
	return 0;
}

/* VFIO's containers and groups */

static int step_container(const char *id)
{
	return object_add(CONTAINER, id, open_fmt("/dev/vfio/vfio")) ? 0 : -1;
}

static int step_group(const char *id)
{
	return object_add(GROUP, id, open_fmt("/dev/vfio/%s", id)) ? 0 : -1;
}

static int step_set_container(const char *id)
{
	int group = fd_of(GROUP, id), container = fd_of(CONTAINER, NULL);

	return group < 0 || container < 0 ? -1 : ioctl(group, VFIO_GROUP_SET_CONTAINER, &container);
}

/* A group's file into an iommufd context, as into a container: it makes an IOAS of its own */
static int step_set_iommufd(const char *id)
{
	int group = fd_of(GROUP, id), iommufd = fd_of(IOMMUFD, NULL);

	return group < 0 || iommufd < 0 ? -1 : ioctl(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
}

static int step_unset_container(const char *id)
{
	int group = fd_of(GROUP, id);

	return group < 0 ? -1 : ioctl(group, VFIO_GROUP_UNSET_CONTAINER);
}

static int step_set_iommu(const char *type)
{
	int container = fd_of(CONTAINER, NULL);

	return container < 0
		       ? -1
		       : ioctl(container, VFIO_SET_IOMMU,
			       !strcmp(type, "noiommu") ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1v2_IOMMU);
}

static int map_container(int fd, char *va, size_t size, __u64 iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = size,
	};

	return ioctl(fd, VFIO_IOMMU_MAP_DMA, &map);
}

/*
 * map:SIZE[@IOVA] maps fresh memory into the current container, into the IOAS, or (none was made)
 * into the one that set-iommufd made
 */
static int step_map(const char *arg)
{
	const char *at = strchr(arg, '@');
	size_t size = size_of(arg);
	__u64 iova = at ? strtoull(at + 1, NULL, 0) : 0x1000000;
	struct lab_ioas_map map = { .size = sizeof(map), .flags = 7, .length = size, .iova = iova };
	char *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret;

	if (va == MAP_FAILED)
		return -1;
	if (cur[CONTAINER]) {
		ret = map_container(fd_of(CONTAINER, NULL), va, size, iova);
	} else if (cur[IOMMUFD] && !cur[IOMMUFD]->ioas) {
		ret = map_container(fd_of(IOMMUFD, NULL), va, size, iova);
	} else {
		map.user_va = (uintptr_t)va;
		map.ioas_id = cur[IOMMUFD] ? cur[IOMMUFD]->ioas : 0;
		ret = ioctl(fd_of(IOMMUFD, NULL), LAB_IOMMU_IOAS_MAP, &map);
	}
	if (ret)
		return -1;
	mapping = va;
	mapping_size = size;
	mapping_iova = iova;
	return 0;
}

static int step_unmap(const char *arg)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = mapping_iova,
		.size = mapping_size,
	};
	int container = fd_of(CONTAINER, NULL);

	(void)arg;
	if (container < 0 || ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return -1;
	return munmap(mapping, mapping_size);
}

/* The group of a device on the PCI bus, or of a mediated one; "noiommu-N" where VFIO made it up */
static int group_of(const char *device)
{
	static const char *const buses[] = { "pci", "mdev" };
	char path[PATH_MAX], link[PATH_MAX], id[ID_LEN];
	const char *number;
	unsigned int i;
	ssize_t n = -1;

	for (i = 0; i < 2 && n < 0; i++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/iommu_group", buses[i],
			 device);
		n = readlink(path, link, sizeof(link) - 1);
	}
	if (n < 0)
		return -1;
	link[n] = 0;
	number = strrchr(link, '/') + 1;
	snprintf(id, sizeof(id), "noiommu-%.16s", number);
	return fd_of(GROUP, object_find(GROUP, number) ? number : id);
}

static int step_device(const char *name)
{
	int group = group_of(name);

	if (group < 0)
		return -1;
	return object_add(DEVICE, name, ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name)) ? 0 : -1;
}

/* iommufd and the device's own file */

static int step_iommufd(const char *id)
{
	return object_add(IOMMUFD, id, open_fmt("/dev/iommu")) ? 0 : -1;
}

static int step_ioas_alloc(const char *arg)
{
	struct lab_ioas_alloc alloc = { .size = sizeof(alloc) };
	int fd = fd_of(IOMMUFD, NULL);

	(void)arg;
	if (fd < 0 || ioctl(fd, LAB_IOMMU_IOAS_ALLOC, &alloc))
		return -1;
	cur[IOMMUFD]->ioas = alloc.out_ioas_id;
	return 0;
}

static int step_cdev(const char *bdf)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;
	int fd = -1;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (fd < 0 && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			fd = open_fmt("/dev/vfio/devices/%s", e->d_name);
	closedir(dir);
	return object_add(CDEV, bdf, fd) ? 0 : -1;
}

static int step_bind(const char *bdf)
{
	struct lab_bind bind = { .argsz = sizeof(bind) };
	int fd = fd_of(CDEV, bdf);

	bind.iommufd = fd_of(IOMMUFD, NULL);
	if (fd < 0 || bind.iommufd < 0 || ioctl(fd, LAB_VFIO_BIND, &bind))
		return -1;
	object_find(CDEV, bdf)->devid = bind.out_devid;
	return 0;
}

static int step_attach(const char *bdf)
{
	struct lab_attach attach = { .argsz = sizeof(attach) };
	int fd = fd_of(CDEV, bdf);

	if (fd < 0 || fd_of(IOMMUFD, NULL) < 0)
		return -1;
	attach.pt_id = cur[IOMMUFD]->ioas;
	return ioctl(fd, LAB_VFIO_ATTACH, &attach);
}

/* A page table over the IOAS, made for the device; its number, or -1 */
static long long alloc_hwpt(const char *bdf)
{
	struct lab_hwpt_alloc alloc = { .size = sizeof(alloc) };
	int iommufd = fd_of(IOMMUFD, NULL);

	if (fd_of(CDEV, bdf) < 0 || iommufd < 0)
		return -1;
	alloc.dev_id = object_find(CDEV, bdf)->devid;
	alloc.pt_id = cur[IOMMUFD]->ioas;
	return ioctl(iommufd, LAB_IOMMU_HWPT_ALLOC, &alloc) ? -1 : (long long)alloc.out_hwpt_id;
}

static int step_hwpt_alloc(const char *bdf)
{
	return alloc_hwpt(bdf) < 0 ? -1 : 0;
}

static int step_hwpt_attach(const char *bdf)
{
	struct lab_attach attach = { .argsz = sizeof(attach) };
	long long id = alloc_hwpt(bdf);

	if (id < 0)
		return -1;
	attach.pt_id = id;
	return ioctl(fd_of(CDEV, bdf), LAB_VFIO_ATTACH, &attach);
}

static int step_detach(const char *bdf)
{
	struct lab_detach detach = { .argsz = sizeof(detach) };
	int fd = fd_of(CDEV, bdf);

	return fd < 0 ? -1 : ioctl(fd, LAB_VFIO_DETACH, &detach);
}

#include "labmock.h"

/* vhost-vdpa */

static int step_vdpa(const char *number)
{
	return object_add(VDPA, number, open_fmt("/dev/vhost-vdpa-%s", number)) ? 0 : -1;
}

static int step_vdpa_owner(const char *number)
{
	__u64 features = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2;
	int fd = fd_of(VDPA, number);

	return fd < 0 || ioctl(fd, VHOST_SET_OWNER) ||
			       ioctl(fd, VHOST_SET_BACKEND_FEATURES, &features)
		       ? -1
		       : 0;
}

/* vdpa-map:SIZE maps fresh memory for the current vDPA device */
static int step_vdpa_map(const char *arg)
{
	size_t size = size_of(arg);
	char *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct vhost_msg_v2 message = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = {
			.iova = 0x1000000,
			.size = size,
			.uaddr = (uintptr_t)va,
			.perm = VHOST_ACCESS_RW,
			.type = VHOST_IOTLB_UPDATE,
		},
	};
	int fd = fd_of(VDPA, NULL);

	if (va == MAP_FAILED || fd < 0)
		return -1;
	return write(fd, &message, sizeof(message)) == sizeof(message) ? 0 : -1;
}

/* Descriptors, processes, talk */

static struct object *object_named(const char *arg)
{
	size_t len = strcspn(arg, ":");
	unsigned int kind;

	for (kind = 0; kind < sizeof(kind_names) / sizeof(*kind_names); kind++)
		if (strlen(kind_names[kind]) == len && !strncmp(arg, kind_names[kind], len))
			return object_find(kind, arg[len] ? arg + len + 1 : NULL);
	return NULL;
}

static int step_close(const char *arg)
{
	struct object *o = object_named(arg);
	int fd;

	if (!o || o->fd < 0) {
		errno = ENODEV;
		return -1;
	}
	fd = o->fd;
	o->fd = -1;
	return close(fd);
}

static int step_use(const char *arg)
{
	struct object *o = object_named(arg);

	if (!o) {
		errno = ENODEV;
		return -1;
	}
	cur[o->kind] = o;
	return 0;
}

static int step_fork_holder(const char *arg)
{
	pid_t pid = fork();

	(void)arg;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (pid > 0)
		printf("holder %d\n", pid);
	return pid < 0 ? -1 : 0;
}

static int step_ready(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : close(fd);
}

static int step_sleep(const char *ms)
{
	return usleep(atoi(ms) * 1000);
}

static int step_wait(const char *arg)
{
	(void)arg;
	return pause();
}

static int step_fifo(const char *path);

static const struct step {
	const char *name;
	int (*run)(const char *arg);
} steps[] = {
	{ "vm", step_vm },             /* vm[:ID] */
	{ "kvm-vfio", step_kvm_vfio }, /* kvm-vfio[:ID], of the current VM */
	{ "add", step_add },           /* add:GROUP or add:BDF (opened by cdev:) */
	{ "del", step_del },
	{ "vcpu", step_vcpu },                   /* vcpu[:ID] */
	{ "run", step_run },                     /* run:N WBINVDs */
	{ "spin", step_spin },                   /* spin[:US] WBINVDs for ever, in a thread */
	{ "io", step_io },                       /* io:N exits by a port alone */
	{ "stop", step_stop },                   /* that thread */
	{ "switch", step_switch },               /* switch:N times: del and add of the group */
	{ "churn", step_churn },                 /* churn:N VMs with one WBINVD each */
	{ "container", step_container },         /* container[:ID] */
	{ "group", step_group },                 /* group:N or group:noiommu-N */
	{ "set-container", step_set_container }, /* set-container:N */
	{ "set-iommufd", step_set_iommufd }, /* set-iommufd:N, a group into the current context */
	{ "unset-container", step_unset_container },
	{ "set-iommu", step_set_iommu }, /* set-iommu[:noiommu] */
	{ "map", step_map },             /* map:16M[@IOVA] */
	{ "unmap", step_unmap },         /* the newest mapping */
	{ "device", step_device },       /* device:BDF or device:UUID (mediated) */
	{ "iommufd", step_iommufd },     /* iommufd[:ID] */
	{ "ioas-alloc", step_ioas_alloc },
	{ "cdev", step_cdev }, /* cdev:BDF */
	{ "bind", step_bind },
	{ "attach", step_attach },           /* to the IOAS */
	{ "hwpt-attach", step_hwpt_attach }, /* to a page table of its own */
	{ "hwpt-alloc", step_hwpt_alloc },   /* makes one, and attaches nothing */
	{ "detach", step_detach },
	{ "mock", step_mock },             /* mock[:ID], a mock device on the IOAS */
	{ "mock-pasid", step_mock_pasid }, /* one that has PASIDs */
	{ "table", step_table },           /* table[:ID], a page table made for the current mock */
	{ "table-parent", step_table_parent }, /* one that others can be nested in */
	{ "table-pasid", step_table_pasid },   /* one for PASIDs, and for what has them */
	{ "table-nested", step_table_nested }, /* one in the current table */
	{ "table-nested-pasid", step_table_nested_pasid },
	{ "mock-attach", step_mock_attach },   /* mock-attach:TABLE or ioas */
	{ "pasid-attach", step_pasid_attach }, /* pasid-attach:N:TABLE or ioas */
	{ "pasid-replace", step_pasid_replace },
	{ "pasid-detach", step_pasid_detach }, /* pasid-detach:N */
	{ "access", step_access },             /* access[:ID] to the IOAS, without a device */
	{ "vdpa", step_vdpa },                 /* vdpa:N, /dev/vhost-vdpa-N */
	{ "vdpa-owner", step_vdpa_owner },     /* the caller's memory is what is mapped */
	{ "vdpa-map", step_vdpa_map },         /* vdpa-map:16M */
	{ "close", step_close },               /* close:KIND[:ID]; a vCPU's mmap stays */
	{ "use", step_use },                   /* use:KIND:ID makes it the current one */
	{ "fork-holder", step_fork_holder },   /* a child that holds all descriptors */
	{ "ready", step_ready },               /* ready:FILE creates it */
	{ "sleep", step_sleep },               /* sleep:MILLISECONDS */
	{ "fifo", step_fifo },                 /* fifo:PATH: steps from PATH, answers to PATH.ack */
	{ "wait", step_wait },                 /* for a signal, which ends the program */
};

static int run_plain(const char *step)
{
	size_t len = strcspn(step, ":"), i;

	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (strlen(steps[i].name) == len && !strncmp(step, steps[i].name, len))
			return steps[i].run(step[len] ? step + len + 1 : "");
	errno = EINVAL;
	return -1;
}

/* Runs one step and tells about it; 0 if the script may go on */
static int run_step(const char *step, FILE *out)
{
	const char *plain = step, *want = NULL, *got;
	bool tolerant = !strncmp(step, "try:", 4);
	size_t len = 0;
	int ret;

	if (tolerant) {
		plain = step + 4;
	} else if (!strncmp(step, "fail:", 5)) {
		want = step + 5;
		len = strcspn(want, ":");
		plain = want[len] ? want + len + 1 : "";
	}
	fflush(stdout);
	ret = run_plain(plain);
	got = ret < 0 ? strerrorname_np(errno) : "0";
	if (ret < 0)
		fprintf(out, "error %s %s\n", plain, got);
	else
		fprintf(out, "ok %s\n", plain);
	fflush(out);
	if (want)
		return strlen(got) == len && !strncmp(got, want, len) ? 0 : -1;
	return ret < 0 && !tolerant ? -1 : 0;
}

static int step_fifo(const char *path)
{
	char ack[PATH_MAX], line[PATH_MAX];
	FILE *in, *out;

	snprintf(ack, sizeof(ack), "%s.ack", path);
	in = fopen(path, "r+e");
	out = fopen(ack, "r+e");
	if (!in || !out)
		return -1;
	setbuf(out, NULL);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = 0;
		run_step(line, out);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			/* a VMM's options; only the command line matters */
			i++;
			continue;
		}
		if (run_step(argv[i], stdout))
			return 1;
	}
	return 0;
}
