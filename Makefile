# Triglot. GNU make, one file. Nothing is written outside build/ and vendor/build/.
#
#   make                build triglot                      -> build/release/triglot
#   make run            deps, build, and start the daemon in the foreground without configuration
#   make check          deps, build, all guards and all tests; ends with `N passed, N failed, N skipped`
#   make deps           install what building needs (Debian packages, vendor/); no question asked
#   make deps-check     the same for what checking needs too
#   make config         print what was found on this machine and what will be used
#   make bench-tool     build the load generator      -> build/release/triglot-bench
#   make install        PREFIX=/usr/local DESTDIR=    binaries and manual pages
#   make uninstall      remove them again
#   make clean          remove build/ (vendor/build/ stays; `make distclean` removes both)
#
#   make unit           unit and simulation tests of all layers
#   make unit-LAYER     those of one layer, building only it and the layers it may see
#   make asan tsan      the unit and simulation tests with sanitizers
#   make e2e            the end-to-end tests (tests/e2e/run)
#   make bench          beside nginx, in ten minutes: tools/bench/run tells of BENCH_ONLY, BENCH_REPS and the rest
#   make bench-long     six minutes of mixed load, and as many open streams as 20,000
#   make soak           SOAK_SECONDS=900   mixed load with faults against a sanitized daemon (tests/soak/run), not part of check
#   make check-real     through a real model server (tests/e2e/check-real), not part of check
#   make check-agents   AGENTS='codex claude'   real agents through it (tests/e2e/agents/run), not part of check
#   make fuzz           FUZZ=target T=seconds              run one fuzz target (clang)
#   make fuzz-replay    run every fuzz target over its committed corpus and its regressions
#   make cov            unit tests with coverage, summary in build/cov/summary.txt
#   make tidy           guards: format, layers, headers, banned functions, style, clang-tidy
#   make format         apply .clang-format
#   make man-lint       lint man/
#
# Variables
#   VARIANT=release     release | debug | asan | tsan | cov | fuzz; objects live in build/VARIANT
#   V=1                 show the commands
#   WERROR=1            warnings are errors (CI)
#   CC CFLAGS CPPFLAGS LDFLAGS LDLIBS DESTDIR PREFIX SBINDIR BINDIR MANDIR   the packager's; appended to ours
#   BEARSSL_CFLAGS BEARSSL_LIBS URING_CFLAGS URING_LIBS LLHTTP_CFLAGS LLHTTP_LIBS   override a search
#   TESTS=pattern       with unit or unit-LAYER: only programs whose path contains the pattern

VERSION := 0.1.0

VARIANT ?= release
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
B       := build/$(VARIANT)
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all run check deps deps-check config install uninstall clean distclean help force \
        unit asan tsan e2e bench bench-long soak soak-run check-real check-agents fuzz fuzz-replay fuzz-build cov tidy format man-lint \
        tests objects bench-tool
all: $(B)/triglot $(B)/triglot-bench cross
bench-tool: $(B)/triglot-bench

# --- variants -------------------------------------------------------------------------------------

OPT_release := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
               -fstack-clash-protection
OPT_debug   := -O1 -g3 -fno-omit-frame-pointer -fstack-protector-strong -DCO_PAINT
OPT_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
               -fno-sanitize-recover=all -Wno-frame-larger-than
OPT_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -Wno-frame-larger-than
OPT_cov     := -O0 -g --coverage -Wno-frame-larger-than
OPT_fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
               -fno-sanitize-recover=all -Wno-frame-larger-than
OPT         := $(or $(OPT_$(VARIANT)),$(error unknown VARIANT=$(VARIANT)))

LDOPT_release := -Wl,-z,relro,-z,now,-z,noexecstack
LDOPT_asan    := -fsanitize=address,undefined
LDOPT_tsan    := -fsanitize=thread
LDOPT_cov     := --coverage
LDOPT_fuzz    := -fsanitize=address,undefined
LDOPT         := $(LDOPT_$(VARIANT))

# make's built-in default is no choice of anybody's; the fuzz engine is clang's.
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(VARIANT)),clang,cc)
endif
ifeq ($(origin AR),default)
AR := ar
endif
ARCH := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough $(if $(WERROR),-Werror)
# A frame is a piece of a 64 KiB stack; sanitizers and -O0 inflate them, so their OPT_ lifts this.
FRAME := -Wframe-larger-than=4096

# --- libraries ------------------------------------------------------------------------------------

pkg_has  = $(shell pkg-config --exists '$(1)' 2>/dev/null && echo y)
pkg_c    = $(shell pkg-config --cflags $(1) 2>/dev/null)
pkg_l    = $(shell pkg-config --libs $(1) 2>/dev/null)

# The two that Debian 12 does not have, or has too old: the system's when new enough, else ours.
ifneq ($(call pkg_has,liburing >= 2.5),)
URING_FROM   := system
URING_CFLAGS ?= $(call pkg_c,liburing)
URING_LIBS   ?= $(call pkg_l,liburing)
else
URING_FROM   := vendor/build
URING_CFLAGS ?= -isystem vendor/build/include
URING_LIBS   ?= vendor/build/lib/liburing.a
endif
ifneq ($(call pkg_has,libllhttp >= 9.2),)
LLHTTP_FROM   := system
LLHTTP_CFLAGS ?= $(call pkg_c,libllhttp)
LLHTTP_LIBS   ?= $(call pkg_l,libllhttp)
else
LLHTTP_FROM   := vendor/build
LLHTTP_CFLAGS ?= -isystem vendor/build/include
LLHTTP_LIBS   ?= vendor/build/lib/libllhttp.a
endif

# BearSSL ships no .pc file.
BEARSSL_CFLAGS ?=
BEARSSL_LIBS   ?= -lbearssl

PKGS     := libcjson yaml-0.1 zlib libzstd libbrotlidec
PKG_C    := $(call pkg_c,$(PKGS))
PKG_L    := $(call pkg_l,$(PKGS))
CMOCKA_C := $(call pkg_c,cmocka)
CMOCKA_L := $(or $(call pkg_l,cmocka),-lcmocka)

CPPFLAGS_ALL := -D_GNU_SOURCE -DTRIGLOT_VERSION='"$(VERSION)"' -Iinclude -Isrc -Itools -I$(B)/gen \
                $(URING_CFLAGS) $(LLHTTP_CFLAGS) $(BEARSSL_CFLAGS) $(PKG_C) $(CPPFLAGS)
CFLAGS_ALL   := -std=gnu11 -fPIE -pthread $(WARN) $(FRAME) $(OPT) $(CFLAGS)
LDFLAGS_ALL  := -pie -pthread -Wl,--as-needed $(LDOPT) $(LDFLAGS)
LIBS_ALL     := $(URING_LIBS) $(LLHTTP_LIBS) $(BEARSSL_LIBS) $(PKG_L) -lm $(LDLIBS)

vendor/build/lib/%.a:
	@echo 'no $@ and no new enough system library: run `make deps` first' >&2; exit 1

VENDOR_LIBS := $(sort $(filter vendor/build/%,$(URING_LIBS) $(LLHTTP_LIBS)))

# --- layers: one archive each, by wildcard --------------------------------------------------------

# `base json ...`, and SEES_<layer>, from the one table that check-layers reads too.
LAYERS := $(shell sed -n 's/^\([a-z]*\):.*/\1/p' tools/layers.tab)
$(foreach l,$(LAYERS),$(eval SEES_$(l) := $(shell sed -n 's/^$(l): *//p' tools/layers.tab)))
LAYERS := $(filter-out main,$(LAYERS))

src_of  = $(wildcard src/$(1)/*.c src/$(1)/*/*.c $(if $(filter bench,$(1)),tools/bench/*.c)) $(if $(filter co,$(1)),$(wildcard src/co/switch_$(ARCH).S))
obj_of  = $(patsubst %,$(B)/%.o,$(basename $(1)))
HAVE   := $(foreach l,$(LAYERS),$(if $(strip $(call src_of,$(l))),$(l)))
DAEMON := $(filter-out bench,$(HAVE))
lib_of  = $(patsubst %,$(B)/lib/%.a,$(filter $(HAVE),$(1) $(SEES_$(1))))

# Test helpers are an archive too: a program takes from it only what it names.
RING_SIM_C  := $(wildcard tests/support/ring_sim*.c)
SUPPORT_OBJ := $(call obj_of,$(filter-out $(RING_SIM_C),$(wildcard tests/support/*.c)))
SUPPORT     := $(if $(SUPPORT_OBJ),$(B)/lib/support.a)
RING_SIM    := $(call obj_of,$(RING_SIM_C))

test_src = $(basename $(wildcard tests/$(1)/$(2)/*_test.c tests/$(1)/$(2)/*/*_test.c))
test_bin = $(foreach p,$(call test_src,$(1),$(2)),$(if $(or $(if $(TESTS),,y),$(findstring $(TESTS),$(p))),$(B)/$(p)))

# An archive is made anew also when a source went away: its list of objects is kept beside it.
ifeq ($(filter help clean distclean config deps deps-check,$(MAKECMDGOALS)),)
$(shell mkdir -p $(B)/lib)
keep_list = $(if $(subst x$(strip $(2)),,x$(strip $(file < $(1)))),$(file > $(1),$(strip $(2))))
endif

# What the gate's simulations put in the place of libc's and the runtime's own functions: descriptors
# of the simulated network, and faults (tests/support/gate_*.c).
WRAP_gate := close shutdown setsockopt getsockopt socket aligned_alloc calloc realloc free \
             buf_append buf_putc buf_reserve co_stack_get co_offload co_park co_yield co_run access_log

# The simulated ring stands before the archives, so that co.a's ring.o is never pulled.
define LAYER
$(call keep_list,$(B)/lib/$(1).list,$(call obj_of,$(call src_of,$(1))))
$(B)/lib/$(1).a: $(call obj_of,$(call src_of,$(1))) $(B)/lib/$(1).list
UNIT_$(1) := $(call test_bin,unit,$(1))
SIM_$(1)  := $(call test_bin,sim,$(1))
$$(UNIT_$(1)) $$(SIM_$(1)): $(B)/%: $(B)/%.o $(SUPPORT) $(call lib_of,$(1)) $(VENDOR_LIBS)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(OPT) $$(LDFLAGS_ALL) $$(WRAPS) -o $$@ $$< $$(filter $(RING_SIM),$$^) -Wl,--start-group \
	    $$(filter $(B)/lib/%.a,$$^) -Wl,--end-group $$(CMOCKA_L) $$(LIBS_ALL)
$$(SIM_$(1)): $(RING_SIM)
$$(SIM_$(1)): WRAPS := $(WRAP_$(1):%=-Wl,--wrap=%)
.PHONY: unit-$(1) tests-$(1)
tests-$(1): $$(UNIT_$(1)) $$(SIM_$(1))
unit-$(1): $$(UNIT_$(1)) $$(SIM_$(1))
	$$(Q)JOBS=$$(JOBS) tools/run-tests $$(if $$(TALLY),--tally $$(TALLY)) $$(MODE) $$(UNIT_$(1)) $$(SIM_$(1))
endef
# How run-tests counts: by cmocka case, or (MODE=program) by program.
MODE := cmocka
$(foreach l,$(LAYERS),$(eval $(call LAYER,$(l))))

TEST_BINS := $(foreach l,$(LAYERS),$(UNIT_$(l)) $(SIM_$(l)))

unit: $(TEST_BINS)
	$(Q)JOBS=$(JOBS) tools/run-tests $(if $(TALLY),--tally $(TALLY)) $(MODE) $(TEST_BINS)

# --- objects --------------------------------------------------------------------------------------

GEN := $(B)/gen/dialects.inc $(B)/gen/stores.inc $(B)/gen/vectors.inc

$(B)/triglot: $(B)/src/main.o $(DAEMON:%=$(B)/lib/%.a) $(VENDOR_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(DAEMON:%=$(B)/lib/%.a) \
	    -Wl,--end-group $(LIBS_ALL)

$(B)/triglot-bench: $(B)/tools/bench/main.o $(call lib_of,bench) $(VENDOR_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(call lib_of,bench) \
	    -Wl,--end-group $(LIBS_ALL)

$(B)/lib/%.a:
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@.$$$$ && $(AR) rcs $@.$$$$ $(filter %.o,$^) && mv $@.$$$$ $@

$(B)/lib/support.a: $(SUPPORT_OBJ)

# cmocka.h leaves to its user the headers it needs.
CMOCKA_PRE := -include stdarg.h -include stddef.h -include setjmp.h -include stdint.h
$(B)/tests/%.o: tests/%.c $(B)/flags | $(GEN)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests $(CMOCKA_C) $(CMOCKA_PRE) -MMD -MP $(CFLAGS_ALL) -Wno-frame-larger-than -c -o $@ $<

$(B)/%.o: %.c $(B)/flags | $(GEN)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -MMD -MP $(CFLAGS_ALL) -c -o $@ $<

$(B)/%.o: %.S $(B)/flags
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -MMD -MP $(OPT) -c -o $@ $<

objects: $(call obj_of,$(foreach l,$(HAVE),$(call src_of,$(l))) $(wildcard src/main.c))
tests: $(TEST_BINS)

# Everything is rebuilt when the compiler or a flag changes; written only when it differs.
FLAGS := $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(B)/flags: force | $(VENDOR_LIBS)
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS))' > $@

# A folder is a dialect, a store or a vector back end: one X(name) line each.
folders = $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard src/$(1)/*/*.c)))))
$(B)/gen/dialects.inc: LIST = $(call folders,dialect)
$(B)/gen/stores.inc:   LIST = $(call folders,store)
$(B)/gen/vectors.inc:  LIST = $(call folders,vector)
$(GEN): force
	@mkdir -p $(@D)
	@{ echo '/* Generated by the Makefile from the folder list. */'; for n in $(LIST); do echo "X($$n)"; done; } > $@.$$$$; \
	 if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

-include $(patsubst %.o,%.d,$(call obj_of,$(foreach l,$(HAVE),$(call src_of,$(l))) $(wildcard src/main.c)) \
           $(SUPPORT_OBJ) $(RING_SIM) $(TEST_BINS:%=%.o))

# The context switch of the other architecture, assembled wherever something here can.
CROSS_S  := $(filter-out src/co/switch_$(ARCH).S,$(wildcard src/co/switch_aarch64.S))
CROSS_CC := $(if $(CROSS_S),$(shell command -v aarch64-linux-gnu-gcc || \
              { command -v clang >/dev/null && echo clang --target=aarch64-linux-gnu; }))
.PHONY: cross
cross: $(if $(CROSS_CC),$(CROSS_S:%.S=$(B)/aarch64/%.o))
$(B)/aarch64/%.o: %.S
	$(call say,AS,$< for aarch64)
	$(Q)mkdir -p $(@D) && $(CROSS_CC) -Iinclude -Isrc -Wall -c -o $@ $<

# --- running, checking ----------------------------------------------------------------------------

JOBS  ?= $(shell nproc 2>/dev/null || echo 1)
again := $(MAKE) --no-print-directory

deps:
	@tools/deps build
deps-check:
	@tools/deps build check

# Two steps, because what deps installs is looked for when make starts.
run: deps
	@$(again) -j$(JOBS) VARIANT=$(VARIANT) $(B)/triglot
	@exec $(B)/triglot $(ARGS)

# tools/check says what runs in which variant, and prints the closing line.
check: deps-check
	@MAKE='$(MAKE)' JOBS='$(JOBS)' tools/check

asan tsan:
	@$(again) -j$(JOBS) VARIANT=$@ tests
	@$(again) VARIANT=$@ unit

e2e: $(B)/triglot $(B)/triglot-bench
	$(Q)if [ -x tests/e2e/run ]; then TRIGLOT=$(abspath $(B)/triglot) tests/e2e/run; \
	    else echo 'no tests/e2e/run'; fi
soak:
	@$(again) -j$(JOBS) VARIANT=asan soak-run
soak-run: $(B)/triglot
	$(Q)TRIGLOT=$(abspath $(B)/triglot) tests/soak/run
check-real: $(B)/triglot
	$(Q)if [ -x tests/e2e/check-real ]; then TRIGLOT=$(abspath $(B)/triglot) tests/e2e/check-real; \
	    else echo 'no tests/e2e/check-real'; fi
check-agents: $(B)/triglot
	$(Q)TRIGLOT=$(abspath $(B)/triglot) tests/e2e/agents/run $(AGENTS) || [ $$? = 77 ]

# Two steps, as with run.
bench bench-long:
	@tools/deps build bench
	@$(again) -j$(JOBS) VARIANT=$(VARIANT) $(B)/triglot bench-tool
	@TRIGLOT=$(B)/triglot TRIGLOT_BENCH=$(B)/triglot-bench tools/bench/run $(if $(filter bench-long,$@),long)

# --- fuzzing --------------------------------------------------------------------------------------

# tests/fuzz/NAME.c has LLVMFuzzerTestOneInput. VARIANT=fuzz links it with clang's engine; every
# other variant links it with tests/fuzz/replay.c, which runs the files it is given.
FUZZ_SRC := $(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
REPLAY   := $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/replay.o)
$(FUZZ_BIN): $(B)/fuzz/%: $(B)/tests/fuzz/%.o $(REPLAY) $(SUPPORT) $(DAEMON:%=$(B)/lib/%.a) $(VENDOR_LIBS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) $(if $(REPLAY),,-fsanitize=fuzzer) -o $@ $< $(REPLAY) \
	    -Wl,--start-group $(filter $(B)/lib/%.a,$^) -Wl,--end-group $(LIBS_ALL)
fuzz-build: $(FUZZ_BIN)

T ?= 60
fuzz:
	@[ -n '$(FUZZ)' ] || { echo 'make fuzz FUZZ=target T=seconds; targets: $(notdir $(FUZZ_BIN))'; exit 2; }
	@$(again) -j$(JOBS) VARIANT=fuzz build/fuzz/fuzz/$(FUZZ)
	@mkdir -p build/fuzz/corpus/$(FUZZ) build/fuzz/found
	build/fuzz/fuzz/$(FUZZ) -max_total_time=$(T) -artifact_prefix=build/fuzz/found/$(FUZZ)- \
	    build/fuzz/corpus/$(FUZZ) $(wildcard tests/fuzz/corpus/$(FUZZ) tests/fuzz/regress/$(FUZZ))

fuzz-replay: $(FUZZ_BIN)
	$(Q)JOBS=$(JOBS) tools/run-tests $(if $(TALLY),--tally $(TALLY)) replay $(FUZZ_BIN)

cov:
	@rm -rf build/cov
	@$(again) -j$(JOBS) VARIANT=cov tests
	@$(again) VARIANT=cov unit; tools/coverage build/cov > build/cov/summary.txt
	@tail -n 1 build/cov/summary.txt

# --- guards ---------------------------------------------------------------------------------------

C_FILES := $(wildcard include/triglot/*.h src/*.[ch] src/*/*.[ch] src/*/*/*.[ch] \
             tools/bench/*.[ch] tests/*/*.[ch] \
             tests/*/*/*.[ch] tests/*/*/*/*.[ch])

format:
	$(Q)clang-format -i $(C_FILES)

tidy:
	$(Q)$(again) -j1 VARIANT=$(VARIANT) check-layers check-banned check-style check-headers check-format
	$(Q)$(again) -k -j$(JOBS) VARIANT=$(VARIANT) clang-tidy

.PHONY: check-layers check-banned check-style check-headers check-format clang-tidy
check-layers check-banned check-style:
	$(Q)tools/$@
check-headers: | $(GEN)
	$(Q)tools/check-headers $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -Werror
check-format:
	$(Q)tools/check-format || [ $$? = 77 ]

# One stamp a file, behind its object: it is checked again when it or a header of its changes.
TIDY_SRC := $(wildcard src/*.c src/*/*.c src/*/*/*.c tools/bench/*.c)
TIDY_OK  := $(TIDY_SRC:%.c=$(B)/tidy/%.ok)
clang-tidy: $(TIDY_OK)
$(TIDY_OK): $(B)/tidy/%.ok: %.c $(B)/%.o .clang-tidy tools/analyzer.h
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)tools/clang-tidy $< -- $(CPPFLAGS_ALL) -std=gnu11 $(filter-out -Werror,$(WARN)) \
	    $(if $(filter src/base/err.c,$<),,-include tools/analyzer.h)
	@touch $@

MAN := $(wildcard man/*.[1-9])
man-lint:
	$(Q)tools/man-lint || [ $$? = 77 ]

# --- installing -----------------------------------------------------------------------------------

man_to = $(DESTDIR)$(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))
install: all
	install -d $(DESTDIR)$(SBINDIR)
	install -m 755 $(B)/triglot $(DESTDIR)$(SBINDIR)/triglot
	install -d $(DESTDIR)$(BINDIR)
	install -m 755 $(B)/triglot-bench $(DESTDIR)$(BINDIR)/triglot-bench
	$(foreach m,$(MAN),install -d $(dir $(call man_to,$(m))) && install -m 644 $(m) $(call man_to,$(m)) &&) :

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/triglot $(DESTDIR)$(BINDIR)/triglot-bench \
	    $(foreach m,$(MAN),$(call man_to,$(m)))

clean:
	rm -rf build
distclean: clean
	rm -rf vendor/build

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

yesno = $(if $(1),$(1),not found)
ver   = $(call yesno,$(shell pkg-config --modversion $(1) 2>/dev/null))
config:
	@echo 'version    $(VERSION)'
	@echo 'variant    $(VARIANT) in $(B)'
	@echo 'compiler   $(CC) $(shell $(CC) -dumpversion 2>/dev/null), $(ARCH)'
	@echo 'liburing   $(URING_FROM) (system: $(call ver,liburing)): $(URING_CFLAGS) $(URING_LIBS)'
	@echo 'llhttp     $(LLHTTP_FROM) (system: $(call ver,libllhttp)): $(LLHTTP_CFLAGS) $(LLHTTP_LIBS)'
	@echo 'bearssl    $(BEARSSL_CFLAGS) $(BEARSSL_LIBS) (header: $(call yesno,$(shell echo '#include <bearssl.h>' | $(CC) $(BEARSSL_CFLAGS) -fsyntax-only -x c - 2>/dev/null && echo found)))'
	@echo 'cjson      $(call ver,libcjson)'
	@echo 'libyaml    $(call ver,yaml-0.1)'
	@echo 'zlib       $(call ver,zlib)'
	@echo 'zstd       $(call ver,libzstd)'
	@echo 'brotli     $(call ver,libbrotlidec)'
	@echo 'cmocka     $(call ver,cmocka) (tests only)'
	@echo 'aarch64    $(if $(CROSS_CC),switch assembled by $(CROSS_CC),$(if $(CROSS_S),no cross assembler here: switch_aarch64.S is not assembled,nothing to cross-assemble))'
	@echo 'layers     $(HAVE)'
	@echo 'dialects   $(call folders,dialect)'
	@echo 'CPPFLAGS   $(CPPFLAGS_ALL)'
	@echo 'CFLAGS     $(CFLAGS_ALL)'
	@echo 'LDFLAGS    $(LDFLAGS_ALL)'
	@echo 'LIBS       $(LIBS_ALL)'
