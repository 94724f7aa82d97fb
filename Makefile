# SPDX-License-Identifier: GPL-2.0-or-later
# One non-recursive makefile. Objects, skeletons and depfiles live in build/. `make help` lists the goals.

BUILD ?= build
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md 2>/dev/null | head -n 1)
REVISION := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
ARCH := $(shell uname -m | sed 's/x86_64/x86/')

# `make V=1` shows the commands.
ifeq ($(V),1)
Q =
say = @:
else
Q = @
say = @printf '  %-8s %s\n'
endif

LIBS := libbpf libelf zlib libpci jansson smartcols
CPPFLAGS += -D_GNU_SOURCE -Ibpf -Isrc -I$(BUILD)
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CPPFLAGS) $(shell $(PKG_CONFIG) --cflags $(LIBS)) $(CFLAGS)
LDLIBS += $(shell $(PKG_CONFIG) --libs $(LIBS))
BPF_CFLAGS := -std=gnu11 -g -O2 -target bpf -D__TARGET_ARCH_$(ARCH) -Wall -Wextra -Wno-unused-parameter -Werror \
	-Ivmlinux/$(ARCH) -Ivmlinux -Ibpf

BPF_SOURCES := $(wildcard bpf/*.bpf.c)
SKELETONS := $(BPF_SOURCES:bpf/%.bpf.c=$(BUILD)/%.skel.h)
LIB_SOURCES := $(wildcard src/*.c)
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
COMMANDS := $(wildcard tools/cmd_*.c)
PROGRAMS := $(BUILD)/nosnoop
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(BUILD)/tests/%)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean help

## all: the programs (default)
all: $(PROGRAMS)

$(BUILD)/%.bpf.o: bpf/%.bpf.c
	$(say) BPF $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
	$(Q)llvm-strip -g $@ 2>/dev/null || :

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(BUILD)/src/version.o: CPPFLAGS += -DNSN_VERSION='"$(VERSION)"' -DNSN_REVISION='"$(REVISION)"'

$(BUILD)/%.o: %.c | $(SKELETONS)
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libnosnoop.a: $(LIB_OBJECTS)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/nosnoop: $(BUILD)/tools/nosnoop.o $(COMMANDS:%.c=$(BUILD)/%.o) $(BUILD)/libnosnoop.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libnosnoop.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libnosnoop.a $(LDLIBS) -lcmocka

## clean: remove what was built
clean:
	$(Q)rm -rf $(BUILD)

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)
