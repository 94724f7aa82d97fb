/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * core_compat.bpf.h - the one place that knows how kernels differ in layout; a part for each
 * subsystem stands under compat/.
 *
 * Kernel side. One accessor per fact: it reads the fact from a kernel object through CO-RE into
 * *out and returns true, or returns false where this kernel has no such field or the read faulted.
 * A caller never touches a kernel structure itself. Kernels are told apart by the fields, types and
 * enumerators they have, never by version. src/accessors.c lists each accessor with the types it
 * needs, for `nosnoop doctor`; a test compares the two.
 *
 * Objects are read without locks: every pointer may be stale, so all reads are probe reads.
 */
#ifndef NSN_CORE_COMPAT_BPF_H
#define NSN_CORE_COMPAT_BPF_H

#include "emit.bpf.h"

#include <bpf/bpf_tracing.h>

/*
 * *out, a __u64, = object->field: false if this kernel's type lacks the field, or if the read faults (0
 * then). A name of the macro's own must not be one that a caller uses: "out" would then be the macro's
 * variable.
 */
#define NSN_GET(object, field, out)                                                                \
	({                                                                                         \
		bool nsn_got_ = false;                                                             \
		_Static_assert(sizeof(*(out)) == sizeof(__u64) &&                                  \
				       sizeof((object)->field) <= sizeof(__u64),                   \
			       "a number");                                                        \
		if (bpf_core_field_exists((object)->field)) {                                      \
			if (sizeof((object)->field) < sizeof(__u64))                               \
				*(out) = 0; /* little endian: the low bytes are the field */       \
			nsn_got_ =                                                                 \
				!bpf_core_read((out), sizeof((object)->field), &(object)->field);  \
		}                                                                                  \
		nsn_got_;                                                                          \
	})

/* The same for a field that is not read as a 64-bit number: a pointer variable. */
#define NSN_GET_POINTER(object, field, out)                                                        \
	(bpf_core_field_exists((object)->field) &&                                                 \
	 !bpf_core_read((out), sizeof(*(out)), &(object)->field))

/* The same for a bitfield: a plain read would give its neighbours too. */
#define NSN_GET_BIT(object, field, out)                                                            \
	({                                                                                         \
		bool nsn_got_ = false;                                                             \
		if (bpf_core_field_exists((object)->field)) {                                      \
			*(out) = BPF_CORE_READ_BITFIELD_PROBED((object), field);                   \
			nsn_got_ = true;                                                           \
		}                                                                                  \
		nsn_got_;                                                                          \
	})

static __always_inline bool nsn_read_string(const char *from, char *out, __u32 size)
{
	return from && bpf_probe_read_kernel_str(out, size, from) > 0;
}

/*
 * The name of the kernel function at an address, "" for a null pointer. %ps looks it up in
 * kallsyms, so that no address leaves the kernel.
 */
static __always_inline bool nsn_symbol_name(__u64 function, char *out, __u32 size)
{
	static const char format[] = "%ps";

	if (!function) {
		out[0] = '\0';
		return true;
	}
	return bpf_snprintf(out, size, format, &function, sizeof(function)) > 0;
}

#include "compat/task.bpf.h"

#include "compat/xarray.bpf.h"

#include "compat/iommu.bpf.h"
#include "compat/iommufd.bpf.h"
#include "compat/kvm.bpf.h"
#include "compat/vdpa.bpf.h"
#include "compat/vfio.bpf.h"

#endif /* NSN_CORE_COMPAT_BPF_H */
