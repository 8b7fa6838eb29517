# SPDX-License-Identifier: LGPL-2.1-or-later
#
# user/lib, user/api -> libpolicy.a, user/policyctl -> policyctl, user/policyd -> policyd, user/forward ->
# policyd-forward; each twice: build/obj for use, build/san with ASan and UBSan (unit tests, and SAN=1).
# Two object trees, so that neither rebuilds the other. What is installed of the library (libpolicy.mk)
# is the same objects with the public names alone.

LIB_SRC := $(sort $(wildcard user/lib/*.c user/lib/*.cc user/api/*.c))
CTL_SRC := $(sort $(wildcard user/policyctl/*.c))
D_SRC := $(sort $(wildcard user/policyd/*.c))
FWD_SRC := $(sort $(wildcard user/forward/*.c))
MAN_SRC := $(sort $(wildcard Documentation/man/*.rst))

# Only what a rule needs is asked for, so that `make help` works before `make deps`.
PKGS := libbpf libelf zlib jansson libcrypto libsystemd ncursesw
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# As needed: ncurses is for policyctl alone.
PKG_LIBS = -Wl,--as-needed $(or $(shell pkg-config --libs $(PKGS) 2>/dev/null),-lbpf -lelf -lz -ljansson -lcrypto -lsystemd -lncursesw) \
	-lstdc++

# Of policyd-forward only: what talks to networks is nowhere else.
FWD_PKGS := jansson libcrypto libsystemd libssl rdkafka
FWD_LIBS = $(or $(shell pkg-config --libs $(FWD_PKGS) 2>/dev/null),-ljansson -lcrypto -lsystemd -lssl -lrdkafka)

WARN := -Wall -Wextra -Wvla -Wformat=2 -Wimplicit-fallthrough -Wundef -Wwrite-strings -Werror
WARN_C := -Wshadow -Wstrict-prototypes -Wmissing-prototypes
INCLUDES := -Iuser/lib -Iuser/api -Iuser/include -Ibpf -Ibuild/bpf
CFLAGS ?= -O2 -g
USER_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN) $(WARN_C) $(INCLUDES) $(PKG_CFLAGS) $(CFLAGS)
# toml++ is one big header of templates: its warnings are its own.
USER_CXXFLAGS = -std=c++17 -D_GNU_SOURCE -fno-exceptions -fno-rtti -fno-gnu-unique -DTOML_HEADER_ONLY=1 \
	-DTOML_EXCEPTIONS=0 -Wall -Wextra -Wno-undef -Werror $(INCLUDES) $(CFLAGS)
# Position independent for the shared library, too; nobody interposes what one file of ours calls in itself.
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIC -fno-semantic-interposition
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# user_objects SOURCES, TREE
user_objects = $(patsubst %,build/$(2)/%.o,$(basename $(1)))

LIB_OBJ := $(call user_objects,$(LIB_SRC),obj)
CTL_OBJ := $(call user_objects,$(CTL_SRC),obj)
D_OBJ := $(call user_objects,$(D_SRC),obj)
FWD_OBJ := $(call user_objects,$(FWD_SRC),obj)
SAN_LIB_OBJ := $(call user_objects,$(LIB_SRC),san)
SAN_CTL_OBJ := $(call user_objects,$(CTL_SRC),san)
SAN_D_OBJ := $(call user_objects,$(D_SRC),san)
SAN_FWD_OBJ := $(call user_objects,$(FWD_SRC),san)
LIB := $(if $(LIB_SRC),build/libpolicy.a)
SAN_LIB := $(if $(LIB_SRC),build/san/libpolicy.a)
USER_OBJ := $(LIB_OBJ) $(CTL_OBJ) $(D_OBJ) $(FWD_OBJ) \
	$(SAN_LIB_OBJ) $(SAN_CTL_OBJ) $(SAN_D_OBJ) $(SAN_FWD_OBJ)
PROGRAMS := policyctl policyd policyd-forward

.PHONY: user
user: $(foreach p,$(PROGRAMS),$(if $(filter 1,$(SAN)),build/san/$(p),build/$(p))) libpolicy ## libpolicy, policyctl, policyd, policyd-forward

build/obj/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(HARDEN) $(USER_CFLAGS) -MMD -MP -c $< -o $@

build/obj/%.o: %.cc
	$(call say,CXX,$<)mkdir -p $(@D) && $(CXX) $(HARDEN) $(USER_CXXFLAGS) -MMD -MP -c $< -o $@

build/san/%.o: %.c
	$(call say,CC-SAN,$<)mkdir -p $(@D) && $(CC) $(SANITIZE) $(USER_CFLAGS) -MMD -MP -c $< -o $@

build/san/%.o: %.cc
	$(call say,CXX-SAN,$<)mkdir -p $(@D) && $(CXX) $(SANITIZE) $(USER_CXXFLAGS) -MMD -MP -c $< -o $@

# What flags they are built with is said here. The skeleton is included by some: it has to exist before
# the first dependency file does.
$(USER_OBJ): user/user.mk | $(if $(BPF_SRC),$(BPF_SKEL))

build/libpolicy.a: $(LIB_OBJ) $(call stale,build/libpolicy.a,$(LIB_OBJ))
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)
	$(call keep,$(LIB_OBJ))

build/san/libpolicy.a: $(SAN_LIB_OBJ) $(call stale,build/san/libpolicy.a,$(SAN_LIB_OBJ))
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $(SAN_LIB_OBJ)
	$(call keep,$(SAN_LIB_OBJ))

# program NAME, OBJECTS, OBJECTS-SAN, LIBRARIES
define program
build/$(1): $(2) $(LIB) $(call stale,build/$(1),$(2))
	$$(call say,LINK,$$@)$$(CC) -pie -Wl,-z,relro,-z,now -o $$@ $(2) $(LIB) $$(LDFLAGS) $(4)
	$$(call keep,$(2))

build/san/$(1): $(3) $(SAN_LIB) $(call stale,build/san/$(1),$(3))
	$$(call say,LINK,$$@)$$(CC) $$(SANITIZE) -o $$@ $(3) $(SAN_LIB) $$(LDFLAGS) $(4)
	$$(call keep,$(3))
endef
$(eval $(call program,policyctl,$(CTL_OBJ),$(SAN_CTL_OBJ),$$(PKG_LIBS)))
$(eval $(call program,policyd,$(D_OBJ),$(SAN_D_OBJ),$$(PKG_LIBS)))
$(eval $(call program,policyd-forward,$(FWD_OBJ),$(SAN_FWD_OBJ),$$(FWD_LIBS)))

MAN := $(MAN_SRC:Documentation/man/%.rst=build/man/%)

.PHONY: docs
docs: $(MAN) ## the man pages

build/man/%: Documentation/man/%.rst
	$(call say,MAN,$@)mkdir -p $(@D) && rst2man $< $@

include user/libpolicy.mk

install: all docs ## programs, library, units, man pages, completion to $(DESTDIR)$(PREFIX)
	$(Q)selftests/lib/install.sh "$(DESTDIR)" "$(PREFIX)" "$(LIBDIR)"

-include $(USER_OBJ:.o=.d)
