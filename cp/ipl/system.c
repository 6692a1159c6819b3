/* Named systems, and IPL. In: a name or an image. Out: a machine whose storage and CPU are ready to run it. */
#include "cp/ipl/system.h"

#include <errno.h>
#include <string.h>

#include "cp/directory/load.h"
#include "cp/dispatch/vm.h"
#include "cp/ipl/firmware.h"
#include "cp/ipl/format.h"
#include "cp/ipl/linux.h"
#include "cp/ipl/multiboot.h"
#include "cp/ipl/multiboot2.h"
#include "cp/ipl/nss.h"
#include "cp/ipl/nss_store.h"
#include "cp/ipl/pvh.h"
#include "cp/ipl/rom.h"
#include "cp/ipl/saved.h"
#include "cp/ipl/tree.h"
#include "cp/ipl/tree_vm.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/registers.h"
#include "lib/format.h"

enum { COMMAND_LINE = TREE_VM_BOOTARGS };

/* ---- IPL -------------------------------------------------------------------------------------------------------- */

/* One at a time: whose storage is being filled, by what, and how it starts. */
static struct loading {
    struct vm *vm; /* NULL: nobody's */
    int (*step)(struct vm *, const char **reason);
    char command_line[COMMAND_LINE];
    struct multiboot_module module[MULTIBOOT_MODULES];
    struct multiboot_image image;
    enum ipl_format format;
    struct ipl_copies copies;
    struct ipl_entry entry;
    bool by_command;     /* the saved system whose pages it is to map was */
    char name[9];        /* of a saved system whose pages it is to map; "": the image is its own */
    struct saved *saved; /* that one */
    struct nss *nss;     /* or that one, saved by command */
    int disk;            /* firmware's: the device number of the only disk it may boot, or ROM_ANY_DISK */
    uint64_t at, end;    /* how far its pages are mapped, and are to be */
} loading;

static const char no_frames[] = "CP has no page frames for it";

static int copy(struct vm *vm, const char **reason)
{
    const char *why = NULL;
    if (ipl_copy_go_on(&loading.copies, &why))
        return SYSTEM_IPL_MORE;
    if (why) {
        *reason = why;
        return -ENOEXEC;
    }
    registers_start_flat(&vm->vcpu, loading.entry.eip, loading.entry.eax, loading.entry.ebx);
    vm->vcpu.gpr[RSI] = loading.entry.esi;
    return 0;
}

static int go_on_with(int (*step)(struct vm *, const char **reason), const char *why, const char **reason)
{
    if (why) {
        *reason = why;
        return -ENOEXEC;
    }
    loading.step = step;
    return SYSTEM_IPL_MORE;
}

/* Modules of a Linux kernel: the tree, and perhaps an initrd. */
static const char *begin_linux(struct vm *vm)
{
    const struct multiboot_module *module = loading.module;
    struct linux_image image = {.data = loading.image.data, .bytes = loading.image.bytes,
                                .command_line = loading.command_line, .tree = module[0].data,
                                .tree_bytes = module[0].bytes};
    if (loading.image.modules > 2)
        return "A Linux kernel takes one module, its initrd";
    if (loading.image.modules == 2)
        image.initrd = module[1].data, image.initrd_bytes = module[1].bytes;
    return linux_begin(&loading.copies, &vm->storage, &image, &loading.entry);
}

static struct firmware_facts facts_of(struct vm *vm)
{
    struct cpuid_answer processor = cpuid_processor(vm);
    return (struct firmware_facts){&vm->config, loading.name, processor.eax, processor.edx};
}

/* Nothing but copies: the processor is where its reset left it, and so begins with the firmware. */
static int copy_rom(struct vm *vm, const char **reason)
{
    const char *why = NULL;
    (void)vm;
    if (ipl_copy_go_on(&loading.copies, &why))
        return SYSTEM_IPL_MORE;
    *reason = why ? why : "";
    return why ? -ENOEXEC : 0;
}

static const char *begin_rom(struct vm *vm)
{
    const struct firmware_facts facts = facts_of(vm);
    int slot = loading.disk == ROM_ANY_DISK ? ROM_ANY_DISK : machine_disk_slot(&vm->machine, (unsigned)loading.disk);
    if (slot == -ENOENT)
        return "its disk was detached meanwhile";
    return rom_inform(&vm->machine, &facts, slot)
               ? rom_begin(&loading.copies, &vm->storage, loading.image.data, loading.image.bytes)
               : no_frames;
}

static int begin(struct vm *vm, const char **reason)
{
    static const char *(*const others[])(struct ipl_copies *, struct guest_storage *, const struct multiboot_image *,
                                         struct ipl_entry *) = {
        [IPL_MULTIBOOT] = multiboot_begin, [IPL_MULTIBOOT2] = multiboot2_begin, [IPL_PVH] = pvh_begin};
    const char *why = loading.format == IPL_ROM     ? begin_rom(vm)
                      : loading.format == IPL_LINUX ? begin_linux(vm)
                                                    : others[loading.format](&loading.copies, &vm->storage,
                                                                             &loading.image, &loading.entry);
    return go_on_with(loading.format == IPL_ROM ? copy_rom : copy, why, reason);
}

/* ---- a saved system ---- */

static int inform(struct vm *vm, const char **reason)
{
    loading.entry.eip = loading.saved->eip;
    return go_on_with(copy, multiboot_inform(&loading.copies, &vm->storage, &loading.image, loading.end,
                                             &loading.entry), reason);
}

static int restore(struct vm *vm, const char **reason);

static int map(struct vm *vm, const char **reason)
{
    enum guest_access access = share_map(&vm->storage, gpa(loading.at));
    if (access == GUEST_NO_FRAMES) {
        *reason = no_frames;
        return -ENOMEM;
    }
    loading.at += SHARE_STEP;
    if (access || !guest_is_ram(&vm->storage, gpa(loading.end - 1)))
        return go_on_with(map, "The image does not fit into the storage where it wants to be", reason);
    return go_on_with(loading.at < loading.end ? map : loading.nss ? restore : inform, NULL, reason);
}

static int share_pages(struct vm *vm, struct guest_storage *from, uint64_t end, const char **reason)
{
    share_begin(&vm->storage, from);
    loading.at = 0;
    loading.end = end;
    return go_on_with(map, NULL, reason);
}

static int share(struct vm *vm, const char **reason)
{
    return share_pages(vm, &loading.saved->storage, loading.saved->end, reason);
}

static int save(struct vm *vm, const char **reason)
{
    const char *why = NULL;
    (void)vm;
    if (ipl_copy_go_on(&loading.copies, &why))
        return SYSTEM_IPL_MORE;
    loading.saved->ready = !why;
    return go_on_with(share, why, reason);
}

/* NULL: no room for it, so every machine gets pages of its own. */
static struct saved *saved_of(const char *name)
{
    struct saved *saved = saved_find(name);
    return saved ? saved : saved_create(name, FRAME_OPERATOR);
}

/* Its pages, if nobody has asked for it before: nobody else can be in the midst of it. */
static int prepare(struct vm *vm, const char **reason)
{
    bool shares = loading.format == IPL_MULTIBOOT; /* others write all over themselves */
    struct saved *saved = loading.saved = shares ? saved_of(loading.name) : NULL;
    struct ipl_entry entry = {0};
    if (!saved)
        return begin(vm, reason);
    if (saved->ready)
        return share(vm, reason);
    const char *why = multiboot_load(&loading.copies, &saved->storage, &loading.image, &entry, &saved->end);
    saved->eip = entry.eip;
    return go_on_with(save, why, reason);
}

/* ---- one saved by command ---- */

static const char purged[] = "it was purged meanwhile";

/* Behind what was saved: its CPU, with two registers that tell where its information is, if it was defined so. */
static int go_on_from(struct vm *vm, const char **reason)
{
    const char *why = NULL;
    if (ipl_copy_go_on(&loading.copies, &why))
        return SYSTEM_IPL_MORE;
    if (!why)
        why = loading.nss->class == NSS_ACTIVE ? cpu_state_put(vm, &loading.nss->head->cpu) : purged;
    if (why) {
        *reason = why;
        return -ENOEXEC;
    }
    if (!loading.nss->definition.parm)
        return 0;
    vm->vcpu.gpr[RAX] = loading.entry.eax;
    vm->vcpu.gpr[RBX] = loading.entry.ebx;
    return 0;
}

static int restore(struct vm *vm, const char **reason)
{
    const char *why = NULL;
    loading.copies.count = loading.copies.next = 0;
    if (loading.nss->definition.parm)
        why = multiboot_inform(&loading.copies, &vm->storage, &loading.image, loading.end, &loading.entry);
    return go_on_with(go_on_from, why, reason);
}

static int prepare_nss(struct vm *vm, const char **reason)
{
    const struct nss_definition *d;
    if (!(loading.nss = nss_find(loading.name)))
        return go_on_with(prepare_nss, purged, reason);
    d = &loading.nss->definition;
    if (!guest_is_ram(&vm->storage, gpa(((uint64_t)d->min_pages << PAGE_SHIFT) - 1)))
        return go_on_with(prepare_nss, "the machine's storage is less than its MINSIZE", reason);
    return share_pages(vm, &loading.nss->storage, (uint64_t)nss_end(d) << PAGE_SHIFT, reason);
}

/* ---- from the beginning ---- */

static int firmware(struct vm *vm, const char **reason)
{
    const struct firmware_facts facts = facts_of(vm);
    if (firmware_leave(&vm->storage, &facts) == GUEST_OK)
        return 0;
    *reason = no_frames;
    return -ENOMEM;
}

static int clear(struct vm *vm, const char **reason)
{
    int failed = vm_define_storage(vm, vm->config.storage_bytes);
    if (failed) {
        *reason = failed == -EBUSY ? "disk requests are under way" : no_frames;
        return failed;
    }
    /* what was saved has what it was left, and firmware leaves something itself */
    if (!loading.by_command && loading.format != IPL_ROM)
        failed = firmware(vm, reason);
    if (failed)
        return failed;
    return go_on_with(loading.by_command ? prepare_nss : *loading.name ? prepare : begin, NULL, reason);
}

static int plant(struct vm *vm, const char **reason)
{
    struct tree_fault fault = {.reason = ""};
    const struct tree_vm *tree = tree_vm_of(&vm->config, clock_hz, loading.command_line, &fault);
    loading.module[0] = (struct multiboot_module){.data = tree->tree, .bytes = tree->bytes, .text = "tree"};
    loading.step = clear;
    *reason = fault.reason;
    return tree->bytes ? SYSTEM_IPL_MORE : -ENOEXEC;
}

int system_ipl_go_on(struct vm *vm, const char **reason)
{
    int result = loading.vm == vm ? loading.step(vm, reason) : -EINVAL;
    if (result != SYSTEM_IPL_MORE)
        system_ipl_cancel(vm);
    return result;
}

void system_ipl_cancel(const struct vm *vm)
{
    if (loading.vm != vm)
        return;
    loading.vm = NULL;
    if (loading.saved && !loading.saved->ready)
        saved_purge(loading.saved);
    loading.saved = NULL;
    loading.nss = NULL;
}

bool system_ipl_is_busy(void) { return loading.vm; }

int system_ipl_image(struct vm *vm, struct ipl_bytes data, uint64_t bytes, const char *command_line,
                     const struct multiboot_module *module, unsigned modules, const char **reason)
{
    if (loading.vm)
        return -EAGAIN;
    if (modules >= MULTIBOOT_MODULES) {
        *reason = "too many modules";
        return -ENOEXEC;
    }
    loading.vm = vm;
    loading.step = plant;
    loading.saved = NULL;
    loading.nss = NULL;
    loading.by_command = false;
    loading.disk = ROM_ANY_DISK;
    *loading.name = 0;
    format_text(loading.command_line, sizeof loading.command_line, "%s", command_line);
    for (unsigned i = 0; i < modules; i++)
        loading.module[i + 1] = module[i];
    loading.image = (struct multiboot_image){.data = data, .bytes = bytes, .command_line = loading.command_line,
                                             .module = loading.module, .modules = modules + 1};
    loading.format = bytes ? ipl_format_of(data, bytes) : IPL_MULTIBOOT;
    return 0;
}

size_t system_command_line(char *to, size_t size, struct ipl_bytes image, uint64_t bytes, const char *name,
                           const char *given)
{
    if (linux_is(image, bytes))
        return format_text(to, size, "%s", *given ? given : "console=ttyS0");
    if (pvh_is(image, bytes) && ipl_format_of(image, bytes) == IPL_PVH)
        return format_text(to, size, "%s", given);
    return format_text(to, size, "%s%s%s", name, *given ? " " : "", given);
}

/* What a system is given beside its image: CP all systems, to offer in its turn, Linux its initrd. */
static unsigned modules_of(const struct system *system, struct multiboot_module module[SYSTEMS])
{
    bool is_cp = !strcmp(system->name, "CP");
    unsigned n = 0;
    for (unsigned i = 0; (is_cp || system->initrd) && n < SYSTEMS; i++) {
        const struct system *other = system_at(i);
        if (!other)
            break;
        if (is_cp || other == system->initrd)
            module[n++] = (struct multiboot_module){other->image, other->bytes, other->text};
    }
    return n;
}

static int ipl_registered(struct vm *vm, const char *name, const char *parm, const char **reason)
{
    const struct system *system = system_find(name);
    struct multiboot_module module[SYSTEMS];
    char command_line[COMMAND_LINE];
    if (!system) {
        *reason = "";
        return -ENOENT;
    }
    const struct ipl_bytes image = {.data = system->image};
    unsigned modules = modules_of(system, module);
    system_command_line(command_line, sizeof command_line, image, system->bytes, name,
                        *parm ? parm : system->arguments);
    int failed = system_ipl_image(vm, image, system->bytes, command_line, module, modules, reason);
    if (!failed && strcmp(name, "CP"))
        memcpy(loading.name, system->name, sizeof loading.name);
    return failed;
}

bool system_exists(const char *name) { return nss_find(name) || nss_of_class(name, NSS_READING) || system_find(name); }

/* One that was saved by command. */
static int ipl_nss(struct vm *vm, const struct nss *nss, const char *parm, const char **reason)
{
    char command_line[COMMAND_LINE];
    const struct user *user = nss->definition.restricted ? directory_find(&directory, vm->config.userid) : NULL;
    bool refused = nss->definition.restricted && !(user && directory_may_ipl(user, nss->definition.name));
    *reason = refused                            ? "it is restricted, and your directory entry does not name it"
              : *parm && !nss->definition.parm ? "it was defined with PARMREGS=NONE, and takes no PARM"
                                                 : "";
    if (**reason)
        return -ENOEXEC;
    format_text(command_line, sizeof command_line, "%s%s%s", nss->definition.name, *parm ? " " : "", parm);
    int failed = system_ipl_image(vm, (struct ipl_bytes){0}, 0, command_line, NULL, 0, reason);
    if (failed)
        return failed;
    loading.by_command = true;
    memcpy(loading.name, nss->definition.name, sizeof loading.name);
    return 0;
}

static const char firmware_name[] = "FIRMWARE";

/* Hexadecimal digits, at most four; else -1. */
static int device_number(const char *name)
{
    int number = 0;
    size_t n = 0;
    for (; name[n] && n < 5; n++) {
        const char *digit = strchr("0123456789ABCDEF", name[n]);
        if (!digit)
            return -1;
        number = number * 16 + (int)(digit - "0123456789ABCDEF");
    }
    return n && n < 5 ? number : -1;
}

bool system_is_device(struct vm *vm, const char *name)
{
    int number = device_number(name);
    return number >= 0 && machine_disk_slot(&vm->machine, (unsigned)number) >= 0;
}

/* By firmware, which is to boot that disk and no other. */
static int ipl_device(struct vm *vm, const char *name, const char *parm, const char **reason)
{
    *reason = !system_find(firmware_name) ? "CP was started without firmware"
              : *parm                     ? "a disk takes no PARM"
                                          : "";
    if (**reason)
        return -ENOEXEC;
    int failed = ipl_registered(vm, firmware_name, "", reason);
    if (failed)
        return failed;
    loading.disk = device_number(name);
    format_text(loading.name, sizeof loading.name, "%04X", (unsigned)loading.disk);
    return 0;
}

int system_ipl(struct vm *vm, const char *name, const char *parm, const char **reason)
{
    if (!system_exists(name) && system_is_device(vm, name))
        return ipl_device(vm, name, parm, reason);
    const struct nss *nss = nss_find(name);
    if (nss_of_class(name, NSS_READING))
        return -EAGAIN;
    return nss ? ipl_nss(vm, nss, parm, reason) : ipl_registered(vm, name, parm, reason);
}
