# VM/N: one Makefile, not recursive.  `make help` lists the targets.
# Rooms are folders and every .c/.S in a room is built: adding a file needs no line here.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDEXPANSION:

B     := build
CC    := gcc
AS    := gcc
LD    := ld
AR    := ar
CLANG := clang

# ---- what is built from what, in reading order -------------------------------
# EDGE rooms touch hardware and hold the only inline assembly; the rest is pure C
# over structs, built twice: freestanding, and for the host (tests, fuzzers, tools).

CP_EDGE  := cp/boot cp/cpu cp/driver
CP_PURE  := cp/time cp/storage cp/device cp/decode cp/vcpu cp/nested cp/dispatch cp/message cp/credential cp/directory cp/ipl cp/terminal cp/snapshot cp/minidisk cp/spool cp/audit \
            cp/session cp/host cp/diagnose cp/command cp/virtio cp/network cp/svm
CMS_EDGE := cms/boot cms/cpu cms/driver
# runs programs, for which a host has no processor: its seams are faked there
CMS_TOP  := cms/program
CMS_PURE := cms/edf cms/tape cms/exec cms/eel cms/xedit cms/console cms/file cms/help cms/pipe cms/spool cms/directory cms/command cms/kernel \
            cms/syscall cms/procfs cms/process cms/elf cms/tty cms/minidisk cms/erofs cms/tmpfs cms/vfs cms/space

in        = $(sort $(wildcard $(addsuffix /$(2),$(1))))
LIB_SRC  := $(call in,lib,*.c)
VMCS_SRC := $(call in,vmcs-shadow nest,*.c)
DSDT     := $(B)/acpi/dsdt.c
CP_SRC   := $(call in,$(CP_EDGE) $(CP_PURE),*.c) $(call in,$(CP_EDGE),*.S) $(VMCS_SRC) $(LIB_SRC) $(DSDT)
CMS_SRC  := $(call in,$(CMS_EDGE) $(CMS_TOP) $(CMS_PURE),*.c) $(call in,$(CMS_EDGE),*.S) $(LIB_SRC)
PURE_SRC := images/help/texts.c $(wildcard cp/boot/tree_pc.c cp/boot/machine_facts.c) $(call in,$(CP_PURE) $(CMS_PURE) vmcs-shadow nest,*.c) $(filter-out lib/string.c,$(LIB_SRC)) $(DSDT)
GUEST_RT := $(call in,tests/guest/runtime,*.c) $(call in,tests/guest/runtime,*.S) $(LIB_SRC)
GUESTS   := $(basename $(notdir $(wildcard tests/guest/*.c)))
UNITS    := $(basename $(notdir $(wildcard tests/unit/*_test.c)))
FUZZERS  := $(basename $(notdir $(wildcard tests/fuzz/*_fuzz.c)))

# ---- flags -------------------------------------------------------------------
WARN  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla
COMMON := -std=gnu11 -I. -MMD -MP $(WARN)
FREE  := $(COMMON) -O2 -g -m64 -ffreestanding -fno-pic -fno-pie -mcmodel=small -mno-red-zone \
         -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables \
         -fcf-protection=none -ffunction-sections -fdata-sections -fno-strict-aliasing
HOST  := $(COMMON) -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -DVMN_HOST \
         -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ  := -std=gnu11 -Werror -Wno-string-plus-int -I. -O1 -g -fno-strict-aliasing -DVMN_HOST -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
LDFLAGS_FREE := -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --gc-sections --no-warn-rwx-segments

comma := ,
LDFLAGS_WHOLE := -zmax-page-size=4096 -znoexecstack --gc-sections --no-warn-rwx-segments --build-id=none

obj = $(patsubst %,$(B)/$(1)/%.o,$(basename $(2)))

# ---- what a person who waits is shown (scripts/build): STEPS, the files to compile, and IN_PLACE on a terminal ----
counted = $(if $(IN_PLACE),$(eval counted_so_far += x)printf '\r\033[K  %s of $(STEPS)  %s' $(words $(counted_so_far)) '$<';)
step    = $(if $(STEPS),printf '$(if $(IN_PLACE),\r\033[K)%s\n' '$(1)';)

# ---- targets -----------------------------------------------------------------
.DEFAULT_GOAL := all
all: images tools ## build CP, CMS, test payloads and host tools
images: $(B)/cp.elf $(B)/cms.elf $(addprefix $(B)/guest/,$(addsuffix .elf,$(GUESTS)))

$(B)/free/%.o: %.c ; @$(counted)mkdir -p $(@D) && $(CC) $(FREE) -c $< -o $@
$(B)/free/%.o: %.S ; @$(counted)mkdir -p $(@D) && $(AS) -I. -m64 -MMD -MP -c $< -o $@
# CMS runs in the upper half of the addresses
$(B)/kernel/%.o: %.c ; @$(counted)mkdir -p $(@D) && $(CC) $(FREE) -mcmodel=kernel -c $< -o $@
# rooms that wait for a person: small rather than fast
SMALL := cms/command cms/file cms/help cms/pipe cms/spool cms/directory cms/exec cms/eel cms/tape cms/xedit cms/program cms/procfs
$(foreach room,$(SMALL),$(eval $(B)/kernel/$(room)/%.o: FREE := $(subst -O2,-Os,$(FREE))))
$(B)/kernel/%.o: %.S ; @$(counted)mkdir -p $(@D) && $(AS) -I. -m64 -MMD -MP -c $< -o $@
$(B)/host/%.o: %.c ; @$(counted)mkdir -p $(@D) && $(CC) $(HOST) -c $< -o $@

# CP is optimised as a whole: what an exit runs through lies in many files, and every call between them counts
$(B)/whole/%.o: %.c ; @$(counted)mkdir -p $(@D) && $(CC) $(FREE) $(if $(filter lib/string.c,$<),,-flto) -c $< -o $@
$(B)/whole/%.o: %.S ; @$(counted)mkdir -p $(@D) && $(AS) -I. -m64 -MMD -MP -c $< -o $@
# multiboot 1 loaders want a 32-bit ELF: same bytes, other envelope; symbols stay in the .elf64
$(B)/cp.elf64: $(call obj,whole,$(CP_SRC)) cp/boot/cp.ld
	@$(call step,linking CP as a whole)$(CC) $(FREE) -flto=auto -nostdlib -static $(addprefix -Wl$(comma),$(LDFLAGS_WHOLE)) -T cp/boot/cp.ld -o $@ \
	  $(filter %.o,$^) $$($(CC) -print-file-name=libfdt.a) 2>$@.log || { cat $@.log >&2; exit 1; }
	@grep -v 'type changed to PROGBITS' $@.log >&2 || : # what is hot of .bss stands in .data
$(B)/cms.elf64: $(call obj,kernel,$(CMS_SRC)) cms/boot/cms.ld
	@$(LD) $(LDFLAGS_FREE) -T cms/boot/cms.ld -o $@ $(filter %.o,$^) $$($(CC) -print-file-name=libfdt.a)
$(B)/%.elf: $(B)/%.elf64
	@objcopy -S -O elf32-i386 $< $@
$(B)/guest/%.elf64: $(B)/free/tests/guest/%.o $(call obj,free,$(GUEST_RT)) tests/guest/runtime/guest.ld
	@mkdir -p $(@D) && $(LD) $(LDFLAGS_FREE) -T tests/guest/runtime/guest.ld -o $@ $(filter %.o,$^)
.PRECIOUS: $(B)/%.elf64 $(B)/guest/%.elf64

# the machine's ACPI name space: iasl knows no macros, cpp does
$(DSDT): cp/ipl/dsdt.asl
	@mkdir -p $(@D) && $(CC) -E -P -x assembler-with-cpp $< >$(@D)/dsdt.asl
	@iasl -we -p $(@D)/dsdt $(@D)/dsdt.asl >$(@D)/log 2>&1 || { cat $(@D)/log >&2; exit 1; }
	@{ echo '#include "cp/ipl/dsdt.h"'; echo 'const uint8_t acpi_dsdt[] = {'; od -An -v -tu1 $(@D)/dsdt.aml | sed 's/[0-9]\+/&,/g'; \
	  echo '};'; echo 'const size_t acpi_dsdt_bytes = sizeof acpi_dsdt;'; } >$@

$(B)/host/libpure.a: $(call obj,host,$(PURE_SRC))
$(B)/host/lib%.a: ; @rm -f $@ && $(AR) rcs $@ $^

# the root image's REXX: a Linux program
$(B)/root/cms-rexx: $(call in,images/root,*.c) $(wildcard images/root/*.h)
	@mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -I. -O2 $(WARN) -o $@ $(filter %.c,$^) -lregina
$(B)/root/cms: images/root/obey/obey.c images/root/device.c images/root/device.h
	@mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -I. -O2 $(WARN) -o $@ $(filter %.c,$^) -lregina
$(B)/root/cms-editor.so: images/root/editor/editor.c
	@mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -I. -O2 -fPIC -shared $(WARN) -Wno-missing-prototypes -o $@ $<
ROOT_PROGRAMS := $(B)/root/cms-rexx $(B)/root/cms $(B)/root/cms-editor.so
all: $(ROOT_PROGRAMS)

# the HELP files: the tables and their texts; the functions that the rows name are not called there, and most are not linked
HELP_SRC := $(call in,images/help cms/pipe,*.c) cms/help/name.c cms/command/table.c cms/command/message.c \
            $(wildcard $(addsuffix /table.c,$(CMS_PURE))) cms/eel/command.c cms/directory/directxa.c
$(B)/texts/%.o: %.c ; @$(counted)mkdir -p $(@D) && $(CC) $(COMMON) -O1 -fno-strict-aliasing -DVMN_HOST -c $< -o $@
$(B)/helpfiles: $(call obj,texts,$(HELP_SRC))
	@$(CC) -static -o $@ $^ -Wl,--unresolved-symbols=ignore-all
$(B)/help.made: $(B)/helpfiles ; @rm -rf $(B)/help && mkdir -p $(B)/help && $< $(B)/help && touch $@

# a host tool is images/NAME.c over some of the pure rooms
TOOL_SRC := $(call in,cms/edf cms/tape cp/directory cp/credential,*.c) $(filter-out lib/string.c,$(LIB_SRC)) nest/mode.c \
            cms/erofs/layout.c cp/device/machine_config.c cp/device/share.c cp/network/mac.c cp/audit/page.c \
            $(call in,images/lock images/minidisk images/tape,*.c)
TOOLS := $(basename $(notdir $(wildcard images/*.c)))
tools: $(addprefix $(B)/,$(TOOLS))
$(B)/host/libtool.a: $(call obj,host,$(TOOL_SRC))
$(addprefix $(B)/,$(TOOLS)): $(B)/%: $(B)/host/images/%.o $(B)/host/libtool.a
	@$(CC) $(HOST) -o $@ $^ -lfdt

# a unit test is tests/unit/NAME_test.c over the pure rooms, with fakes for the edge
FAKES := $(call in,tests/unit/fake,*.c)
$(B)/unit/%: $(B)/host/tests/unit/%.o $(call obj,host,$(FAKES)) $(B)/host/libpure.a
	@mkdir -p $(@D) && $(CC) $(HOST) -o $@ $^ -lcmocka -lfdt -lcrypt $(UNIT_LIBS)
# its oracle
$(addprefix $(B)/unit/,decode_instruction_test decode_forms_test svm_touch_test oracle_sequence_test): UNIT_LIBS := -lZydis
# these are pure, and of a payload
ORACLE_PURE := $(addprefix tests/guest/oracle/,sequence.c templates.c devices.c vector.c)
$(B)/unit/oracle_sequence_test: $(call obj,host,$(ORACLE_PURE))
unit: $(addprefix $(B)/unit/,$(UNITS)) ## run the host's unit tests (cmocka, sanitizers)
	@set -e; for t in $(UNITS); do echo "== $$t"; $(B)/unit/$$t; done

# from archives, so that a fuzzer needs no fake of an edge it does not touch
$(B)/clang/%.o: %.c ; @mkdir -p $(@D) && $(CLANG) $(subst =fuzzer,=fuzzer-no-link,$(FUZZ)) -MMD -MP -c $< -o $@
$(B)/clang/libpure.a: $(call obj,clang,$(PURE_SRC))
$(B)/clang/libfake.a: $(call obj,clang,$(FAKES))
$(B)/clang/lib%.a: ; @rm -f $@ && $(AR) rcs $@ $^
$(B)/fuzz/%: $(B)/clang/tests/fuzz/%.o $(B)/clang/libpure.a $(B)/clang/libfake.a
	@mkdir -p $(@D) && $(CLANG) $(FUZZ) -o $@ $< -Wl,--start-group $(B)/clang/libfake.a $(B)/clang/libpure.a -Wl,--end-group -lfdt $(FUZZ_LIBS) $(WRAP)
# hashing takes most of the time and has few ways to find
$(B)/clang/cp/credential/sha512.o $(B)/clang/cp/credential/sha512_crypt.o: FUZZ := $(subst =fuzzer$(comma),=,$(FUZZ))
# these stand on scenes of the unit tests
$(B)/fuzz/user_fuzz $(B)/fuzz/dispatch_fuzz: FUZZ_LIBS := -lcmocka -lcrypt
# which wants to know what of a queue is an editor's
$(B)/fuzz/user_fuzz $(B)/cov/run/user_fuzz: WRAP := -Wl,--wrap=output_echo,--wrap=output_begin
# one seed for a proof, which is to say the same of the same sources twice; a hunt has another each time
fuzz: $(addprefix $(B)/fuzz/,$(FUZZERS)) ## run every libFuzzer target for FUZZ_SECONDS (default 20) each, from FUZZ_SEED if that is given
	@set -e; for t in $(FUZZERS); do echo "== $$t"; mkdir -p $(B)/corpus/$$t; \
	  $(B)/fuzz/$$t -max_total_time=$(or $(FUZZ_SECONDS),20) $(if $(FUZZ_SEED),-seed=$(FUZZ_SEED)) -print_final_stats=0 -verbosity=0 $(B)/corpus/$$t; done

clean: ## remove everything built
	rm -rf $(B)
help: ## list these targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | awk -F'\t' '{printf "  %-10s %s\n",$$1,$$2}'

.PHONY: all images tools unit fuzz clean help
-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
# or gcc would turn memcpy's own loop into a call of memcpy
$(B)/free/lib/string.o $(B)/whole/lib/string.o $(B)/kernel/lib/string.o: FREE += -fno-tree-loop-distribute-patterns

# ---- running and testing -------------------------------------------------------
# objects are kept, though make would call those of the payloads intermediate
.SECONDARY:
$(B)/vmn-relay: $(wildcard scripts/vmn-*.c scripts/vmn-*.h images/lock/lock.*) lib/userid.h
	@mkdir -p $(@D) && $(CC) -std=gnu11 -I. -O2 $(WARN) -o $@ $(filter %.c,$^)
$(B)/vmn-names.so: scripts/vmn-names.c lib/userid.h
	@mkdir -p $(@D) && $(CC) -std=gnu11 -I. -O2 $(WARN) -shared -fPIC -o $@ $<
# these payloads ask or use CP's own drivers
$(addprefix $(B)/guest/,$(addsuffix .elf64,cow drivers lines longest)): $(call obj,free,$(call in,cp/driver cp/virtio,*.c) cp/terminal/line.c cp/time/debt.c)

# `run` and `test` are what a newcomer types: they fetch the packages first, and so build in a make of their own
DISK ?= disk.img
MINE := --no-print-directory -s
# builds what a person waits for, and shows how far it is
BUILD := scripts/build $(B)
SYSTEM := $(B)/cp.elf $(B)/cms.elf $(B)/vmn-relay
run: ## start VM/N on this terminal (MACHINE=kvm|tcg|bochs); its disk (DISK=disk.img) is made when there is none, and kept
	@scripts/setup run
	@MAKE='$(MAKE)' $(BUILD) $(SYSTEM) $(if $(wildcard $(DISK)),,$(DISK))
	@scripts/vmn $(if $(MACHINE),--machine $(MACHINE)) --disk $(DISK) || [ $$? = 130 ] # Ctrl-] q
ssh: ## as run, and people may come by SSH: PORT=2222 or ADDRESS:PORT
	@scripts/setup ssh
	@MAKE='$(MAKE)' $(BUILD) $(SYSTEM) $(B)/mkimage $(B)/vmn-names.so $(if $(wildcard $(DISK)),,$(DISK))
	@scripts/vmn $(if $(MACHINE),--machine $(MACHINE)) --disk $(DISK) --ssh $(or $(PORT),2222) || [ $$? = 130 ]
$(DISK): | $(B)/vmn.img ; @$(call step,making the disk $@){ cp --sparse=never $(B)/vmn.img $@.new && mv $@.new $@; } || { rm -f $@.new; exit 1; }
test: ## prove it: rules of the house, unit tests, short fuzzing, machines under test (PYTEST=-k NAME narrows these; WORKERS=2 at a time)
	@scripts/setup test
	@$(MAKE) $(MINE) -j2 all programs systems $(B)/vmn-relay $(addprefix $(B)/unit/,$(UNITS)) $(addprefix $(B)/fuzz/,$(FUZZERS))
	@$(MAKE) $(MINE) check
	@$(MAKE) $(MINE) unit >$(B)/unit.log 2>&1 || { cat $(B)/unit.log; exit 1; }; grep -c '\[       OK \]' $(B)/unit.log | sed 's/$$/ unit tests passed/'
	@$(MAKE) $(MINE) fuzz FUZZ_SEED=$(or $(FUZZ_SEED),1) FUZZ_SECONDS=$(or $(FUZZ_SECONDS),5) >$(B)/fuzz.log 2>&1 || { tail -n 60 $(B)/fuzz.log; exit 1; }
	@/usr/bin/python3 -m pytest -q -p no:cacheprovider -n $(or $(WORKERS),2) --dist loadgroup -m 'not long' tests/system $(PYTEST)
soak: ## the long runs: CUTS=100 power cuts, PASTE=3000 commands, ORACLE=10 times the generated instructions, FUZZ_SECONDS=300 for each fuzzer, VMX_STEPS=5000000 of a guest's wildest VMX
	@scripts/setup test
	@$(MAKE) $(MINE) -j2 all
	@$(MAKE) $(MINE) fuzz FUZZ_SECONDS=$(or $(FUZZ_SECONDS),300)
	@VMN_CUTS=$(or $(CUTS),100) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/system/test_power_cut.py
	@VMN_PASTE=$(or $(PASTE),3000) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/system/test_paste.py
	@VMX_STEPS=$(or $(VMX_STEPS),5000000) /usr/bin/python3 -m pytest -q -p no:cacheprovider -k 'survive or neighbours' \
	  tests/system/test_payload_vmx.py tests/system/test_neighbours.py
	@VMN_ORACLE=$(or $(ORACLE),10) VMN_ORACLE_SEED=2 /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/system/test_oracle.py
check: ## the rules about the sources: who includes whom, cycles, assembly, sizes, headers that stand alone
	@scripts/check-dependencies
format: ## lay out every source as .clang-format says
	@clang-format -i $$(git ls-files '*.c' '*.h')
debug: ## start VM/N (MACHINE=bochs) with the emulator's log kept in build/debug.log and CP's symbols in build/cp.sym
	@MAKE='$(MAKE)' $(BUILD) $(SYSTEM)
	@nm -n $(B)/cp.elf64 >$(B)/cp.sym
	@scripts/vmn --machine $(or $(MACHINE),bochs) --cpu-clock fast --log $(B)/debug.log $(if $(wildcard $(DISK)),--disk $(DISK))
all: $(B)/vmn-relay $(B)/vmn-names.so
.PHONY: run ssh test soak check format debug
# payloads named vmx_* stand on a small hypervisor of their own, and one that does everything
$(patsubst %,$(B)/guest/%.elf64,$(filter vmx_% cow longest console device_operand device_segment,$(GUESTS))): \
  $(call obj,free,$(call in,tests/guest/vmx,*.c) $(call in,tests/guest/vmx,*.S) vmcs-shadow/field.c)

$(B)/guest/oracle.elf64: $(call obj,free,$(call in,tests/guest/oracle tests/guest/vmx,*.c) $(call in,tests/guest/oracle tests/guest/vmx,*.S) vmcs-shadow/field.c)

# the CP volume a newcomer gets: the sample directory, empty minidisks, images/system/FN.FT on the system disk
$(B)/directory.dtb: images/directory.dts
	@mkdir -p $(@D) && dtc -W no-unit_address_vs_reg -I dts -O dtb -o $@ $<
SYSTEM_FILES := $(wildcard images/system/*)
# what programs in CMS see as /: downloads some 70 MB of Debian's packages, once
$(B)/root.erofs: images/root/make $(wildcard images/root/etc/* images/root/macros/*) $(ROOT_PROGRAMS) $(B)/help.made
	@$(call step,making the root image $@)images/root/make $(B)/root $@ $(B)/help $(ROOT_PROGRAMS)
$(B)/vmn.img: $(B)/directory.dtb $(SYSTEM_FILES) $(B)/mkimage $(B)/cmsdisk $(B)/root.erofs
	@$(call step,making the sample volume $@)rm -f $@ && $(B)/mkimage $@ --size 96 --directory $< --raw MAINT:19F:$(B)/root.erofs $(foreach f,$(SYSTEM_FILES),--file MAINT:190:$(f):$(notdir $(f)))
images: $(B)/vmn.img
# other systems, of Debian's packages: the kernel's are some 27 MB
systems: $(B)/systems/kvm.initrd $(B)/systems/xen ## fetch Debian's Linux and Xen for machines: build/systems/linux, its initrd, one with KVM, xen
$(B)/systems/xen: images/systems/xen ; @$(call step,making $@)images/systems/xen $(@D)
$(B)/systems/linux.initrd: images/systems/linux ; @$(call step,making $@)images/systems/linux $(@D)
$(B)/systems/kvm.initrd: images/systems/kvm images/systems/program $(B)/systems/linux.initrd
	@$(call step,making $@)images/systems/kvm $(@D)
test-systems: ## boot other systems and hypervisors, unmodified, on both hosts, and what runs in them (docs/systems.md; at most half an hour)
	@scripts/setup test
	@$(MAKE) $(MINE) -j2 images tools systems $(B)/vmn-relay
	@/usr/bin/python3 -m pytest -v -p no:cacheprovider -n $(or $(WORKERS),2) -m long tests/system $(PYTEST)
.PHONY: systems test-systems
# the figures of docs/bench.md
bench: ## take the project's figures (minutes): build/bench.json, the tables and the plot in docs
	@scripts/setup test
	@$(MAKE) $(MINE) -j2 all programs
	@bench/bench
	@bench/publish
DEPTH ?= 5
nested: ## CP under CP, DEPTH=5 levels of it (MACHINE=kvm|tcg|bochs), to a CMS Ready at the innermost
	@scripts/setup run
	@MAKE='$(MAKE)' $(BUILD) $(SYSTEM) $(addprefix $(B)/,$(TOOLS))
	@$(if $(MACHINE),VMN_MACHINE=$(MACHINE)) scripts/nested $(DEPTH)
.PHONY: bench nested
# GRUB on a CD or USB stick: CP with CMS, for a real PC or any emulator; its disk is the first with a CP volume
ISO := $(B)/iso
$(B)/vmn.iso: $(B)/cp.elf $(B)/cms.elf
	@rm -rf $(ISO) && mkdir -p $(ISO)/boot/grub && cp $^ $(ISO)/boot
	@printf '%s\n' 'multiboot /boot/cp.elf' 'module /boot/cp.elf cp' 'module /boot/cms.elf cms' boot >$(ISO)/boot/grub/grub.cfg
	@grub-mkrescue --directory=/usr/lib/grub/i386-pc --fonts= --locales= --themes= \
	  --install-modules="multiboot iso9660 biosdisk normal part_msdos part_gpt" -o $@ $(ISO) >$(B)/iso.log 2>&1 || { cat $(B)/iso.log; exit 1; }
iso: ## make build/vmn.iso: boots from a CD or, written to it byte by byte, from a USB stick
	@scripts/setup run
	@MAKE='$(MAKE)' $(BUILD) $(B)/vmn.iso
	@ls -l $(B)/vmn.iso
.PHONY: iso
prove: ## prove the arithmetic of the control merge and of the bitmap unions (Frama-C WP; its packages are large)
	@scripts/setup prove
	@scripts/prove nest/bits.h
.PHONY: prove
test-hosts: ## prove KVM as host without having one: Linux with KVM inside QEMU and Bochs, CP and a tower on it (five minutes)
	@scripts/setup hosts
	@$(MAKE) $(MINE) -j2 images tools $(B)/vmn-relay
	@/usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/hosts $(PYTEST)
.PHONY: test-hosts
# What tests reach, line by line: clang's coverage, the same objects for the unit tests and the fuzzers
COV := $(B)/cov
$(COV)/%.o: %.c ; @mkdir -p $(@D) && $(CLANG) $(subst =fuzzer,=fuzzer-no-link,$(FUZZ)) -fprofile-instr-generate -fcoverage-mapping -fcoverage-compilation-dir=. -MMD -MP -c $< -o $@
$(COV)/libpure.a: $(call obj,cov,$(PURE_SRC))
$(COV)/libfake.a: $(call obj,cov,$(FAKES))
$(COV)/lib%.a: ; @rm -f $@ && $(AR) rcs $@ $^
$(COV)/run/%_test: COV_LINK := -fsanitize=fuzzer-no-link,address,undefined -lcmocka -lcrypt -lZydis
$(COV)/run/oracle_sequence_test: $(call obj,cov,$(ORACLE_PURE))
$(COV)/run/%_fuzz: COV_LINK := -fsanitize=fuzzer,address,undefined -lcmocka -lcrypt
$(COV)/run/%_test: $(COV)/tests/unit/%_test.o $(COV)/libpure.a $(COV)/libfake.a ; $(cov-link)
$(COV)/run/%_fuzz: $(COV)/tests/fuzz/%_fuzz.o $(COV)/libpure.a $(COV)/libfake.a ; $(cov-link)
cov-link = @mkdir -p $(@D) && $(CLANG) -fprofile-instr-generate -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(COV_LINK) -lfdt $(WRAP)
# never run: it names every line there is, also of what no program above has
$(COV)/all: $(COV)/libpure.a
	@$(CLANG) -fprofile-instr-generate -fsanitize=fuzzer,address,undefined -o $@ -Wl,--whole-archive $< \
	  -Wl,--no-whole-archive,--unresolved-symbols=ignore-all -lfdt
cov: ## what unit tests and fuzzers reach of each room (FUZZ_SECONDS=5 each, over their corpus), into docs/coverage.md
	@scripts/setup cov
	@$(MAKE) $(MINE) -j2 $(COV)/all $(addprefix $(COV)/run/,$(UNITS) $(FUZZERS))
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),5) scripts/coverage $(B) $(UNITS) $(FUZZERS)
.PHONY: cov
mutate: ## what mistakes in nest/, vmcs-shadow/, cp/nested/ the unit tests would miss (MUTATE="FILE...", SAMPLE=0 for all)
	@scripts/setup test
	@scripts/mutate $(MUTATE)
.PHONY: mutate
# programs for CMS: tests/programs/NAME/*.c, three ways linked: what Linux runs CMS must run alike
PROGRAMS := $(notdir $(patsubst %/,%,$(wildcard tests/programs/*/)))
PROGRAM_FLAGS := -std=gnu11 -I. -O1 -g0 -Wall -Wextra -Werror -pthread
program_src = $(wildcard tests/programs/$(1)/*.c)
programs: $(foreach p,$(PROGRAMS),$(addprefix $(B)/programs/$(p),-musl -static -dynamic)) ## build the test programs that run in CMS and on Linux
$(B)/programs/%-musl: $$(call program_src,$$*) ; @mkdir -p $(@D) && musl-gcc $(PROGRAM_FLAGS) -static -o $@ $(filter %.c,$^)
$(B)/programs/%-static: $$(call program_src,$$*) ; @mkdir -p $(@D) && $(CC) $(PROGRAM_FLAGS) -static -o $@ $(filter %.c,$^)
$(B)/programs/%-dynamic: $$(call program_src,$$*) ; @mkdir -p $(@D) && $(CC) $(PROGRAM_FLAGS) -o $@ $(filter %.c,$^)
.PHONY: programs
