# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bpf/*.bpf.c -> build/bpf/*.bpf.o -> one object (bpftool gen object) -> one skeleton.

BPF_SRC := $(sort $(wildcard bpf/*.bpf.c))
BPF_OBJ := $(BPF_SRC:%.bpf.c=build/%.bpf.o)
BPF_SKEL := build/bpf/policy_bpf.skel.h
BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
# Every BPF_PROG() has a ctx that it seldom uses, and hooks have parameters that we do not need.
BPF_CFLAGS := -g -O2 -Wall -Wextra -Wno-unused-parameter -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) \
	-Ivmlinux -Ibpf -Ibuild/bpf

.PHONY: bpf
bpf: $(if $(BPF_SRC),$(BPF_SKEL)) ## the BPF programs: one object and its skeleton

build/bpf:
	$(Q)mkdir -p $@

$(BPF_OBJ): build/%.bpf.o: %.bpf.c | build/bpf
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) $(BPF_EXTRA) -MMD -MP -c $< -o $@

build/bpf/policy.bpf.o: $(BPF_OBJ) $(call stale,build/bpf/policy.bpf.o,$(BPF_OBJ))
	$(call say,LINK,$@)$(BPFTOOL) gen object $@ $(BPF_OBJ)
	$(call keep,$(BPF_OBJ))

$(BPF_SKEL): build/bpf/policy.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name policy_bpf >$@

-include $(BPF_OBJ:.o=.d)
