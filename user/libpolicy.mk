# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The library as it is installed, from the objects of build/libpolicy.a: shared, and static as one object. Both have the
# names of user/libpolicy.map and no others: that file is the ABI (tests/libpolicy).

OBJCOPY ?= objcopy
LD := $(if $(filter default undefined,$(origin LD)),ld,$(LD))
LIBPOLICY_VERSION := $(shell sed -n 's/^\#define POL_VERSION "\(.*\)"/\1/p' user/lib/version.h)
LIBPOLICY_SONAME := libpolicy.so.0
LIBPOLICY_MAP := user/libpolicy.map
LIBPOLICY_NAMES = $(shell sed -n 's/^\t\t\(pol_[a-z0-9_]*\);/\1/p' $(LIBPOLICY_MAP))
# What the public functions pull in, and no more.
LIBPOLICY_PKGS := libbpf libelf zlib libcrypto libsystemd
LIBPOLICY_LIBS = $(shell pkg-config --libs $(LIBPOLICY_PKGS) 2>/dev/null) -lstdc++
SHARED := build/lib/libpolicy.so.$(LIBPOLICY_VERSION)

.PHONY: libpolicy
libpolicy: $(SHARED) build/lib/libpolicy.a build/lib/libpolicy.pc

build/lib:
	$(Q)mkdir -p $@

$(SHARED): $(LIB) $(LIBPOLICY_MAP) | build/lib
	$(call say,LINK,$@)$(CC) -shared -Wl,-soname,$(LIBPOLICY_SONAME) -Wl,--version-script=$(LIBPOLICY_MAP) \
		-Wl,-z,defs -Wl,-z,relro,-z,now -Wl,--as-needed -o $@ $(LIBPOLICY_NAMES:%=-Wl,-u,%) $(LIB) $(LDFLAGS) \
		$(LIBPOLICY_LIBS)
	$(Q)ln -sf $(@F) $(@D)/$(LIBPOLICY_SONAME) && ln -sf $(LIBPOLICY_SONAME) $(@D)/libpolicy.so

# One object, since a name that another of ours needs cannot be local in an archive of many.
build/lib/libpolicy.a: $(LIB) $(LIBPOLICY_MAP) | build/lib
	$(call say,AR,$@)$(LD) -r --force-group-allocation -o $(@:.a=.o) $(LIBPOLICY_NAMES:%=-u %) $(LIB) && \
		$(OBJCOPY) $(LIBPOLICY_NAMES:%=--keep-global-symbol=%) $(@:.a=.o) && rm -f $@ && $(AR) rcs $@ $(@:.a=.o)

build/lib/libpolicy.pc: user/libpolicy.pc.in user/lib/version.h | build/lib
	$(call say,GEN,$@)sed 's|@version@|$(LIBPOLICY_VERSION)|; s|@requires@|$(LIBPOLICY_PKGS)|' $< >$@
