// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvm_events.bpf.c - KVM's side of what happens: VMs that come and go, registrations of non-coherent
 * DMA, and WBINVDs, which are counted here.
 *
 * Kernel side. WBINVD is the one path a guest can drive: it costs three look-ups and an atomic
 * addition, an executed one its time too; the clock is read last at the entry and first at the exit.
 */
#include "flush.bpf.h"

#define SECOND 1000000000ULL

/* ---- WBINVD ---------------------------------------------------------------------------------- */

static __always_inline struct nsn_counters *counters_of(__u64 kvm)
{
	static const struct nsn_counters none;
	struct nsn_counters *counted = bpf_map_lookup_elem(&counters, &kvm);

	if (counted)
		return counted;
	bpf_map_update_elem(&counters, &kvm, &none, BPF_NOEXIST);
	counted = bpf_map_lookup_elem(&counters, &kvm);
	if (!counted)
		nsn_count_lost(); /* the map is full */
	return counted;
}

/* Above a rate, of one in some the time is kept. */
static __always_inline bool is_sampled(struct nsn_counters *counted, __u64 now)
{
	if (now - counted->window_start >= SECOND) {
		counted->window_start = now;
		counted->window_exits = 0;
	}
	if (++counted->window_exits <= NSN_SAMPLE_ABOVE)
		return true;
	counted->sampled = 1;
	return counted->window_exits % NSN_SAMPLE_OF == 0;
}

static __always_inline void add_time(struct nsn_counters *counted, __u64 elapsed)
{
	__u64 most = NSN_BUCKET_FIRST_NS; /* inclusive, as le="" of Prometheus is */
	__u32 bucket;

	for (bucket = 0; bucket < NSN_BUCKETS - 1 && elapsed > most; bucket++)
		most *= 4;
	__sync_fetch_and_add(&counted->elapsed_ns, elapsed);
	__sync_fetch_and_add(&counted->buckets[bucket], 1);
}

static __always_inline struct nsn_counters *count(__u64 kvm, bool executed)
{
	struct nsn_counters *counted = counters_of(kvm);

	if (counted)
		__sync_fetch_and_add(executed ? &counted->executed : &counted->ignored, 1);
	if (executed)
		nsn_count_in(NSN_LOST_GUEST_FLUSHES);
	return counted;
}

/* The other end of this one was missed. */
static __always_inline void count_missed(__u64 kvm, bool executed)
{
	count(kvm, executed);
	nsn_count_in(NSN_LOST_REPAIRED);
}

/* Where a thread keeps what the entry saw; it stays for its next WBINVD. */
static __always_inline struct nsn_call *place_of(enum nsn_call_id id)
{
	static const struct nsn_call none;
	struct nsn_call_key key = nsn_call_key(id);
	struct nsn_call *call = bpf_map_lookup_elem(&calls, &key);

	if (call)
		return call;
	bpf_map_update_elem(&calls, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&calls, &key);
}

/*
 * How often VMs were switched: one may be there and back within one WBINVD. Of all together: an array
 * is read without a call, and where it was another VM the flush tells just as well.
 */
static __always_inline __u64 switches(void)
{
	__u32 which = NSN_LOST_SWITCHES;
	__u64 *count = bpf_map_lookup_elem(&lost, &which);

	return count ? *(volatile __u64 *)count : 0;
}

/*
 * The kernel leaves out a program that is interrupted on the same CPU: where it preempts within
 * programs, an entry or an exit is missed now and then. Each is found by the other one: an exit
 * without an entry is counted, without its time, and so is at an entry what has not left.
 */
static __always_inline int enter_wbinvd(enum nsn_call_id id, struct kvm_vcpu *vcpu)
{
	__u64 kvm = 0, registered = 0;
	struct nsn_call *call;

	if (!nsn_vcpu_vm(vcpu, &kvm) || !kvm)
		return 0;
	call = place_of(id);
	if (!call)
		return 0;
	if (call->entered)
		count_missed(call->vm, call->value);
	nsn_vm_noncoherent_dma((struct kvm *)kvm, &registered);
	call->vm = kvm;
	call->value = registered != 0;
	call->inner = 0;
	call->args[0] = switches();
	call->entered = registered || nsn_wanted(NSN_EVENT_WBINVD) ? bpf_ktime_get_ns() : 1;
	return 0;
}

/*
 * Was it executed? KVM decides between the entry and the exit. If the VM was not switched meanwhile,
 * that is how it was; if it was, the flush itself tells (nsn_note_flush), where a probe sees it.
 */
static __always_inline bool was_executed(const struct nsn_call *call, bool registered)
{
	const bool switched = registered != call->value || switches() != call->args[0];
	struct nsn_event_config *config;
	__u32 zero = 0;

	/*
	 * `inner` may be another VM's flush too, whose interrupt came to this thread's CPU: where the VM was
	 * not switched it only confirms that a registered one flushed.
	 */
	if (!switched && (!registered || call->inner))
		return registered;
	config = bpf_map_lookup_elem(&settings, &zero);
	if (!config || !config->flush_is_seen)
		return call->value;
	if (switched)
		return call->inner;
	nsn_count_in(NSN_LOST_REPAIRED); /* what notes the flush was left out */
	return true;
}

static __always_inline int tell_wbinvd(__u64 kvm, bool executed, __u64 elapsed)
{
	struct nsn_event_config *wanted = nsn_wanted(NSN_EVENT_WBINVD);
	struct nsn_rec_event *rec;

	if (!wanted || elapsed < wanted->min_duration_ns)
		return 0;
	rec = nsn_event__begin(NSN_EVENT_WBINVD);
	if (!rec)
		return 0;
	NSN_SET(rec, event, vm, kvm);
	NSN_SET(rec, event, executed, executed);
	NSN_SET(rec, event, duration, elapsed);
	nsn_event__submit(rec);
	return 0;
}

/* vcpu: NULL where only the entry could tell. */
static __always_inline int leave_wbinvd(enum nsn_call_id id, struct kvm_vcpu *vcpu)
{
	__u64 now = bpf_ktime_get_ns(), entered = 0, kvm = 0, registered = 0;
	struct nsn_call_key key = nsn_call_key(id);
	struct nsn_call *call = bpf_map_lookup_elem(&calls, &key);
	struct nsn_counters *counted;
	bool executed;

	if (call && call->entered)
		kvm = call->vm;
	else if (!vcpu || !nsn_vcpu_vm(vcpu, &kvm) || !kvm)
		return 0;
	nsn_vm_noncoherent_dma((struct kvm *)kvm, &registered);
	executed = registered != 0;
	if (call && call->entered) {
		executed = was_executed(call, executed);
		entered = call->entered;
		call->entered = 0;
	} else if (call) { /* a thread's first may have begun before the probe */
		nsn_count_in(NSN_LOST_REPAIRED);
	}
	counted = count(kvm, executed);
	if (entered <= 1 || !counted || !is_sampled(counted, now))
		return 0;
	if (executed)
		add_time(counted, now - entered);
	return tell_wbinvd(kvm, executed, now - entered);
}

static __always_inline struct kvm_vcpu *emulated_vcpu(__u64 emulator)
{
	__u64 vcpu = 0;

	nsn_emulator_vcpu((struct x86_emulate_ctxt *)emulator, &vcpu);
	return (struct kvm_vcpu *)vcpu;
}

static __always_inline int on_wbinvd(void *ctx, __u64 vcpu, __u64 b, __u64 c)
{
	return enter_wbinvd(NSN_CALL_WBINVD, (struct kvm_vcpu *)vcpu);
}

static __always_inline int on_emulated(void *ctx, __u64 emulator, __u64 b, __u64 c)
{
	return enter_wbinvd(NSN_CALL_WBINVD_EMULATED, emulated_vcpu(emulator));
}

NSN_AT_ENTRY(wbinvd, 1, on_wbinvd)
NSN_AT_ENTRY(wbinvd_emulated, 1, on_emulated)

/* A kretprobe has no arguments: its kprobe and it come as a pair. */
#define WBINVD_EXIT(name, id, vcpu)                                                                \
	SEC("?nsn_fexit") int fexit_##name(__u64 *ctx)                                             \
	{                                                                                          \
		return leave_wbinvd(id, vcpu);                                                     \
	}                                                                                          \
	SEC("?kretprobe") int kretprobe_##name(struct pt_regs *ctx)                                \
	{                                                                                          \
		return leave_wbinvd(id, NULL);                                                     \
	}

WBINVD_EXIT(wbinvd, NSN_CALL_WBINVD, (struct kvm_vcpu *)ctx[0])
WBINVD_EXIT(wbinvd_emulated, NSN_CALL_WBINVD_EMULATED, emulated_vcpu(ctx[0]))

/* The flush of a WBINVD, on the CPU and in the thread of the vCPU; on others it is in any thread. */
static __always_inline int on_guest_flush(void *ctx, __u64 a, __u64 b, __u64 c)
{
	nsn_note_flush();
	return 0;
}

NSN_AT_ENTRY(flush_guest, 0, on_guest_flush)
NSN_AT_ENTRY(flush_mask, 0, on_flush)

/* ---- VMs ------------------------------------------------------------------------------------- */

static __always_inline int on_create(void *ctx, __u64 kvm, __u64 type, __u64 c, __u64 result,
				     const struct nsn_call *call)
{
	struct nsn_rec_event *rec;

	bpf_map_delete_elem(&counters, &kvm); /* of whoever had the address before */
	rec = nsn_event__begin(NSN_EVENT_VM_CREATE);
	if (!rec)
		return 0;
	NSN_SET(rec, event, vm, kvm);
	nsn_event__result(rec, NSN_INT(result));
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_EXIT(vm_create, NSN_CALL_VM_CREATE, 2, on_create)

/* Places of threads that ran the VM that ends. */
static long forget_call(void *map, struct nsn_call_key *key, struct nsn_call *call, __u64 *kvm)
{
	if (call->vm != *kvm)
		return 0;
	if (call->entered)
		count_missed(call->vm, call->value);
	bpf_map_delete_elem(&calls, key);
	return 0;
}

static __always_inline int on_destroy(void *ctx, __u64 kvm, __u64 b, __u64 c)
{
	struct nsn_counters *counted;
	struct nsn_rec_event *rec;

	bpf_for_each_map_elem(&calls, forget_call, &kvm, 0);
	counted = bpf_map_lookup_elem(&counters, &kvm);
	rec = nsn_event__begin(NSN_EVENT_VM_DESTROY);
	if (rec) {
		NSN_SET(rec, event, vm, kvm);
		NSN_FILL(rec, event, registrations, nsn_vm_noncoherent_dma, (struct kvm *)kvm);
		NSN_SET(rec, event, exits, counted ? counted->executed + counted->ignored : 0);
		NSN_SET(rec, event, executed, counted ? counted->executed : 0);
		nsn_event__submit(rec);
	}
	if (counted)
		bpf_map_delete_elem(&counters, &kvm);
	return 0;
}

NSN_AT_ENTRY(vm_destroy, 1, on_destroy)

/* ---- registrations --------------------------------------------------------------------------- */

static __always_inline int tell_registration(enum nsn_event event, __u64 kvm)
{
	struct nsn_rec_event *rec;

	nsn_count_in(NSN_LOST_SWITCHES);
	rec = nsn_event__begin(event);
	if (!rec)
		return 0;
	NSN_SET(rec, event, vm, kvm);
	NSN_FILL(rec, event, registrations, nsn_vm_noncoherent_dma, (struct kvm *)kvm);
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_kvm_register(void *ctx, __u64 kvm, __u64 b, __u64 c, __u64 result,
					   const struct nsn_call *call)
{
	return tell_registration(NSN_EVENT_KVM_REGISTER, kvm);
}

static __always_inline int on_kvm_unregister(void *ctx, __u64 kvm, __u64 b, __u64 c, __u64 result,
					     const struct nsn_call *call)
{
	return tell_registration(NSN_EVENT_KVM_UNREGISTER, kvm);
}

NSN_AT_VOID_EXIT(kvm_register, NSN_CALL_KVM_REGISTER, 1, on_kvm_register)
NSN_AT_VOID_EXIT(kvm_unregister, NSN_CALL_KVM_UNREGISTER, 1, on_kvm_unregister)
