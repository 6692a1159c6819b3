/* From the loader to the event loop: the order in which CP comes up. Each step is a function that says what is wrong,
 * if anything is, on the console and ends CP with it. */
#include <stddef.h>
#include <string.h>

#include "cp/boot/discover.h"
#include "cp/boot/drivers.h"
#include "cp/cpu/cpu.h"
#include "cp/cpu/memory.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/vmx.h"
#include "cp/diagnose.h"
#include "cp/diagnose/below.h"
#include "cp/dispatch/give.h"
#include "cp/dispatch/run.h"
#include "cp/driver/clock.h"
#include "cp/host/host.h"
#include "cp/ipl/multiboot.h"
#include "cp/ipl/system.h"
#include "cp/nested/hardware.h"
#include "cp/session/power_off.h"
#include "cp/session/shutdown.h"
#include "cp/session/user.h"
#include "cp/storage/frame.h"
#include "cp/terminal/terminal.h"
#include "cp/time/work.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/context.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/machine_check.h"
#include "lib/format.h"

void cp_main(uint32_t magic, uint64_t information);

/* Nothing runs yet that could be harmed: the reason on the console and the debug port, and off. */
__attribute__((noreturn, format(printf, 1, 2))) static void refuse(const char *format, ...)
{
    char text[240], line[280];
    va_list args;

    va_start(args, format);
    format_text_v(text, sizeof text, format, args);
    va_end(args);
    size_t n = format_text(line, sizeof line, "HCPISU951E CP cannot start: %s\r\n", text);
    drivers_last_words(line, n);
    cp_exit_status(CP_EXIT_OTHER);
    cp_power_off();
}

static struct cpuid_answer cpuid_now(uint32_t leaf, uint32_t subleaf)
{
    if (leaf > op_cpuid(leaf & 0x80000000u, 0).eax) /* some answer as for their highest leaf */
        return (struct cpuid_answer){0};
    struct cpuid_result r = op_cpuid(leaf, subleaf);
    return (struct cpuid_answer){r.eax, r.ebx, r.ecx, r.edx};
}

/* Bochs keeps an external interrupt from leaving a guest that was entered with RFLAGS.IF = 0; a CP below does not, and
 * says so. */
static bool below_has(enum diagnose_property property)
{
    return cp_below_is_vmn() && (op_cpuid(DIAGNOSE_LEAF_ASSISTS, 0).ebx & property);
}

static void virtualization_start(void)
{
    const char *vmx = cpu_vmx.start(), *svm = vmx ? cpu_svm.start() : NULL;

    if (vmx && svm)
        refuse("this machine lacks %s, and %s", vmx, svm);
    bool memory = !vmx && cp_below_offers(DIAGNOSE_ASSIST_ENTER);
    cpu_backend = vmx ? &cpu_svm : memory ? &cpu_memory : &cpu_vmx;
    cpu_nested = vmx ? &svm_nested : memory ? &memory_nested : &vmx_nested;
    memory_delegates = memory && cp_below_offers(DIAGNOSE_ASSIST_DELEGATE);
    cpu_events.exact = vmx || below_has(DIAGNOSE_EXACT_INTERRUPTS);
    cpuid_marks_pdptes = vmx || below_has(DIAGNOSE_MARKED_PDPTES);
    cpu_speculation_start();
    cpuid_policy_init(cpuid_now, vmx_controls.cpu2, context_xcr0_supported(), clock_hz);
}

/* The tree, and what --ipl brings, are not for everybody. */
static void systems_register(const struct machine_facts *facts)
{
    const struct tree_module *end = machine_facts_module(facts, "ipl");

    if (!end)
        end = facts->module + facts->modules;
    for (const struct tree_module *m = facts->module; m < end; m++) {
        char name[9];
        system_name(m->text, name);
        if (!strcmp(name, "TREE"))
            continue;
        const char *why = system_register(m->text, frame_pointer(hpa(m->start)), m->bytes);
        if (why)
            user_tell_all("ISU", 9034, name, why);
    }
}

static unsigned word_length(const char *text)
{
    unsigned n = 0;
    while (text[n] && text[n] != ' ')
        n++;
    return n;
}

/* What follows a module's first word. */
static const char *after_name(const char *text)
{
    const char *end = text + word_length(text);
    return *end ? end + 1 : end;
}

static void single_start(const struct machine_facts *facts, const struct tree_module *kernel)
{
    static struct multiboot_module more[TREE_MODULES];
    unsigned n = 0;

    for (const struct tree_module *m = facts->module; m < facts->module + facts->modules; m++)
        if (m > kernel)
            more[n++] = (struct multiboot_module){frame_pointer(hpa(m->start)), m->bytes, m->text};
    struct user_single single = {
        .image = frame_pointer(hpa(kernel->start)), .image_bytes = kernel->bytes,
        .command_line = after_name(kernel->text), .module = more, .modules = n,
    };
    const char *wrong = machine_config_read(&single.machine, facts->command_line);

    if (wrong)
        refuse("its command line asks for %.*s", (int)word_length(wrong), wrong);
    if (!drivers_lines())
        refuse("no serial line answers");
    user_start_single(drivers_line(0), &single);
}

/* 0: the option is not there, or is no line's number. Lines that are there can be so named, but for the first. */
static unsigned line_number(const char *command_line, const char *option)
{
    const char *at = strstr(command_line, option);
    unsigned number = 0;
    for (at = at ? at + strlen(option) : ""; *at >= '0' && *at <= '9' && number <= DRIVERS_LINES; at++)
        number = number * 10 + (unsigned)(*at - '0');
    return number > 1 && number <= DRIVERS_LINES ? number : 0;
}

static void users_start(const struct machine_facts *facts)
{
    const struct tree_module *kernel = machine_facts_module(facts, "ipl");
    static struct line *lines[DRIVERS_LINES];
    const char *carrier = strstr(facts->command_line, "carrier=");

    if (carrier)
        terminal_trust(carrier + 8, word_length(carrier + 8));
    if (kernel) {
        single_start(facts, kernel);
        return;
    }
    unsigned hosts = line_number(facts->command_line, "spool-line="), count = 0;
    for (unsigned i = 0; i < drivers_lines(); i++)
        if (i + 1 == hosts)
            host_start(drivers_line(i));
        else
            lines[count++] = drivers_line(i);
    const char *logon = strstr(facts->command_line, "logon=");
    if (logon)
        user_console_logon(logon + 6, word_length(logon + 6));
    user_start(drivers_system_disk(), lines, count);
}

/* Once a turn: users' deferred work, and the end. */
static bool turn(void *context)
{
    (void)context;
    bool gave = give_turn(), polled = user_poll();
    if (!shutdown_done)
        return gave || polled;
    drivers_drain();
    cp_power_off();
}

void cp_main(uint32_t magic, uint64_t information)
{
    static struct machine_facts facts;
    struct tree_fault fault;

    cpu_tables_load();
    if (!discover(magic, information, &facts, &fault))
        refuse("%s: %s", fault.path, fault.reason);
    cp_exit_port(facts.debug_exit);
    clock_start(facts.tsc_hz);
    work_start();
    discover_storage(&facts);
    cpu_machine_check_start();
    virtualization_start();
    drivers_start(&facts);
    frame_keep();
    give_start();
    users_start(&facts);
    systems_register(&facts);
    drivers_open();
    machine_check_watch();
    run_each_turn(turn, NULL);
    run_loop();
}
