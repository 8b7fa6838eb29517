# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Unit tests: one Criterion binary of all test files, the sanitized libpolicy, policyctl's sources
# but main.c, and the pure ones of policyd-forward. Run from the top of the tree. Criterion forks each test by itself.

UNIT_SRC := $(sort $(wildcard tests/harness/*.c tests/lib/test_*.c tests/bpf/test_*.c \
	tests/api/test_*.c tests/policyctl/test_*.c tests/forward/test_*.c tests/bench/test_*.c))
UNIT_OBJ := $(UNIT_SRC:%.c=build/san/%.o)
UNIT_CTL_OBJ := $(filter-out %/policyctl/main.o,$(SAN_CTL_OBJ))
# What has no receiver behind it: no library of one is needed.
UNIT_FWD_OBJ := $(patsubst %,build/san/user/forward/%.o,options state window wire)
UNIT_BENCH_OBJ := $(BENCH_PURE_SRC:%.c=build/san/%.o)
# What tests stand in for: pins of generations (test_names.c), the probe (test_policy_test.c), and what
# happens during a copy (test_snapshot.c).
UNIT_WRAP := -Wl,--wrap=pol_meta_load,--wrap=pol_prober_ask,--wrap=sendfile
UNIT_ARGS ?=## arguments for the unit test binary: UNIT_ARGS='--filter policy_parse/*'
# Criterion's macros define without declaring, and each test's parameters go unused.
$(UNIT_OBJ): WARN_C := -Wno-unused-parameter
$(UNIT_OBJ): INCLUDES += -Itests/harness -Iuser/policyctl -Iuser/forward -Iselftests -Iselftests/bench -Ivmlinux
$(UNIT_OBJ): | $(if $(BPF_SRC),$(BPF_SKEL))

build/tests:
	$(Q)mkdir -p $@

UNIT_ALL := $(UNIT_OBJ) $(UNIT_CTL_OBJ) $(UNIT_FWD_OBJ) $(UNIT_BENCH_OBJ)

build/tests/unit: $(UNIT_ALL) $(SAN_LIB) $(call stale,build/tests/unit,$(UNIT_ALL)) | build/tests
	$(call say,LINK,$@)$(CC) $(SANITIZE) -o $@ $(UNIT_ALL) $(SAN_LIB) $(UNIT_WRAP) $(UNIT_LDFLAGS) $(PKG_LIBS) -lcriterion -lm
	$(call keep,$(UNIT_ALL))

# Lines for receivers that are programs of their own.
PRINT_OBJ := $(patsubst %.c,build/san/%.o,tests/receivers/print.c tests/harness/samples.c \
	tests/harness/records.c)
build/san/tests/receivers/print.o: INCLUDES += -Itests/harness

build/tests/print: $(PRINT_OBJ) $(SAN_LIB) $(call stale,build/tests/print,$(PRINT_OBJ)) | build/tests
	$(call say,LINK,$@)$(CC) $(SANITIZE) -o $@ $(PRINT_OBJ) $(SAN_LIB) $(PKG_LIBS)
	$(call keep,$(PRINT_OBJ))

SEND_OBJ := build/san/tests/receivers/send.o
build/tests/send: $(SEND_OBJ) $(SAN_LIB) $(call stale,build/tests/send,$(SEND_OBJ)) | build/tests
	$(call say,LINK,$@)$(CC) $(SANITIZE) -o $@ $(SEND_OBJ) $(SAN_LIB) $(PKG_LIBS)
	$(call keep,$(SEND_OBJ))

# policyd's socket with no engine, for policyd-forward.
SERVE_OBJ := $(patsubst %.c,build/san/%.o,tests/receivers/serve.c tests/harness/records.c \
	user/policyd/server.c user/policyd/subscriber.c)
build/san/tests/receivers/serve.o: INCLUDES += -Itests/harness -Iuser/policyd

build/tests/serve: $(SERVE_OBJ) $(SAN_LIB) $(call stale,build/tests/serve,$(SERVE_OBJ)) | build/tests
	$(call say,LINK,$@)$(CC) $(SANITIZE) -o $@ $(SERVE_OBJ) $(SAN_LIB) $(PKG_LIBS)
	$(call keep,$(SERVE_OBJ))

BROKER_OBJ := build/san/tests/receivers/mockbroker.o
build/tests/mockbroker: $(BROKER_OBJ) $(call stale,build/tests/mockbroker,$(BROKER_OBJ)) | build/tests
	$(call say,LINK,$@)$(CC) $(SANITIZE) -o $@ $(BROKER_OBJ) -lrdkafka
	$(call keep,$(BROKER_OBJ))

.PHONY: unit check
unit check: deps ## unit tests on this host, sanitizers on; no root, no BPF
	$(Q)$(if $(UNIT_SRC),$(MAKE) --no-print-directory build/tests/unit,echo 'no unit tests yet')
	$(Q)$(if $(UNIT_SRC),selftests/lib/unit.sh $(UNIT_ARGS))

.PHONY: installed
installed: deps ## the library as it is installed: names, layout, programs built against it
	$(Q)$(MAKE) --no-print-directory all docs
	$(Q)tests/libpolicy/run.sh

build/tests/cost: tests/libpolicy/cost.c build/lib/libpolicy.a user/include/policy/policy.h | build/tests
	$(call say,CC,$@)$(CC) -std=gnu11 $(WARN) $(WARN_C) -O2 -Iuser/include $(filter %.c %.a,$^) -o $@ $(LIBPOLICY_LIBS)

.PHONY: cost
cost: deps ## what opening a guest's path by libpolicy costs beside open(2), on this machine
	$(Q)$(MAKE) --no-print-directory build/tests/cost && build/tests/cost

.PHONY: receivers
receivers: deps ## the formats of events and metrics, as rsyslog, promtool and others read them
	$(Q)$(MAKE) --no-print-directory build/tests/print build/tests/send build/tests/serve \
		build/tests/mockbroker build/san/policyd-forward
	$(Q)tests/receivers/run.sh

-include build/san/tests/receivers/print.d build/san/tests/receivers/send.d build/san/tests/receivers/serve.d $(UNIT_OBJ:.o=.d) $(UNIT_BENCH_OBJ:.o=.d)
