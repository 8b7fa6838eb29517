# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One non-recursive graph: this file has the variables and the targets for people, each fragment
# (*/*.mk) the lists and rules of its folder. All output goes to build/.

MAKEFLAGS += -rR
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/bash
# bpftool and depmod are in sbin, which is not on an ordinary user's path.
export PATH := $(PATH):/usr/sbin:/sbin

##@ Variables
V ?= 0## V=1 shows the commands
SAN ?= 0## SAN=1 builds policyctl with ASan and UBSan, to build/san
CC := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
CXX := $(if $(filter default undefined,$(origin CXX)),g++,$(CXX))
LD := $(if $(filter default undefined,$(origin LD)),ld,$(LD))
AR := $(if $(filter default undefined,$(origin AR)),ar,$(AR))
CLANG ?= clang
BPFTOOL ?= bpftool
DESTDIR ?=
LIBDIR ?= lib## where libraries go below PREFIX: lib/x86_64-linux-gnu for a Debian package
PREFIX ?= /usr/local## where `make install` puts things (with DESTDIR before it)
KERNEL ?= $(STOCK_KERNEL)## kernel series of a VM run: 6.1, 6.12, 6.18 or 7.2
KERNELS ?= 6.1 6.12 6.18 7.2## what `make matrix` and `make kernels` take
TESTS ?= *## globs of selftests, separated by commas: TESTS=files_test,load*
SKIP ?=## likewise, of selftests that a run leaves out and counts as skipped
SEED ?=## seed of the random tests; without it a new one, printed
CMDLINE ?=## words added to the VM's kernel command line
export POL_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/policyctl## kernel images, apt lists
export SEED CMDLINE V

# Debian's own kernel series: 6.1 on 12, 6.12 on 13 and whatever comes after it.
STOCK_KERNEL := $(shell . /etc/os-release; [ "$${VERSION_ID:-0}" = 12 ] && echo 6.1 || echo 6.12)

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s%s\n' '$(1)' '$(2)';)

# stale TARGET, OBJECTS: FORCE when TARGET was last made of other objects. A source that goes away
# leaves nothing newer behind, so the list is kept beside the target (by `keep`, in its recipe).
differ = $(subst x$(strip $(1)),,x$(strip $(2)))$(subst x$(strip $(2)),,x$(strip $(1)))
stale = $(if $(call differ,$(file <$(1).list),$(2)),FORCE)
keep = $(Q)echo '$(strip $(1))' >$@.list

.PHONY: all FORCE
all:
FORCE:

include bpf/bpf.mk
include user/user.mk
include selftests/bench/bench.mk
include tests/tests.mk
include selftests/selftests.mk

##@ Targets
all: bpf user ## build everything (the default)

.PHONY: deps kernels vmlinux test bench lint format install clean help
deps: ## install by apt what is missing here (root only if something is)
	$(Q).ci/deps.sh

kernels: deps ## fetch what VMs boot to $(POL_CACHE): $(KERNELS), Debian roots; REFRESH=1: newer
	$(Q).ci/kernels.sh $(if $(filter 1,$(REFRESH)),--refresh) $(KERNELS)
	$(Q)for root in software systemd; do .ci/$$root.sh $(if $(filter 1,$(REFRESH)),--refresh) >/dev/null || exit; done

vmlinux: kernels ## compare vmlinux/vmlinux.h with the types of $(KERNELS)
	$(Q)vmlinux/check.sh $(KERNELS)

test: ## unit tests, the installed library, receivers, then the selftests in a VM on the distribution's stock kernel
	$(Q)selftests/lib/sum.sh "unit=$(MAKE) --no-print-directory unit" \
		"libpolicy=$(MAKE) --no-print-directory installed" \
		"receivers=$(MAKE) --no-print-directory receivers" \
		"selftests $(KERNEL)=$(MAKE) --no-print-directory selftests"

bench: deps ## instructions per open, fork, ...: engine, Landlock, none (KERNEL=, here 6.12)
	$(Q)$(MAKE) --no-print-directory bench-bins && .ci/kernels.sh $(BENCH_KERNEL) >/dev/null
	$(Q)selftests/bench/bench.sh $(BENCH_KERNEL)

lint: deps ## shellcheck, SPDX lines, clang-format (its findings are only shown)
	$(Q)selftests/lib/lint.sh

format: ## reformat C sources by .clang-format
	$(Q)find bpf user tests selftests -name '*.[ch]' | xargs -r clang-format -i

clean: ## remove build/ (the cache of kernel images stays)
	$(Q)rm -rf build

help: ## this text
	$(Q)selftests/lib/help.sh $(MAKEFILE_LIST)
