/* The small things pure code asks of the processor and the machine: cp/vcpu/edge.h, cp/session/power_off.h,
 * cp/session/carrier.h, cp/diagnose/below.h, the clock, the accessors that go through the backend. */
#include "cp/diagnose/below.h"
#include "cp/session/carrier.h"
#include "cp/session/power_off.h"
#include "cp/vcpu/edge.h"
#include "cp/vcpu/exits.h"

#include <string.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/port.h"
#include "cp/diagnose.h"
#include "cp/dispatch/account.h"
#include "cp/nested/hardware.h"
#include "cp/panic.h"
#include "cp/storage/frame.h"
#include "cp/time/timer.h"
#include "cp/vcpu/backend.h"
#include "lib/format.h"

const struct cpu_backend *cpu_backend;
const struct cpu_nested *cpu_nested;

uint64_t vcpu_read_any(struct vcpu *vcpu, enum vmcs_field field)
{
    return cpu_backend->read(vcpu, field);
}

void vcpu_write_any(struct vcpu *vcpu, enum vmcs_field field, uint64_t value)
{
    cpu_backend->write(vcpu, field, value);
}

uint64_t clock_now(void)
{
    return op_rdtsc();
}

void frame_clear(void *frame)
{
    op_clear(frame, PAGE_SIZE / 8);
}

void cpu_cr2_set(struct vcpu *vcpu, uint64_t value)
{
    vcpu->cr2 = value;
    if (cpu_this.holder == vcpu)
        op_write_cr2(value);
}

uint64_t cpu_dr(const struct vcpu *vcpu, unsigned number)
{
    return cpu_this.holder == vcpu ? op_read_dr(number) : vcpu->dr[number];
}

void cpu_dr6_report(struct vcpu *vcpu, uint64_t conditions)
{
    if (!conditions)
        return;
    if (cpu_this.holder == vcpu)
        vcpu->dr6 = op_read_dr6();
    vcpu->dr6 = debug_dr6(vcpu->dr6, conditions);
    if (cpu_this.holder == vcpu)
        op_write_dr6(vcpu->dr6);
}

void cpu_look(void) { cpu_interrupt_window(); }

/* ---- the CP below ----------------------------------------------------------------- */

enum { SIGNATURE_BYTES = 12 };
#define CPUID_1_ECX_HYPERVISOR (1u << 31)

/* false: no hypervisor below says that it is there */
static bool signature_below(char *signature)
{
    if (!(op_cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR))
        return false;
    struct cpuid_result name = op_cpuid(DIAGNOSE_LEAF_SIGNATURE, 0);
    memcpy(signature, &name.ebx, 4);
    memcpy(signature + 4, &name.ecx, 4);
    memcpy(signature + 8, &name.edx, 4);
    return true;
}

bool cp_below_is_vmn(void)
{
    char signature[SIGNATURE_BYTES];
    return signature_below(signature) && !memcmp(signature, DIAGNOSE_SIGNATURE, sizeof signature);
}

const char *cp_machine_name(void)
{
    static const struct {
        const char *signature, *name;
    } known[] = {
        {DIAGNOSE_SIGNATURE, "A CP THAT DOES NOT TELL"}, {"KVMKVMKVM\0\0\0", "KVM"}, {"TCGTCGTCGTCG", "QEMU"},
        {"Microsoft Hv", "HYPER-V"}, {"VMwareVMware", "VMWARE"}, {"XenVMMXenVMM", "XEN"},
    };
    char signature[SIGNATURE_BYTES];

    if (!signature_below(signature))
        return "REAL MACHINE";
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        if (!memcmp(signature, known[i].signature, sizeof signature))
            return known[i].name;
    return "A HYPERVISOR WE DO NOT KNOW";
}

bool cp_below_offers(uint32_t assists)
{
    return cp_below_is_vmn() && !(~op_cpuid(DIAGNOSE_LEAF_ASSISTS, 0).eax & assists);
}

uint32_t cp_below_chain(char *text, uint32_t size)
{
    uint64_t length = size, more = 0;

    if (!cp_below_offers(DIAGNOSE_ASSIST_CHAIN))
        return 0;
    if (op_diagnose(DIAGNOSE_CHAIN, (uintptr_t)text, &length, &more) != DIAGNOSE_OK)
        return 0;
    return length < size ? (uint32_t)length : size;
}

/* A CP that does not know of rows leaves RDX alone. */
unsigned cp_below_columns(uint16_t port, unsigned *rows)
{
    uint64_t columns = 0, high = 0;

    *rows = 0;
    if (!cp_below_offers(DIAGNOSE_ASSIST_LINE) || op_diagnose(DIAGNOSE_LINE, port, &columns, &high) != DIAGNOSE_OK)
        return 0;
    *rows = (unsigned)high;
    return (unsigned)columns;
}

const char *cp_virtualization(void)
{
    return cpu_backend->name;
}

/* ---- the end ---------------------------------------------------------------------- */

static unsigned exit_status;
static uint16_t exit_port;
static bool exit_told;

void cp_exit_status(unsigned status)
{
    exit_status = status;
    exit_told = true;
}

void cp_exit_port(uint16_t port)
{
    exit_port = port;
}

static void tell_longest(void)
{
    char text[80];
    const char *what;
    uint64_t ticks;

    for (unsigned at = 0; account_stretch_next(&at, &what, &ticks);) {
        format_text(text, sizeof text, "VMN-LONGEST %llu %s\n", (unsigned long long)ticks, what);
        debug_print(text);
    }
}

void carrier_hang_up(unsigned line, unsigned status)
{
    char text[40];
    format_text(text, sizeof text, "VMN-HANGUP %u %u\n", line, status);
    debug_print(text);
}

void carrier_parted(unsigned line)
{
    char text[40];
    format_text(text, sizeof text, "VMN-GONE %u\n", line);
    debug_print(text);
}

void carrier_served(unsigned line)
{
    char text[40];
    format_text(text, sizeof text, "VMN-SERVED %u\n", line);
    debug_print(text);
}

void carrier_quiet(unsigned line, bool quiet)
{
    char text[40];
    format_text(text, sizeof text, "VMN-QUIET %u %u\n", line, quiet);
    debug_print(text);
}

static void tell_exit(void)
{
    char text[80];

    if (exit_port) /* does not come back */
        port_out32(exit_port, exit_status == CP_EXIT_OTHER ? CP_EXIT_OTHER_BELOW : exit_status);
    format_text(text, sizeof text, "VMN-COUNT exits=%llu asynchronous=%llu\n",
                (unsigned long long)dispatch_account.entries, (unsigned long long)exits_asynchronous);
    debug_print(text);
    tell_longest();
    format_text(text, sizeof text, "VMN-EXIT %u\n", exit_status);
    debug_print(text);
}

/* The machine CP runs on may be Bochs, QEMU or another CP: each has its own port, and the others ignore it. */
void cp_power_off(void)
{
    enum { SLEEP_ENABLE = 0x2000 };
    static const uint16_t ports[] = {0xB004, 0x604};

    op_cli();
    if (exit_told)
        tell_exit();
    for (unsigned i = 0; i < sizeof ports / sizeof *ports; i++)
        port_out16(ports[i], SLEEP_ENABLE);
    for (const char *p = "Shutdown"; *p; p++)
        port_out8(0x8900, (uint8_t)*p);
    for (;;)
        op_stop();
}

/* Debian's libfdt.a is built with stack protection: its canary is read at %fs:0x28, which with CP's FS base of 0 is a
 * word of the firmware's that nobody writes; a function of it that finds the word changed has overrun its frame. */
__attribute__((noreturn)) void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
    panic("a stack frame of libfdt was overrun");
}
