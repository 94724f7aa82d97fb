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
LDLIBS += $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm
BPF_CFLAGS := -std=gnu11 -g -O2 -target bpf -D__TARGET_ARCH_$(ARCH) -Wall -Wextra -Wshadow -Wno-unused-parameter -Werror \
	-Ivmlinux -Ibpf

# RING=BYTES: a smaller ring buffer for the walks, to test what happens when it is full
ifdef RING
BPF_CFLAGS += -DNSN_RING_SIZE=$(RING)
CPPFLAGS += -DNSN_RING_SIZE=$(RING)
endif

BPF_SOURCES := $(wildcard bpf/*.bpf.c)
SKELETONS := $(BPF_SOURCES:bpf/%.bpf.c=$(BUILD)/%.skel.h)
LIB_SOURCES := $(wildcard src/*.c)
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
COMMANDS := $(wildcard tools/cmd_*.c)
PROGRAMS := $(BUILD)/nosnoop $(BUILD)/nosnooptop $(BUILD)/nosnoop-exporter
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

# Of the programs, this one alone links curses.
$(BUILD)/src/tui_terminal.o: ALL_CFLAGS += $(shell $(PKG_CONFIG) --cflags ncursesw)
$(BUILD)/nosnooptop: $(BUILD)/tools/nosnooptop.o $(BUILD)/libnosnoop.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell $(PKG_CONFIG) --libs ncursesw)

# And of these only this one.
EXPORTER_LIBS := libmicrohttpd gnutls yaml-0.1 libcap-ng libseccomp libsystemd libcrypt
EXPORTER_OBJECTS := exporter http http_accept http_auth http_body http_conn listen privileges webconfig
$(EXPORTER_OBJECTS:%=$(BUILD)/src/%.o): ALL_CFLAGS += $(shell $(PKG_CONFIG) --cflags $(EXPORTER_LIBS))
$(BUILD)/nosnoop-exporter: $(BUILD)/tools/nosnoop-exporter.o $(BUILD)/libnosnoop.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell $(PKG_CONFIG) --libs $(EXPORTER_LIBS)) -pthread

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libnosnoop.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libnosnoop.a $(LDLIBS) -lcmocka

# ---- bench ----

$(BUILD)/bench/bare_iter.bpf.o: tests/bench/bare_iter.bpf.c
	$(say) BPF $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/manyvms: tests/bench/manyvms.c
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $<

$(BUILD)/bench/bare_iter.skel.h: $(BUILD)/bench/bare_iter.bpf.o
	$(Q)$(BPFTOOL) gen skeleton $< name bare_iter_bpf > $@

$(BUILD)/tests/iterators: tests/bench/iterators.c $(BUILD)/bench/bare_iter.skel.h $(BUILD)/libnosnoop.a
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -I$(BUILD)/bench -o $@ $< $(BUILD)/libnosnoop.a $(LDLIBS)

## bench: what an audit costs with 10 to 4,000 VMs, beside lsfd (needs root and /dev/kvm); what nosnooptop
## costs while a VM flushes, beside bpftrace (in the lab)
.PHONY: bench
bench: all $(BUILD)/tests/manyvms $(BUILD)/tests/iterators
	$(Q)BUILD=$(BUILD) tests/bench/run.sh
	$(Q)BUILD=$(BUILD) tests/bench/idle.sh
	$(Q)BUILD=$(BUILD) tests/bench/export.sh
	$(Q)BUILD=$(BUILD) tests/bench/live.sh

# ---- tests ----

## deps: print the apt-get line for what is missing; with YES=1, as root, run it
.PHONY: deps check check-fast check-lab check-topologies tests demo
deps:
	$(Q)tools/deps.sh test

tests: all $(UNIT_TESTS) small-ring $(BUILD)/tests/manyvms

# For the lab's cell of that name, and the exporter's test: a buffer that a hundred VMs fill twice over.
.PHONY: small-ring
small-ring:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/small-ring RING=4096 \
		$(BUILD)/small-ring/nosnoop $(BUILD)/small-ring/nosnoop-exporter

## check: every test: unit, golden, schema, floors, sanitizers, fuzz, the lab
check:
	$(Q)tools/deps.sh test
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)BUILD=$(abspath $(BUILD)) MAKE=$(MAKE) CLANG=$(CLANG) tests/run.sh

## check-fast: the same without the lab
check-fast: tests
	$(Q)BUILD=$(abspath $(BUILD)) MAKE=$(MAKE) CLANG=$(CLANG) tests/run.sh --no-lab

## check-lab: the lab alone; KERNELS="6.1 newest", all, or nothing for the usual choice; FULL=1: all repetitions
KERNELS ?=
check-lab: all small-ring
	$(Q)tests/lab/run.sh --build $(abspath $(BUILD)) --kernels "$(KERNELS)" $(if $(FULL),--full)

## check-topologies: random topologies against an oracle; SEEDS=50 FIRST=1 KERNELS="6.1 newest"
SEEDS ?= 50
FIRST ?= 1
check-topologies: all
	$(Q)tests/lab/topologies/run.py --build $(abspath $(BUILD)) --seeds $(SEEDS) --first $(FIRST) \
		$(if $(KERNELS),--kernels "$(KERNELS)")

## btf-table: what the doctor says of the types of every kernel series the distribution offers (network)
.PHONY: btf-table
btf-table: all
	$(Q)tests/lab/btf-sets.sh --build $(abspath $(BUILD)) >$(BUILD)/btf-table.md
	$(Q)sed -i -e '/^<!-- BEGIN tests\/lab\/btf-sets/,/^<!-- END tests\/lab\/btf-sets/{//!d}' \
		-e '/^<!-- BEGIN tests\/lab\/btf-sets/r $(BUILD)/btf-table.md' docs/kernels.md

## matrix: the table of docs/kernels.md, from the last run of the lab (make check-lab KERNELS=all)
.PHONY: matrix
matrix: SUMMARY ?= $(or $(NOSNOOP_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/nosnoop)/results/run/summary.jsonl
matrix:
	$(Q)mkdir -p $(BUILD)
	$(Q)tests/lab/gen-matrix.sh $(SUMMARY) >$(BUILD)/matrix.md
	$(Q)sed -i -e '/^<!-- BEGIN tests\/lab\/gen-matrix/,/^<!-- END tests\/lab\/gen-matrix/{//!d}' \
		-e '/^<!-- BEGIN tests\/lab\/gen-matrix/r $(BUILD)/matrix.md' docs/kernels.md

## demo: a host with a non-coherent, an unsafe and a harmless VM, and what the audit says of it
demo:
	$(Q)tools/deps.sh test
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/lab/fetch-kernels.sh newest
	$(Q)BUILD=$(abspath $(BUILD)) tests/lab/demo.sh

## fleet-demo: 50 hosts, a real Prometheus on loopback, its alerts, and what it costs
.PHONY: fleet-demo
fleet-demo:
	$(Q)tools/deps.sh test
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(abspath $(BUILD)) tests/fleet/demo.sh

# ---- upkeep ----

.PHONY: format install static
## format: clang-format (14) over the C sources
format:
	$(Q)clang-format -i $(wildcard bpf/*.[ch] bpf/compat/*.h vmlinux/*.h src/*.[ch] tools/*.[ch] tests/*/*.[ch])

## static: build/nosnoop.static with libbpf, libelf, zlib and jansson inside, for hosts without them
## (Debian has no static libpci and libsmartcols: these two and libc stay shared)
static: $(BUILD)/nosnoop.static
$(BUILD)/nosnoop.static: $(BUILD)/tools/nosnoop.o $(COMMANDS:%.c=$(BUILD)/%.o) $(BUILD)/libnosnoop.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,-Bstatic -lbpf -lelf -lz -ljansson -Wl,-Bdynamic -lpci -lsmartcols -lm

MAN_PAGES := $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(wildcard docs/man/*.scd))
$(BUILD)/man/%: docs/man/%.scd
	$(say) MAN $@
	$(Q)mkdir -p $(@D)
	$(Q)SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || date +%s)} scdoc < $< > $@

## man: the manual pages, by scdoc
.PHONY: man
man: $(MAN_PAGES)

## install: the programs, manual pages, documents, completion, units, rules and dashboard, under DESTDIR and PREFIX (/usr/local)
UNITDIR ?= $(PREFIX)/lib/systemd/system
install: all man
	for unit in tools/deploy/systemd/*; do \
	  sed 's|/usr/sbin/|$(PREFIX)/sbin/|' $$unit | install -D -m 0644 /dev/stdin $(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	for file in tools/deploy/prometheus/* tools/deploy/grafana/*; do \
	  install -D -m 0644 $$file $(DESTDIR)$(PREFIX)/share/nosnoop/$${file#tools/deploy/}; done
	for file in docs/*.md docs/*.schema.json; do \
	  install -D -m 0644 $$file $(DESTDIR)$(PREFIX)/share/doc/nosnoop/$${file##*/}; done
	install -D -m 0755 $(BUILD)/nosnoop $(DESTDIR)$(PREFIX)/sbin/nosnoop
	install -D -m 0755 $(BUILD)/nosnooptop $(DESTDIR)$(PREFIX)/sbin/nosnooptop
	install -D -m 0755 $(BUILD)/nosnoop-exporter $(DESTDIR)$(PREFIX)/sbin/nosnoop-exporter
	for page in $(MAN_PAGES); do \
	  install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	install -D -m 0644 tools/completions/nosnoop.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/nosnoop

## clean: remove what was built
clean:
	$(Q)rm -rf $(BUILD)

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)
