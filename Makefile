# SPDX-License-Identifier: MIT
# execguard.  `make demo` shows it, `make check` tests it; see HACKING.md.

# `CC ?=` would keep make's own default, cc.
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build
# One name for the folder: in what the compiler writes of headers, an object by another
# name is another object.
override BUILD := $(patsubst $(CURDIR)/%,%,$(BUILD))
PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
MANDIR ?= $(PREFIX)/share/man
LOGDIR ?= /var/log/execguard
DOCDIR ?= $(PREFIX)/share/doc/execguard
JOBS ?= $(shell nproc)
# `make V=1` shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-4s %s\n' $(1) '$(2)')
VERSION := 0.1.0

# Folders by world (HACKING.md): freestanding code runs inside other people's
# processes, hosted code is the command's.
FREE_DIRS := base blob line content decide resolve event web guard
HOST_DIRS := policy compile supervisor upload api

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wwrite-strings -Wvla -Wundef
CPPFLAGS_ALL := -Ilib -Iinclude -D_GNU_SOURCE -DEG_VERSION='"$(VERSION)"' \
        -DEG_PREFIX='"$(PREFIX)"' -DEG_SYSCONFDIR='"$(SYSCONFDIR)"' $(CPPFLAGS)
OPT ?= -O2 -g
# gcc turns loops into calls of memcpy and memset, inside these functions too.
NO_MEM_LOOPS := $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)
CFLAGS_FREE := -std=gnu17 $(OPT) $(WARN) -ffreestanding -fPIC -fvisibility=hidden \
        -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing \
        $(NO_MEM_LOOPS) $(SANITIZE) $(CFLAGS)
CFLAGS_HOST := -std=gnu17 $(OPT) $(WARN) -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
        $(SANITIZE) $(CFLAGS)
ifneq ($(SANITIZE),)
CFLAGS_HOST := $(filter-out -D_FORTIFY_SOURCE=2,$(CFLAGS_HOST))
endif
LDFLAGS_ALL := -Wl,-z,relro,-z,now,-z,noexecstack $(SANITIZE) $(LDFLAGS)

# `FRONT=none` builds one program, as do compilers that musl's wrapper does not
# know: the command starts slower, and does the same.  tools/deps brings musl-gcc.
HAVE_MUSL := $(or $(filter-out skip,$(or $(DEPS),install)),$(shell command -v musl-gcc))
FRONT ?= $(if $(filter-out gcc,$(CC))$(SANITIZE),none,$(if $(HAVE_MUSL),musl,none))
WHOLE := $(BUILD)/execguard$(if $(filter musl,$(FRONT)),-full)

FREE_SRC := $(wildcard $(FREE_DIRS:%=lib/%/*.c))
HOST_SRC := $(wildcard $(HOST_DIRS:%=lib/%/*.c))
SHIM_SRC := $(wildcard lib/shim/*.c)
SHIM_ASM := $(wildcard lib/shim/*.S)
CLI_SRC := $(wildcard cli/*.c)
FRONT_OWN := $(wildcard cli/front/*.c)
# What happens once a request: no compiler, and no library but libc.
FRONT_SRC := $(FRONT_OWN) $(patsubst %,cli/%.c,load options preload renew say verb_exec verb_run worker) \
    $(patsubst %,lib/compile/%.c,blob_file cache cache_prune files program requirements) \
    $(patsubst %,lib/policy/%.c,arena diagnose owner render source suggest) \
    $(patsubst %,lib/upload/%.c,quarantine) \
    $(filter-out %/export.c %/oci.c lib/supervisor/agent%,$(wildcard lib/supervisor/*.c))
TABLES := $(wildcard lib/table/*.def)

FREE_OBJ := $(FREE_SRC:%.c=$(BUILD)/obj/%.o)
HOST_OBJ := $(HOST_SRC:%.c=$(BUILD)/obj/%.o)
SHIM_OBJ := $(SHIM_SRC:%.c=$(BUILD)/obj/%.o) $(SHIM_ASM:%.S=$(BUILD)/obj/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/obj/%.o)
FRONT_OBJ := $(FRONT_SRC:%.c=$(BUILD)/front/%.o)

.PHONY: all
all: $(BUILD)/execguard $(WHOLE) $(BUILD)/libexecguard-preload.so $(BUILD)/execguard-line \
    $(BUILD)/libexecguard.so

# Objects are rebuilt when the compiler or its flags change (PREFIX is in them).
# Expanded here: what one target adds to its flags would else be taken for a change.
ALL_FLAGS := $(CC) $(FRONT) $(CPPFLAGS_ALL) $(CFLAGS_FREE) $(CFLAGS_HOST) $(LDFLAGS_ALL)
$(BUILD)/.flags: export FLAGS_NOW = $(ALL_FLAGS)
$(BUILD)/.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS_NOW" | cmp -s - $@ || printf '%s\n' "$$FLAGS_NOW" >$@
.PHONY: FORCE
FORCE:
OBJ_NEEDS := $(TABLES) $(BUILD)/.flags | deps-build

# The freestanding objects, then the hosted ones; unit tests link this archive.
$(BUILD)/libexecguard-all.a: $(FREE_OBJ) $(HOST_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

# The command is static: it starts faster than the dynamic loader and runs in
# any image.
$(WHOLE): $(CLI_OBJ) $(BUILD)/libexecguard-all.a
	$(call say,LD,$@)
	$(Q)$(CC) -static $(LDFLAGS_ALL) -o $@ $^ -lseccomp -lcap -ljansson

# The front (cli/front/main.c) starts faster still: glibc's start-up executes
# CPUID, which leaves a virtual machine each time.  musl's wrapper hides the
# kernel's headers together with glibc's.
MUSL_CC := musl-gcc
MUSL_INCLUDES := $(patsubst %,-idirafter /usr/include%,/$(shell $(CC) -dumpmachine) /)
ifeq ($(FRONT),musl)
$(BUILD)/execguard: $(FRONT_OBJ) $(FREE_OBJ)
	$(call say,LD,$@)
	$(Q)$(MUSL_CC) -static $(LDFLAGS_ALL) -o $@ $^
endif
$(BUILD)/front/%.o: %.c $(OBJ_NEEDS)
	@mkdir -p $(@D)
	$(call say,MUSL,$@)
	$(Q)$(MUSL_CC) $(CPPFLAGS_ALL) -Dstrerror=eg_front_strerror $(MUSL_INCLUDES) $(CFLAGS_HOST) -MMD -MP -c -o $@ $<

# No DT_NEEDED, not even libc: the same file serves glibc and musl programs.  It is
# loaded at every exec, so it has few segments and few relocations.
$(BUILD)/libexecguard-preload.so: $(SHIM_OBJ) $(FREE_OBJ) lib/shim/exports.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared -nostdlib -nostartfiles $(LDFLAGS_ALL) -Wl,-z,initfirst -Wl,-z,nodelete \
	    -Wl,-z,noseparate-code -Wl,-Bsymbolic -Wl,-O1 -Wl,--hash-style=gnu \
	    -Wl,-soname,libexecguard-preload.so \
	    -Wl,--version-script=lib/shim/exports.map -o $@ $(SHIM_OBJ) $(FREE_OBJ)

# The line runner: an ordinary program, found beside the preload object.
RUNNER_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard helper/*.c)) $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard lib/line/*.c))
$(BUILD)/execguard-line: $(RUNNER_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

# For programs that guard themselves.
SONAME := libexecguard.so.0
API_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard lib/api/*.c))
$(BUILD)/$(SONAME): $(API_OBJ) $(BUILD)/libexecguard-all.a lib/api/exports.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -Wl,-z,defs -Wl,-soname,$(SONAME) \
	    -Wl,--version-script=lib/api/exports.map -o $@ $(API_OBJ) $(BUILD)/libexecguard-all.a \
	    -lseccomp -lcap -ljansson
$(BUILD)/libexecguard.so: $(BUILD)/$(SONAME)
	$(Q)ln -sf $(SONAME) $@

define free_rule
$(BUILD)/obj/lib/$(1)/%.o: lib/$(1)/%.c $(OBJ_NEEDS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(CPPFLAGS_ALL) $$(CFLAGS_FREE) -MMD -MP -c -o $$@ $$<
endef
$(foreach d,$(FREE_DIRS) shim,$(eval $(call free_rule,$(d))))

# A thread that is cancelled in read(2) unwinds through its hook.
$(BUILD)/obj/lib/shim/hook_net.o: CFLAGS_FREE += -fasynchronous-unwind-tables

$(BUILD)/obj/lib/shim/%.o: lib/shim/%.S $(OBJ_NEEDS)
	@mkdir -p $(@D)
	$(call say,AS,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) -fPIC -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: %.c $(OBJ_NEEDS)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_HOST) -MMD -MP -c -o $@ $<

# For images that hold nothing else: one program, and the preload object that
# serves every libc.  No line runner: it would need the image's libc.
.PHONY: static
static: $(BUILD)/static/execguard $(BUILD)/static/libexecguard-preload.so
$(BUILD)/static/execguard: $(WHOLE)
$(BUILD)/static/libexecguard-preload.so: $(BUILD)/libexecguard-preload.so
$(BUILD)/static/%:
	$(call say,CP,$@)
	$(Q)install -D -m 755 $< $@

# What an installation for another machine can be checked with: compile only.
.PHONY: free-objects
free-objects: $(FREE_OBJ) $(SHIM_OBJ)

# --- Packages -----------------------------------------------------------------

# `make DEPS=skip` where they come from elsewhere.
export DEPS
.PHONY: deps deps-build deps-demo deps-test deps-apps
deps: deps-apps
deps-build:
	@tools/deps build
deps-demo:
	@tools/deps demo
deps-test:
	@tools/deps test
deps-apps:
	@tools/deps apps

# --- Tests --------------------------------------------------------------------

TEST_LIB_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/lib/*.c))
TEST_LIBS = $(BUILD)/libtest.a $(BUILD)/libexecguard-all.a -lseccomp -lcap -ljansson -pthread
UNIT_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*_test.c))
FUZZ_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/*_fuzz.c))
# Programs that the scripts beside them run.
HELPER_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/diag/*.c tests/spec/*.c tests/fault/*.c))

$(BUILD)/libtest.a: $(TEST_LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

# Fuzz targets replay their seeds, unless they are linked with libFuzzer.
FUZZ_MAIN := $(if $(LIBFUZZER),-fsanitize=fuzzer,$(BUILD)/obj/tests/fuzz/replay_main.o)
ifeq ($(LIBFUZZER),)
$(FUZZ_BIN): $(FUZZ_MAIN)
endif
$(FUZZ_BIN): TEST_LINK = $(FUZZ_MAIN)
$(UNIT_BIN): TEST_LINK = -lcmocka

$(UNIT_BIN) $(FUZZ_BIN) $(HELPER_BIN): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libtest.a \
    $(BUILD)/libexecguard-all.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(TEST_LINK) $(TEST_LIBS)

# The dash oracle: programs of several files, and the one that stands for every
# program inside it.
LINE_BIN := $(patsubst %.c,$(BUILD)/%,$(filter %/oracle.c %/argv.c %/stub.c %/attacks.c,$(wildcard tests/line/*.c)))
LINE_OBJ := $(patsubst %,$(BUILD)/obj/tests/line/%.o,generate reference sandbox)
$(filter-out %/stub,$(LINE_BIN)): $(BUILD)/%: $(BUILD)/obj/%.o $(LINE_OBJ) $(BUILD)/libexecguard-all.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lseccomp -lcap -ljansson -pthread
$(BUILD)/tests/line/stub: tests/line/stub.c $(OBJ_NEEDS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(filter-out -fPIC,$(CFLAGS_FREE)) -fno-pie -static -nostdlib -o $@ $<

# A header that a test shares with its folder is found beside it or in tests/lib.
$(BUILD)/obj/tests/%.o: CPPFLAGS_ALL += -Itests/lib

.PHONY: test-programs unit-programs fuzz-programs
unit-programs: $(UNIT_BIN)
fuzz-programs: $(FUZZ_BIN)
test-programs: $(UNIT_BIN) $(HELPER_BIN) $(LINE_BIN)

# The other builds that `make check` looks at.  tests/tree/builds.test makes each
# of them once more and reports what does not compile.
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SUBMAKE = $(MAKE) --no-print-directory
.PHONY: build-asan build-clang build-pretend build-aarch64
build-asan:
	@$(SUBMAKE) BUILD=$(BUILD)/asan OPT='-O1 -g' SANITIZE='$(ASAN_FLAGS)' unit-programs fuzz-programs
build-clang:
	@$(SUBMAKE) BUILD=$(BUILD)/clang CC=clang all test-programs fuzz-programs
build-pretend:
	@$(SUBMAKE) BUILD=$(BUILD)/pretend CPPFLAGS=-DEG_TEST_BUILD all
build-aarch64:
	@$(SUBMAKE) BUILD=$(BUILD)/aarch64 CC=aarch64-linux-gnu-gcc free-objects

# Side by side: what only computes.  Alone: what starts servers, measures time
# or looks at processes.
SUITES_TREE := $(wildcard tests/tree/*.test)
SUITES_BESIDE := $(filter %/lint.test,$(SUITES_TREE)) $(filter-out %/lint.test,$(SUITES_TREE)) \
    $(UNIT_BIN) $(UNIT_BIN:$(BUILD)/%=$(BUILD)/asan/%) $(FUZZ_BIN:$(BUILD)/%=$(BUILD)/asan/%)
# Real applications: in `make check' too, unless this list is made shorter.
SUITES_APPS := $(wildcard tests/apps/*.test)
APPS_IN_CHECK ?= $(SUITES_APPS)
SUITES_ALONE := $(filter-out $(SUITES_TREE) $(SUITES_APPS),$(wildcard tests/*/*.test tests/*/*/*.test)) $(APPS_IN_CHECK)
# `make check ONLY=word` runs the suites whose path holds the word.
ONLY ?=
SELECTED := $(foreach s,$(SUITES_BESIDE) $(SUITES_ALONE),$(if $(findstring $(ONLY),$(s)),$(s)))
CHECK_BUILDS := $(if $(findstring /asan/,$(SELECTED)),build-asan) \
    $(if $(findstring /builds.test,$(SELECTED)),build-clang build-aarch64) build-pretend

export EG_BUILD = $(abspath $(BUILD))
.PHONY: check
check: $(if $(APPS_IN_CHECK),deps-apps,deps-test)
	@$(SUBMAKE) -s -k -j$(JOBS) all test-programs $(CHECK_BUILDS) || true
	@tests/run -j $(JOBS) -o '$(ONLY)' $(SUITES_BESIDE) -- $(SUITES_ALONE)

# What check and soak run, for tests/tree/runner.test: no script may be forgotten.
.PHONY: list-suites
list-suites:
	@printf '%s\n' $(SUITES_TREE) $(SUITES_ALONE) $(SUITES_APPS) $(SOAKS)

# Real applications alone, then one table of them.
APP_ROWS := $(SUITES_APPS:tests/apps/%=$(BUILD)/apps/%.row)
.PHONY: check-apps
check-apps: deps-apps
	@$(SUBMAKE) -s -j$(JOBS) all
	@rm -f $(APP_ROWS)
	@tests/run -o '$(ONLY)' -- $(SUITES_APPS); status=$$?; tests/apps/table $(APP_ROWS); exit $$status

# What takes long: the *.soak scripts, and each fuzz target under libFuzzer.
FUZZ_SECONDS ?= 60
SOAKS := $(wildcard tests/*/*.soak)
.PHONY: soak
soak: deps-test all test-programs
	@$(SUBMAKE) BUILD=$(BUILD)/fuzzer CC=clang OPT='-O1 -g' LIBFUZZER=1 \
	    SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzz-programs
	@EG_FUZZER='$(abspath $(BUILD))/fuzzer' EG_FUZZ_SECONDS=$(FUZZ_SECONDS) \
	    tests/run -t 3600 -o '$(ONLY)' -- $(SOAKS)

# A new user's way on a fresh Debian, and the document of it; as root, needs debootstrap.
.PHONY: walk
walk: deps-test
	@mkdir -p $(BUILD)
	@tests/stack/walk >$(BUILD)/walkthrough.md
	@cp $(BUILD)/walkthrough.md docs/walkthrough.md

# --- Lint ---------------------------------------------------------------------

C_FILES := $(wildcard lib/*/*.c cli/*.c cli/*/*.c helper/*.c tests/*/*.c tests/*/*/*.c bench/*.c examples/*/*.c)
H_FILES := $(wildcard include/*.h lib/*/*.h cli/*.h tests/*/*.h tests/*/*/*.h bench/*.h)
# By their first line, since programs carry no suffix.
SH_FILES = $(shell git ls-files -co --exclude-standard | while read -r f; do \
    [ -f "$$f" ] && head -n 1 "$$f" | grep -Eq '^\#!.*/(ba|da)?sh|^\# shellcheck shell' && echo "$$f"; \
    done; echo tests/lib/tap.sh)
MAN_FILES := $(wildcard man/*.[1-8])
TIDY_SRC := $(FREE_SRC) $(SHIM_SRC) $(HOST_SRC) $(CLI_SRC) $(FRONT_OWN) $(wildcard helper/*.c)

.PHONY: lint lint-format lint-tidy lint-cppcheck lint-shell lint-man
lint: deps-test
	@$(SUBMAKE) -k -j$(JOBS) lint-format lint-tidy lint-cppcheck lint-shell lint-man

lint-format:
	@clang-format --dry-run -Werror $(C_FILES) $(H_FILES)

# One stamp a file: only what changed is looked at again.
lint-tidy: $(TIDY_SRC:%.c=$(BUILD)/lint/%.tidy)
TIDY_FLAGS = -std=gnu17 $(CPPFLAGS_ALL)
$(patsubst %.c,$(BUILD)/lint/%.tidy,$(FREE_SRC) $(SHIM_SRC)): TIDY_FLAGS += -ffreestanding
$(BUILD)/lint/%.tidy: %.c .clang-tidy $(H_FILES) $(TABLES)
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(TIDY_FLAGS) >$@.log 2>&1 || { cat $@.log; exit 1; }
	@touch $@

lint-cppcheck:
	@mkdir -p $(BUILD)/lint/cppcheck
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --suppressions-list=tools/cppcheck.suppress --error-exitcode=1 -j $(JOBS) \
	    --cppcheck-build-dir=$(BUILD)/lint/cppcheck -Ilib -Iinclude -Itests/lib \
	    -D__x86_64__ -D_GNU_SOURCE $(TIDY_SRC)

lint-shell:
	@shellcheck $(sort $(SH_FILES))

lint-man:
	@[ -z "$(MAN_FILES)" ] || mandoc -Tlint -W warning $(MAN_FILES)

# --- Demo, benchmarks, installation --------------------------------------------

.PHONY: demo bench
demo: deps-demo all
	@examples/demo/run
bench: deps-test all
	@bench/run
	@bench/requests

POLICIES := $(wildcard policies/*.policy)
DOCS := $(wildcard README.md LICENSE docs/*.md)
LIBEXEC := $(DESTDIR)$(PREFIX)/lib/execguard
SHARE := $(DESTDIR)$(PREFIX)/share/execguard
EXAMPLES := $(shell find examples -type f)

.PHONY: install uninstall
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(LIBEXEC) $(SHARE)/policies $(DESTDIR)$(DOCDIR) \
	    $(DESTDIR)$(SYSCONFDIR)/execguard $(DESTDIR)$(LOGDIR)
	install -m 755 $(BUILD)/execguard $(DESTDIR)$(PREFIX)/bin/execguard
	install -m 755 $(BUILD)/libexecguard-preload.so $(LIBEXEC)/libexecguard-preload.so
	install -m 755 $(BUILD)/execguard-line $(LIBEXEC)/execguard-line
	$(if $(filter %-full,$(WHOLE)),install -m 755 $(WHOLE) $(LIBEXEC)/execguard-full, \
	    rm -f $(LIBEXEC)/execguard-full)
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 include/execguard.h $(DESTDIR)$(PREFIX)/include/execguard.h
	install -m 755 $(BUILD)/$(SONAME) $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/libexecguard.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' lib/api/execguard.pc.in \
	    >$(DESTDIR)$(PREFIX)/lib/pkgconfig/execguard.pc
	$(if $(POLICIES),install -m 644 $(POLICIES) $(SHARE)/policies)
	$(if $(DOCS),install -m 644 $(DOCS) $(DESTDIR)$(DOCDIR))
	for e in $(EXAMPLES); do mode=644; [ ! -x $$e ] || mode=755; \
	    install -D -m $$mode $$e $(SHARE)/$$e || exit 1; done
	$(foreach m,$(MAN_FILES),install -D -m 644 $(m) \
	    $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)) &&) :

# Leaves the administrator's own policies where they are.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/execguard $(LIBEXEC)/libexecguard-preload.so \
	    $(LIBEXEC)/execguard-line $(LIBEXEC)/execguard-full
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,include/execguard.h lib/$(SONAME) lib/libexecguard.so \
	    lib/pkgconfig/execguard.pc)
	rm -f $(POLICIES:policies/%=$(SHARE)/policies/%)
	rm -rf $(SHARE)/examples
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/,$(notdir $(DOCS)))
	rm -f $(foreach m,$(MAN_FILES),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))
	-rmdir $(LIBEXEC) $(SHARE)/policies $(SHARE) $(DESTDIR)$(DOCDIR) \
	    $(DESTDIR)$(SYSCONFDIR)/execguard $(DESTDIR)$(LOGDIR) 2>/dev/null

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(BUILD)
