# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Selftests: the test binaries, the payloads they run as guests, the VM's PID 1; and the targets
# that boot a VM. selftests/lib/*.c is linked to every test binary.

SELF_SRC := $(sort $(wildcard selftests/*_test.c))
SELF_LIB_SRC := $(sort $(wildcard selftests/lib/*.c))
GUEST_SRC := $(sort $(wildcard selftests/guests/*.c))
SELF_BIN := $(filter-out build/selftests/libpolicy%,$(SELF_SRC:%.c=build/%))
SELF_LIB_OBJ := $(SELF_LIB_SRC:%.c=build/%.o)
GUEST_BIN := $(GUEST_SRC:%.c=build/%)
BOOT_BIN := build/selftests/boot.bin
# Those that see of the library what a user's program does: the tree that `make install` makes.
INSTALLED := build/selftests/installed
INSTALLED_TEST := $(filter build/selftests/libpolicy%,$(SELF_SRC:%.c=build/%))
INSTALLED_BIN := $(INSTALLED_TEST) build/selftests/vmm
SELF_CFLAGS = $(USER_CFLAGS) -Iselftests -Iselftests/lib

# Kernel modules that tests may modprobe or mount, with all they depend on; the last four are what
# btrfs asks the crypto API for. A name that a kernel has built in, or not at all, is passed over.
VM_MODULES ?= overlay loop isofs xfs btrfs fuse virtio_blk virtio_pci vfat nls_ascii erofs squashfs \
	veth crc32c-cryptoapi crc32c_generic xxhash_generic blake2b_generic
VM_TIMEOUT ?= 4500## seconds, on the host, after which a VM run is killed and has failed
export VM_MODULES VM_TIMEOUT

.PHONY: selftest-bins vm-modules
vm-modules:
	@echo $(VM_MODULES)

selftest-bins: bpf user build/selftests/init $(BOOT_BIN) $(SELF_BIN) $(GUEST_BIN) $(INSTALLED_BIN) ## the selftest binaries
	@:

build/selftests build/selftests/guests build/selftests/lib:
	$(Q)mkdir -p $@

build/selftests/init: selftests/init.c | build/selftests
	$(call say,CC,$<)$(CC) $(USER_CFLAGS) -static -MMD -MP $< -o $@

# A disk's first sector, for a virtual machine within the VM.
$(BOOT_BIN): selftests/software/boot.S | build/selftests
	$(call say,AS,$<)$(CC) -m16 -c $< -o $(@:.bin=.o) && \
		$(LD) -m elf_i386 -Ttext 0x7c00 -e start --oformat binary $(@:.bin=.o) -o $@

$(SELF_LIB_OBJ): build/%.o: %.c | build/selftests/lib $(if $(BPF_SRC),$(BPF_SKEL))
	$(call say,CC,$<)$(CC) $(SELF_CFLAGS) -MMD -MP -c $< -o $@

$(SELF_BIN): build/%: %.c $(SELF_LIB_OBJ) $(LIB) | build/selftests $(if $(BPF_SRC),$(BPF_SKEL))
	$(call say,CC,$<)$(CC) $(SELF_CFLAGS) -MMD -MP $(filter-out %.h,$^) -o $@ -Wl,--as-needed -pthread $(PKG_LIBS)

# The receiver that it sends to.
build/selftests/forward_test: PKGS += libssl
$(INSTALLED)/stamp: $(SHARED) build/lib/libpolicy.a build/lib/libpolicy.pc $(PROGRAMS:%=build/%) \
		user/include/policy/policy.h selftests/lib/install.sh | build/selftests
	$(Q)rm -rf $(@D) && selftests/lib/install.sh $(@D) /usr && touch $@

installed_pc = $(shell PKG_CONFIG_PATH=$(INSTALLED)/usr/lib/pkgconfig pkg-config \
	--define-variable=prefix=$(INSTALLED)/usr $(1) libpolicy)

$(INSTALLED_TEST): build/%: %.c $(SELF_LIB_OBJ) $(INSTALLED)/stamp
	$(call say,CC,$<)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -Iselftests -Iselftests/lib \
		$(call installed_pc,--cflags) -MMD -MP $(filter %.c %.o,$^) -o $@ -pthread $(call installed_pc,--libs) -ljansson -lbpf

build/selftests/vmm: Documentation/examples/vmm.c $(INSTALLED)/stamp
	$(call say,CC,$<)$(CC) -std=gnu11 $(WARN) $(CFLAGS) $(call installed_pc,--cflags) -MMD -MP $< -o $@ \
		-pthread $(call installed_pc,--libs)

# Payloads know nothing of the engine: no include path, no library of ours.
$(GUEST_BIN): build/%: %.c | build/selftests/guests
	$(call say,CC,$<)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -MMD -MP $< -o $@ $(if $(filter %_static,$@),-static) -pthread

##@ Targets in a VM
.PHONY: selftests matrix soak vm run
selftests: deps ## the selftests on KERNEL=, chosen by TESTS=
	$(Q)$(MAKE) --no-print-directory selftest-bins && .ci/kernels.sh $(KERNEL) >/dev/null
	$(Q)selftests/run.sh --kernel $(KERNEL) --tests '$(TESTS)' --skip '$(SKIP)'

matrix: deps ## the selftests on each of KERNELS=
	$(Q)$(MAKE) --no-print-directory selftest-bins && .ci/kernels.sh $(KERNELS) >/dev/null
	$(Q)selftests/lib/sum.sh $(foreach k,$(KERNELS),"selftests $k=selftests/run.sh --kernel $k --tests '$(TESTS)'")

soak: deps ## the selftests on KERNEL= with the full counts (hours)
	$(Q)$(MAKE) --no-print-directory selftest-bins && .ci/kernels.sh $(KERNEL) >/dev/null
	$(Q)VM_TIMEOUT=28800 selftests/run.sh --kernel $(KERNEL) --tests '$(TESTS)' --count soak

vm: deps ## a shell in the VM on KERNEL=, the build in it; exit powers off, ctrl-a x kills
	$(Q)$(MAKE) --no-print-directory selftest-bins && .ci/kernels.sh $(KERNEL) >/dev/null
	$(Q)selftests/run.sh --kernel $(KERNEL) --mode shell

run: deps ## the main job on real input: policies/demo.toml, a guest, its events
	$(Q)$(MAKE) --no-print-directory selftest-bins
	$(Q)selftests/run-demo.sh $(KERNEL)

-include $(SELF_BIN:=.d) $(INSTALLED_BIN:=.d) $(SELF_LIB_OBJ:.o=.d) $(GUEST_BIN:=.d) build/selftests/init.d
