// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpftry.c - what this kernel lets this process do with BPF. Floor 2.
 */
#include "bpftry.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "record.h"
#include "util.h"

#define LICENSE_GPL "GPL"

/* The few instructions that are needed; linux/bpf.h has no macros for them. */
/* clang-format off */
#define SET_IMMEDIATE(to, value)                                                                   \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = value }
#define SET_REGISTER(to, from)                                                                     \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from }
#define ADD(to, value) { .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = to, .imm = value }
#define STORE(offset, value)                                                                       \
	{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = offset, .imm = value }
/* A word from the program's input to the stack, by way of register 2. */
#define COPY(from, to)                                                                             \
	{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_6,          \
	  .off = from },                                                                           \
	{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_2, .off = to }
#define CALL(function) { .code = BPF_JMP | BPF_CALL, .imm = function }
#define EXIT { .code = BPF_JMP | BPF_EXIT }
/* clang-format on */

static int close_program(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int load_tracing(uint32_t id, enum bpf_attach_type type, const struct bpf_insn *code,
			size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type, .attach_btf_id = id);
	int fd;

	if (!id)
		return -ESRCH;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "nosnoop_try", LICENSE_GPL, code, count,
			   &options);
	return fd < 0 ? -errno : fd;
}

int nsn_try_iterator(uint32_t id)
{
	static const struct bpf_insn code[] = {
		SET_REGISTER(BPF_REG_1, BPF_REG_10),
		ADD(BPF_REG_1, -8),
		SET_IMMEDIATE(BPF_REG_2, 8),
		SET_IMMEDIATE(BPF_REG_3, 0),
		CALL(BPF_FUNC_probe_read_kernel),
		SET_IMMEDIATE(BPF_REG_0, 0),
		EXIT,
	};

	return close_program(load_tracing(id, BPF_TRACE_ITER, code, NSN_ARRAY_SIZE(code)));
}

int nsn_try_syscall(void)
{
	static const struct bpf_insn code[] = {
		STORE(-8, 'x'), /* the name "x" and its end */
		STORE(-16, 0),
		SET_REGISTER(BPF_REG_1, BPF_REG_10),
		ADD(BPF_REG_1, -8),
		SET_IMMEDIATE(BPF_REG_2, 2),
		SET_IMMEDIATE(BPF_REG_3, 0),
		SET_REGISTER(BPF_REG_4, BPF_REG_10),
		ADD(BPF_REG_4, -16),
		CALL(BPF_FUNC_kallsyms_lookup_name),
		EXIT,
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "nosnoop_try", LICENSE_GPL, code,
			       NSN_ARRAY_SIZE(code), &options);
	int err;

	if (fd < 0)
		return -errno;
	err = bpf_prog_test_run_opts(fd, &run);
	if (!err && run.retval == (uint32_t)-EPERM)
		err = -ENOKEY; /* else it found no symbol called x, which is as it should be */
	close(fd);
	return err;
}

int nsn_try_fentry(uint32_t id)
{
	static const struct bpf_insn code[] = {
		SET_IMMEDIATE(BPF_REG_0, 0),
		EXIT,
	};
	int link, err = 0;
	int program = load_tracing(id, BPF_TRACE_FENTRY, code, NSN_ARRAY_SIZE(code));

	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open(NULL, program);
	if (link < 0)
		err = -errno;
	else
		close(link);
	close(program);
	return err;
}

int nsn_lookup__open(void)
{
	static const struct bpf_insn code[] = {
		SET_REGISTER(BPF_REG_6, BPF_REG_1),
		COPY(0, -56),
		COPY(8, -48),
		COPY(16, -40),
		COPY(24, -32),
		COPY(32, -24),
		COPY(40, -16),
		COPY(48, -8),
		STORE(-64, 0),
		SET_REGISTER(BPF_REG_1, BPF_REG_10),
		ADD(BPF_REG_1, -56),
		SET_IMMEDIATE(BPF_REG_2, NSN_SYMBOL_LEN),
		SET_IMMEDIATE(BPF_REG_3, 0),
		SET_REGISTER(BPF_REG_4, BPF_REG_10),
		ADD(BPF_REG_4, -64),
		CALL(BPF_FUNC_kallsyms_lookup_name),
		EXIT,
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "nosnoop_lookup", LICENSE_GPL, code,
			       NSN_ARRAY_SIZE(code), &options);

	_Static_assert(NSN_SYMBOL_LEN == 56, "the program copies so many bytes");
	return fd < 0 ? -errno : fd;
}

int nsn_lookup__symbol(int fd, const char *name)
{
	char input[NSN_SYMBOL_LEN] = "";
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = input, .ctx_size_in = sizeof(input));

	nsn_format(input, sizeof(input), "%s", name);
	if (bpf_prog_test_run_opts(fd, &options))
		return -errno;
	return options.retval == 0;
}
