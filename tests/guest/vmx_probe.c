/* Question: what does a hypervisor's work cost here, in ticks of the TSC (on Bochs: instructions)? A hypervisor that
 * measures itself: its own CPUID, the round trip of an exit of its guest, single VMX instructions, plain computing.
 *
 * With "trips=N" on its command line it makes N round trips and nothing else; with "way=memory" it shares its VMCS with
 * CP as a page, enters by the call for that and leaves out the single VMX instructions.
 * Prints "R name min=.. med=.. mean=.. max=.. n=.." lines. The cost of the two RDTSC around a single operation is taken
 * off; it is the first line. */
#include "tests/guest/runtime/measure.h"
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum { ROUNDS = 200, WARM = 20, COMPUTE = 2000000, OUTPUT_TICKS = 2000000, MOST_ROUNDS = 20000,
       MULTIBOOT_COMMAND_LINE = 1 << 2 };
_Static_assert(MOST_ROUNDS + 1 <= MEASURE_MOST, "a stamp each, and one of the end");

extern uint64_t probe_stamp, probe_rounds;
extern char probe_exited[], probe_page_exited[], probe_l2[], probe_l2_compute[];
uint64_t probe_run(void), probe_page_run(struct vmcs_page *page, natural_t *host_rsp), probe_compute(void);
bool probe_page_step(const struct vm_registers *l2);

static struct vmcs_page shared __attribute__((aligned(4096)));
static struct page region, other, spare, ept_top, ept_pointers, ept_directory[4];
static struct vm vm = {.region = &region};
static uint64_t *const samples = measure_samples;

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

#define INSTRUCTION(...) __asm__ volatile(__VA_ARGS__)

static void single_instructions(void)
{
    uint64_t value, here = address(&region), there = address(&other), elsewhere = address(&spare);
    uint64_t rip = vm_get(VMCS_GUEST_RIP), host_rip = vm_get(VMCS_HOST_RIP);
    MEASURE("vmread_exit_reason", INSTRUCTION("vmread %1, %0" : "=r"(value) : "r"((uint64_t)VMCS_EXIT_REASON) : "cc"));
    MEASURE("vmread_guest_rip", INSTRUCTION("vmread %1, %0" : "=r"(value) : "r"((uint64_t)VMCS_GUEST_RIP) : "cc"));
    MEASURE("vmwrite_guest_rip", INSTRUCTION("vmwrite %1, %0" : : "r"((uint64_t)VMCS_GUEST_RIP), "r"(rip) : "cc"));
    MEASURE("vmread_host_rip", INSTRUCTION("vmread %1, %0" : "=r"(value) : "r"((uint64_t)VMCS_HOST_RIP) : "cc"));
    MEASURE("vmwrite_host_rip", INSTRUCTION("vmwrite %1, %0" : : "r"((uint64_t)VMCS_HOST_RIP), "r"(host_rip) : "cc"));
    MEASURE("vmptrst", INSTRUCTION("vmptrst %0" : "=m"(value) : : "cc", "memory"));
    MEASURE("vmptrld_current", INSTRUCTION("vmptrld %0" : : "m"(here) : "cc", "memory"));
    MEASURE("vmptrld_switch", INSTRUCTION("vmptrld %0" : : "m"(*(i & 1 ? &here : &there)) : "cc", "memory"));
    vmx_load(here);
    MEASURE("vmclear_other", INSTRUCTION("vmclear %0" : : "m"(elsewhere) : "cc", "memory"));
    MEASURE("vmclear_and_vmptrld", INSTRUCTION("vmclear %0; vmptrld %0" : : "m"(there) : "cc", "memory"));
    vmx_load(here);
    if (rdmsr(MSR_VMX_FIRST + VMX_EPT_VPID_CAP) & EPT_CAP_INVEPT) {
        struct vmx_descriptor all = {0, 0};
        MEASURE("invept_all", INSTRUCTION("invept %0, %1" : : "m"(all), "r"(2ull) : "cc", "memory"));
    }
}

static void own_cpuid(const char *name)
{
    uint32_t eax, ebx, ecx, edx;
    MEASURE(name, INSTRUCTION("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(0), "c"(0)));
}

/* An exit's work, as probe.S has it: the time, four fields, RIP past a CPUID. False: it was no CPUID. */
bool probe_page_step(const struct vm_registers *l2)
{
    struct vmcs *fields = &shared.fields;
    uint64_t *stamp = (uint64_t *)(uintptr_t)probe_stamp;
    *stamp = rdtsc();
    probe_stamp = address(stamp + 1);
    if (fields->exit_reason != EXIT_CPUID)
        return false;
    fields->guest_rip += fields->exit_instruction_length;
    vmcs_set_add(&shared.written, VMCS_INDEX_GUEST_RIP);
    shared.rax = l2->rax;
    shared.rbx = l2->rbx;
    return true;
}

/* The reason of the exit that ended it; ~0: an entry failed. */
static uint64_t run_page(void)
{
    vmcs_set_add(&shared.written, VMCS_INDEX_HOST_RSP);
    uint64_t status = probe_page_run(&shared, &shared.fields.host_rsp);
    if (status)
        guest_print("the call failed with %llu\n", (unsigned long long)status);
    return status ? ~0ull : shared.fields.exit_reason;
}

static void run(const char *name, const char *entry, uint64_t rounds)
{
    vm_set(VMCS_HOST_RIP, address(vm.page ? probe_page_exited : probe_exited));
    vm_set(VMCS_GUEST_RIP, address(entry));
    probe_stamp = address(samples);
    probe_rounds = rounds;
    uint64_t reason = vm.page ? run_page() : probe_run();
    if (reason != EXIT_VMCALL) {
        guest_print("%s ended with %#llx, error %llu\n", name, (unsigned long long)reason,
                    (unsigned long long)vm_get(VMCS_INSTRUCTION_ERROR));
        guest_exit(1);
    }
}

static void round_trip(const char *name)
{
    run(name, probe_l2, ROUNDS + WARM);
    for (unsigned i = 0; i < ROUNDS; i++)
        samples[i] = samples[WARM + i + 1] - samples[WARM + i];
    measure_report(name, samples, ROUNDS);
}

/* What was printed gathers for a millisecond in each CP beneath; it is not to go while computing is measured. */
static void let_output_go(void)
{
    uint64_t end = rdtsc() + OUTPUT_TICKS;
    while (rdtsc() < end)
        ;
}

static void compute(const char *name)
{
    let_output_go();
    run(name, probe_l2_compute, COMPUTE);
    measure_report(name, samples + 1, 1); /* the exit's own stamp comes first */
}

static void own_compute(const char *name)
{
    let_output_go();
    probe_rounds = COMPUTE;
    samples[0] = probe_compute();
    measure_report(name, samples, 1);
}

/* What stands behind `key` on the command line; NULL: it is not there. */
static const char *option_text(const char *key)
{
    const struct multiboot_information *boot = guest_multiboot();
    const char *at = boot->flags & MULTIBOOT_COMMAND_LINE ? strstr((const char *)(uintptr_t)boot->command_line, key)
                                                         : NULL;
    return at ? at + strlen(key) : NULL;
}

/* The number there; 0: not there. */
static uint64_t option(const char *key)
{
    const char *at = option_text(key);
    uint64_t value = 0;

    for (at = at ? at : ""; *at >= '0' && *at <= '9' && value < MOST_ROUNDS; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

static void fresh(bool ept)
{
    vm_prepare(&vm);
    if (ept) {
        vm_set(VMCS_EPT_POINTER, address(&ept_top) | 3 << 3 | 6);
        vm_cpu(0, CPU2_EPT);
    }
}

/* 4 GiB one to one by 2 MiB pages. */
static void build_ept(void)
{
    uint64_t *top = (uint64_t *)(void *)&ept_top, *pointers = (uint64_t *)(void *)&ept_pointers;
    uint64_t *directory = (uint64_t *)(void *)ept_directory;
    top[0] = address(&ept_pointers) | 7;
    for (unsigned n = 0; n < 4; n++)
        pointers[n] = address(&ept_directory[n]) | 7;
    for (uint64_t n = 0; n < 2048; n++)
        directory[n] = n << 21 | 0x80 | 6 << 3 | 7;
}

int guest_main(void)
{
    measure_begin();
    own_cpuid("own_cpuid");
    vm_begin();
    vm_stamp(&other, 0);
    vm_stamp(&spare, 0);
    vmx_clear(address(&other));
    build_ept();
    if (option_text("way=memory")) {
        if (!vm_offers_pages()) {
            guest_print("CP offers no memory way\n");
            return 2;
        }
        vm.page = &shared;
    }
    uint64_t trips = option("trips=");
    if (trips) { /* so many and nothing else: whoever counts exits runs this twice and takes the difference */
        fresh(false);
        run("trips", probe_l2, trips < MOST_ROUNDS ? trips : MOST_ROUNDS);
        return 0;
    }
    guest_print("shadowing offered: %u\n", vm_offers(VMX_CPU2, CPU2_VMCS_SHADOWING));
    fresh(false);
    round_trip("round_trip");
    if (!vm.page)
        single_instructions();
    own_cpuid("own_cpuid_in_root");
    fresh(true);
    round_trip("round_trip_ept");
    fresh(true);
    compute("compute_guest");
    own_compute("compute_own");
    guest_print("end\n");
    return 0;
}
