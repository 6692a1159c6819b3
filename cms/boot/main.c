/* From the loader to the command level.  In: the multiboot information.  Out: a running CMS; this never returns.
 * Order: what machine this is, interrupts, console, CP, heap, command level.  Until the console works, a fault can only
 * stop the machine. */
#include <libfdt.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "cms/boot/multiboot.h"
#include "cms/command/session.h"
#include "cms/console/terminal.h"
#include "cms/cpu/cpu.h"
#include "cms/cpu/trap.h"
#include "cms/cpu/user.h"
#include "cms/driver/clock.h"
#include "cms/driver/cp.h"
#include "cms/driver/cp_disk.h"
#include "cms/driver/pic.h"
#include "cms/driver/sleep.h"
#include "cms/driver/uart.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/machine.h"
#include "cms/kernel/random.h"
#include "lib/format.h"

enum { MODULES_MAX = 16, EXIT_ABEND = 1, EXIT_ELSEWHERE };

extern char image_start[], image_end[];
void boot_main(uint32_t magic, uint32_t info_at);

static struct trap_place command_level;
static bool command_level_reached, abending;
static const char *abend_name;
static uint64_t abend_address;
static struct machine machine;

static void say(const char *text)
{
    cms_terminal_write(text, strlen(text));
    cms_terminal_write("\r\n", 2);
}

static void __attribute__((noreturn)) stop(const char *text)
{
    say(text);
    cms_terminal_drain();
    cpu_stop();
}

/* ---- abends -------------------------------------------------------------------------------------------------- */

static const char *exception_name(uint64_t vector)
{
    static const char *const names[] = {
        [0] = "Divide error", [2] = "Nonmaskable interrupt", [3] = "Breakpoint", [4] = "Overflow",
        [5] = "Bound range", [6] = "Invalid opcode",
        [7] = "Device not available", [8] = "Double fault", [10] = "Invalid TSS", [11] = "Segment not present",
        [12] = "Stack fault", [13] = "General protection", [14] = "Page fault", [16] = "Floating-point",
        [17] = "Alignment check", [18] = "Machine check", [19] = "SIMD floating-point",
    };
    const char *name = vector < sizeof names / sizeof *names ? names[vector] : NULL;
    return name ? name : "Unexpected";
}

/* An abend within the handling of another or of an interrupt, or before there is a command level, leaves nothing to go
 * back to. */
static void abend(const struct trap_frame *f)
{
    char line[160];

    if (!command_level_reached || abending || trap_in_interrupt() || f->vector == 8) {
        format_text(line, sizeof line,
                    "\r\nDMSABE148T System abend %03lX called from %016lX, error %lX, address %016lX",
                    f->vector, f->rip, f->error, cpu_fault_address());
        say(line);
        stop("CMS is stopped; IPL it again.");
    }
    abending = true;
    user_state_load(NULL);
    abend_name = exception_name(f->vector);
    abend_address = f->rip;
    trap_return(&command_level, EXIT_ABEND);
}

/* ---- what the loader gave ------------------------------------------------------------------------------------ */

static void memory_from_map(const struct multiboot_info *info, struct machine *m)
{
    uint64_t image = cms_physical(image_start);
    for (uint64_t at = 0; at + sizeof(struct multiboot_range) <= info->map_length;) {
        const struct multiboot_range *r = cms_at_physical(info->map + at);
        if (r->type == MULTIBOOT_RAM && r->start <= image && image - r->start < r->length) {
            m->ram_start = r->start;
            m->ram_end = r->start + r->length;
        }
        at += (uint64_t)r->size + sizeof r->size;
    }
}

static void memory_from_loader(const struct multiboot_info *info, struct machine *m)
{
    if (info->flags & MULTIBOOT_HAS_MAP)
        memory_from_map(info, m);
    if (!m->ram_end && info->flags & MULTIBOOT_HAS_MEMORY) {
        m->ram_start = 1 << 20;
        m->ram_end = m->ram_start + (uint64_t)info->memory_upper * 1024;
    }
}

static bool is_tree(const struct multiboot_module *module)
{
    return module->end > module->start && module->end - module->start >= sizeof(struct fdt_header) &&
           fdt_magic(cms_at_physical(module->start)) == FDT_MAGIC;
}

static const struct multiboot_module *find_tree(const struct multiboot_info *info)
{
    const struct multiboot_module *modules = cms_at_physical(info->modules);
    if (!(info->flags & MULTIBOOT_HAS_MODULES) || info->module_count > MODULES_MAX)
        return NULL;
    for (uint32_t i = 0; i < info->module_count; i++)
        if (is_tree(&modules[i]))
            return &modules[i];
    return NULL;
}

/* The heap begins after the image; the tree is not needed once the machine is read from it.  Its command line, and the
 * loader's, may lie there too, and are looked at before. */
static void start_heap(const struct machine *m)
{
    uint64_t from = cms_physical(image_end), to = m->ram_end;
    if (to > UINT32_MAX)
        to = UINT32_MAX & ~0xfffull; /* devices begin below 4 GiB, and no CMS needs more */
    if (to <= from)
        stop("DMSINI109S Virtual storage capacity exceeded");
    cms_heap_start(cms_at_physical(from), to - from);
}

/* In capitals or small letters. */
static bool begins_with(const char *text, const char *word)
{
    while (*word && (*text == *word || *text == (*word | 0x20)))
        text++, word++;
    return !*word;
}

static bool says(const char *command_line, const char *word)
{
    for (const char *p = command_line; *p; p++)
        if (begins_with(p, word))
            return true;
    return false;
}

/* A machine that CP made has its console and its rates where they are always: the tree, which takes long to judge and
 * walk, says nothing more of use here. */
static const char *read_machine(const struct multiboot_info *info, struct machine *m)
{
    const struct multiboot_module *tree = find_tree(info);
    int where;

    cms_machine_default(m);
    memory_from_loader(info, m);
    if (info->flags & MULTIBOOT_HAS_COMMAND_LINE && info->command_line)
        m->command_line = cms_at_physical(info->command_line);
    return tree && !cp_is_there() ? cms_machine_from_tree(cms_at_physical(tree->start), tree->end - tree->start,
                                        cms_physical(image_start), m, &where)
                : NULL;
}

/* ---- command level ------------------------------------------------------------------------------------------- */

static void start_devices(void)
{
    pic_start();
    sleep_start();
    uart_start(machine.uart_port, machine.uart_irq);
}

/* Whose machine it is, and since when: many begin from the same saved pages with the same count of their processor, and
 * not every processor has RDRAND. Without CP nothing but time would tell, and it is slow to ask for. */
static void start_clock(void)
{
    struct clock_time now;

    clock_start(machine.tsc_khz);
    cms_clock_moved();
    if (!cp_times(&now))
        return;
    const uint64_t times[] = {now.unix_seconds, now.microseconds, now.virtual_ns, now.total_ns};
    cms_random_stir(times, sizeof times);
    cms_random_stir(cms_cp_user(), strlen(cms_cp_user()));
}

/* Was CMS saved by CP (SAVESYS), and is its machine another by now? Then its devices are as after a reset, its disks
 * are somebody else's, and whatever was going on ends here. */
static void look_where(void)
{
    if (!uart_was_reset())
        return;
    cp_disk_forget();
    cp_find();
    start_devices();
    cp_start();
    start_clock();
    if (command_level_reached) {
        user_state_load(NULL);
        trap_return(&command_level, EXIT_ELSEWHERE);
    }
}

static void __attribute__((noreturn)) run_commands(bool disks, bool profile)
{
    int exit = trap_save(&command_level);
    if (exit == EXIT_ABEND) {
        cms_session_recover(abend_name, abend_address);
        abending = false;
    } else if (exit == EXIT_ELSEWHERE) {
        cpu_interrupts_on();
        cms_session_elsewhere();
    } else {
        command_level_reached = true;
        cms_session_start(disks, profile);
    }
    for (;;)
        cms_session_step();
}

void boot_main(uint32_t magic, uint32_t info_at)
{
    const struct multiboot_info *info = cms_at_physical(info_at);

    if (magic != MULTIBOOT_LOADED)
        cpu_stop();
    cp_find();
    const char *trouble = read_machine(info, &machine);
    bool disks = !says(machine.command_line, "NODISK"), profile = !says(machine.command_line, "NOPROF");
    trap_set_abend(abend);
    trap_start();
    start_devices();
    sleep_before(look_where);
    cpu_interrupts_on();
    if (trouble) {
        say("DMSINI100W The device tree is not usable; a standard PC is assumed:");
        say(trouble);
    }
    cp_start();
    start_clock();
    start_heap(&machine);
    run_commands(disks, profile);
}
