/* Named systems, and IPL. In: a name or an image. Out: a machine whose storage and CPU are ready to run it. */
#include "cp/ipl/system.h"

#include <errno.h>
#include <string.h>

#include "cp/directory/directory.h"
#include "cp/dispatch/vm.h"
#include "cp/ipl/multiboot.h"
#include "cp/ipl/tree.h"
#include "cp/ipl/tree_vm.h"
#include "cp/vcpu/registers.h"
#include "lib/format.h"

enum { COMMAND_LINE = 256, TREE_BYTES = 16384 };

static struct system table[SYSTEMS];
static unsigned systems;

_Static_assert((int)SYSTEMS < (int)MULTIBOOT_MODULES && (int)SYSTEMS < (int)TREE_MODULES, "a CP is given all");

const char *system_register(const char *name, const void *image, size_t bytes)
{
    if (!directory_name_valid(name, strnlen(name, 9)))
        return "its name cannot be typed";
    if (system_find(name))
        return "there is one of that name";
    if (systems == SYSTEMS)
        return "CP keeps no more";
    struct system *s = &table[systems++];
    memcpy(s->name, name, strlen(name) + 1);
    s->image = image;
    s->bytes = bytes;
    return NULL;
}

const struct system *system_find(const char *name)
{
    for (unsigned i = 0; i < systems; i++)
        if (!strcmp(table[i].name, name))
            return &table[i];
    return NULL;
}

const struct system *system_at(unsigned index) { return index < systems ? &table[index] : NULL; }

/* ---- IPL -------------------------------------------------------------------------------------------------------- */

/* The tree's size, or 0 and why there is none. */
static size_t make_tree(const struct vm *vm, const char *command_line, void *to, const char **reason)
{
    struct tree_config config;
    struct tree_fault fault = {.reason = ""};
    tree_vm_config(&config, &vm->config, clock_hz, command_line);
    size_t bytes = tree_build(to, TREE_BYTES, &config, &fault);
    *reason = fault.reason;
    return bytes;
}

/* One at a time: whose storage is being filled, by what, and how it starts. */
static struct loading {
    struct vm *vm; /* NULL: nobody's */
    int (*step)(struct vm *, const char **reason);
    char command_line[COMMAND_LINE];
    struct multiboot_module module[MULTIBOOT_MODULES];
    struct multiboot_image image;
    struct ipl_copies copies;
    struct multiboot_entry entry;
} loading;

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
    return 0;
}

static int begin(struct vm *vm, const char **reason)
{
    const char *why = multiboot_begin(&loading.copies, &vm->storage, &loading.image, &loading.entry);
    if (why) {
        *reason = why;
        return -ENOEXEC;
    }
    loading.step = copy;
    return SYSTEM_IPL_MORE;
}

static int clear(struct vm *vm, const char **reason)
{
    int failed = vm_define_storage(vm, vm->config.storage_bytes);
    if (failed) {
        *reason = failed == -EBUSY ? "disk requests are under way" : "CP has no page frames for it";
        return failed;
    }
    loading.step = begin;
    return SYSTEM_IPL_MORE;
}

static int plant(struct vm *vm, const char **reason)
{
    static _Alignas(8) uint8_t tree[TREE_BYTES];
    loading.module[0] = (struct multiboot_module){.data = tree, .text = "tree"};
    loading.module[0].bytes = make_tree(vm, loading.command_line, tree, reason);
    loading.step = clear;
    return loading.module[0].bytes ? SYSTEM_IPL_MORE : -ENOEXEC;
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
    if (loading.vm == vm)
        loading.vm = NULL;
}

int system_ipl_image(struct vm *vm, const void *data, size_t bytes, const char *command_line,
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
    format_text(loading.command_line, sizeof loading.command_line, "%s", command_line);
    for (unsigned i = 0; i < modules; i++)
        loading.module[i + 1] = module[i];
    loading.image = (struct multiboot_image){.data = data, .bytes = bytes, .command_line = loading.command_line,
                                             .module = loading.module, .modules = modules + 1};
    return 0;
}

int system_ipl(struct vm *vm, const char *name, const char *parm, const char **reason)
{
    const struct system *system = system_find(name);
    struct multiboot_module module[SYSTEMS];
    char command_line[COMMAND_LINE];
    bool is_cp = !strcmp(name, "CP"); /* gets the systems, to offer in its turn */
    if (!system) {
        *reason = "";
        return -ENOENT;
    }
    for (unsigned i = 0; i < systems; i++)
        module[i] = (struct multiboot_module){.data = table[i].image, .bytes = table[i].bytes, .text = table[i].name};
    format_text(command_line, sizeof command_line, "%s%s%s", name, *parm ? " " : "", parm);
    return system_ipl_image(vm, system->image, system->bytes, command_line, module, is_cp ? systems : 0, reason);
}
