# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What `make bench` needs: instructions per operation (Documentation/performance.rst).

BENCH := build/selftests/bench
BENCH_REPORT_SRC := $(sort $(wildcard selftests/bench/report*.c))
BENCH_PROG_OBJ := $(BENCH)/empty.bpf.o $(BENCH)/pieces.bpf.o
BENCH_BIN := $(BENCH)/measure $(BENCH)/copy $(BENCH)/format $(BENCH)/attach $(BENCH)/report \
	$(BENCH)/lazy
# The unit tests' share: all but main().
BENCH_PURE_SRC := $(filter-out %/report_main.c,$(BENCH_REPORT_SRC))
BENCH_LIMIT ?= 0.5## per cent by which the figures of two VMs may differ in `make bench`
BENCH_PART ?= all## what `make bench` measures: all; or shadows, which are not in all
BENCH_KERNEL = $(if $(filter file,$(origin KERNEL)),6.12,$(KERNEL))
export BENCH_LIMIT BENCH_PART

.PHONY: bench-bins
bench-bins: bpf user build/selftests/init $(BENCH_BIN)
	@:

$(BENCH):
	$(Q)mkdir -p $@

# Static: as a guest it needs no library, and so no rule for one.
$(BENCH)/measure $(BENCH)/copy: $(BENCH)/%: selftests/bench/%.c selftests/bench/sample.c \
		selftests/bench/sample.h | $(BENCH)
	$(call say,CC,$<)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(WARN_C) -O2 -g -static $(filter %.c,$^) -o $@

# Of the library only what it uses, and static too: the figures are those of its own code.
$(BENCH)/format: selftests/bench/format.c tests/harness/records.c build/libpolicy.a | $(BENCH)
	$(call say,CC,$<)$(CC) $(HARDEN) $(USER_CFLAGS) -Itests/harness -static -MMD -MP $(filter %.c %.a,$^) -o $@

$(BENCH_PROG_OBJ): $(BENCH)/%.bpf.o: selftests/bench/%.bpf.c | $(BENCH)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BENCH)/programs.o: $(BENCH_PROG_OBJ)
	$(call say,LINK,$@)$(BPFTOOL) gen object $@ $^

$(BENCH)/programs.skel.h: $(BENCH)/programs.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name programs >$@

$(BENCH)/attach: selftests/bench/attach.c $(BENCH)/programs.skel.h
	$(call say,CC,$<)$(CC) $(USER_CFLAGS) -I$(BENCH) -MMD -MP $< -o $@ $(PKG_LIBS)

$(BENCH)/lazy: selftests/bench/lazy.c build/libpolicy.a | $(BENCH)
	$(call say,CC,$<)$(CC) $(HARDEN) $(USER_CFLAGS) -static -MMD -MP $(filter %.c %.a,$^) -o $@

$(BENCH)/report: $(BENCH_REPORT_SRC) selftests/bench/report.h | $(BENCH)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) $(filter %.c,$^) -o $@ $(PKG_LIBS) -lm

.PHONY: bench-lazy
bench-lazy: deps ## lazy shadows beside others: bytes before the first one, memory (KERNEL=, here 6.12)
	$(Q)$(MAKE) --no-print-directory bench-bins selftest-bins && .ci/kernels.sh $(BENCH_KERNEL) >/dev/null
	$(Q)selftests/bench/lazy.sh $(BENCH_KERNEL)

-include $(BENCH)/*.d
