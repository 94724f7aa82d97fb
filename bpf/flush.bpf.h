/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flush.bpf.h - what is done at a flush of the host's caches: who asked for it, and whether it is one
 * for a guest.
 *
 * Kernel side. A flush for a guest runs in the thread that is in the guest's WBINVD; it is counted
 * there (kvm_events.bpf.c) and only noted here.
 */
#ifndef NSN_FLUSH_BPF_H
#define NSN_FLUSH_BPF_H

#include "events.bpf.h"

#define CALLERS 10

/* The first caller that is not of the tracing itself, nor a flush function. */
static __always_inline void fill_caller(struct nsn_rec_event *rec, void *ctx)
{
	__u64 stack[CALLERS] = {};
	long size = bpf_get_stack(ctx, stack, sizeof(stack), 0);

	for (int i = 0; i < CALLERS; i++) {
		if (i * 8 >= size || !stack[i])
			return;
		if (!nsn_symbol_name(stack[i], rec->op, sizeof(rec->op)))
			return;
		if (!nsn_text_is(rec->op, "bpf_", 4) && !nsn_text_is(rec->op, "fentry_", 7) &&
		    !nsn_text_is(rec->op, "wb", 2)) {
			NSN_KNOWN(rec, event, op);
			return;
		}
	}
}

/* Notes in the WBINVD that the running thread is in that it has really flushed. False: it is in none. */
static __always_inline bool nsn_note_flush(void)
{
	struct nsn_call *call = nsn_call__current(NSN_CALL_WBINVD);

	if (!call)
		call = nsn_call__current(NSN_CALL_WBINVD_EMULATED);
	if (call)
		call->inner = 1;
	return call;
}

static __always_inline int on_flush(void *ctx, __u64 a, __u64 b, __u64 c)
{
	const bool guest = nsn_note_flush();
	struct nsn_rec_event *rec;

	/* a guest's are counted as its WBINVDs */
	if (guest && !nsn_wanted(NSN_EVENT_HOST_FLUSH))
		return 0;
	rec = nsn_event__begin(NSN_EVENT_HOST_FLUSH);
	if (!rec)
		return 0;
	if (guest)
		NSN_SET(rec, event, initiator, NSN_FLUSH_GUEST);
	else
		fill_caller(rec, ctx); /* user space names the initiator by it */
	nsn_event__submit(rec);
	return 0;
}

#endif /* NSN_FLUSH_BPF_H */
