/* The hypervisor of sequences; see guest.h. What it may ask for differs from sequence to sequence: pages of the window
 * that are not in its EPT until they are touched, exceptions, interrupts, NMIs. All of it is given back to the guest as
 * the manual says a hypervisor does it. */
#include "tests/guest/oracle/guest.h"

#include <string.h>

#include "tests/guest/oracle/run.h"
#include "tests/guest/vmx/vm.h"

enum {
    READ_EXECUTE = 5,
    ALL = 7,
    LARGE = 0x80,
    WRITE_BACK = 6 << 3,
    FRAME_ENTRIES = 512,
    MOST_EXITS = 5000,
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_PF = 14,
    DR6_BITS = 0x600F,
    PENDING_BS = 1 << 14,
    REFLECTED = 1 << 0 | 1 << VECTOR_DB | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 13 | 1 << VECTOR_PF,
    /* of what an exit says of an event */
    VALID = 1u << 31,
    UNBLOCKED = 1 << 12,
    ERROR_CODE = 1 << 11,
    TYPE = 7 << 8,
    TYPE_NMI = 2 << 8,
    TYPE_FAULT = 3 << 8,
    TYPE_SOFTWARE = 4 << 8,
    SHADOW = 3,
    NMI_BLOCKED = 8, /* of interruptibility */
};

static struct page region, linked, top, pointers, directory[4], frames, bitmap, functions, read_bitmap, write_bitmap;
static struct vmcs_page shared __attribute__((aligned(4096))), linked_page __attribute__((aligned(4096)));
static struct way {
    struct vm vm;
    bool links;              /* L2 may have VMREAD and VMWRITE of the VMCS it is linked to */
    uint32_t pin, cpu, cpu2; /* as written last: asking what is offered costs exits */
} ways[2] = {{.vm = {.region = &region}}, {.vm = {.page = &shared}}}, *way;
static struct vm *vm; /* its */
static uint64_t choice, eptp, result, run_seed, run_number, fresh_from, fresh_count;
static uint32_t exceptions;
static bool offers_pages, hides_pages, takes_interrupts, takes_nmis, nmi_waits, run_trace;

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static void put_entry(struct page *page, unsigned n, uint64_t value) { ((uint64_t *)(void *)page)[n] = value; }
static uint64_t entry(struct page *page, unsigned n) { return ((uint64_t *)(void *)page)[n]; }

static void choose(unsigned n)
{
    way = &ways[n];
    vm = &way->vm;
}

/* ---- EPT ------------------------------------------------------------------------- */

static void forget(void)
{
    struct vmx_descriptor context = {eptp, 0};
    vmx_invept(1, &context);
}

static void map_frames(uint64_t rights)
{
    for (unsigned n = 0; n < FRAME_ENTRIES; n++)
        put_entry(&frames, n, rights ? (uint64_t)(ORACLE_FRAMES + n * ORACLE_PAGE) | WRITE_BACK | rights : 0);
    forget();
}

static void build_ept(void)
{
    put_entry(&top, 0, address(&pointers) | ALL);
    for (unsigned gib = 0; gib < 4; gib++) {
        put_entry(&pointers, gib, address(&directory[gib]) | ALL);
        for (unsigned n = 0; n < 512; n++)
            put_entry(&directory[gib], n, (gib * 512ull + n) << 21 | LARGE | (gib < 3 ? WRITE_BACK : 0) | ALL);
    }
    put_entry(&directory[0], ORACLE_FRAMES >> 21, address(&frames) | ALL);
    eptp = address(&top) | 3 << 3 | 6;
}

/* ---- exits --------------------------------------------------------------------------- */

static void unexpected(const char *what)
{
    guest_print("%s at sequence %llu\n", what, (unsigned long long)run_number);
    vm_print_exit("exit", vm);
    guest_print("RIP %llx RSP %llx flags %llx\n", (unsigned long long)vm->exit.rip,
                (unsigned long long)vm_get(VMCS_GUEST_RSP), (unsigned long long)vm_get(VMCS_GUEST_RFLAGS));
    guest_exit(4);
}

static void inject(uint32_t info, uint64_t error, uint64_t length)
{
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, info & (VALID | ERROR_CODE | TYPE | 0xFF));
    vm_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, error);
    vm_set(VMCS_ENTRY_INSTRUCTION_LENGTH, length);
}

static void block_nmis(bool block)
{
    uint64_t state = vm_get(VMCS_GUEST_INTERRUPTIBILITY) & ~(uint64_t)NMI_BLOCKED;
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, state | (block ? NMI_BLOCKED : 0));
}

/* An event that was on its way is so again. */
static void deliver_again(void)
{
    uint32_t info = vm->exit.idt_vectoring_info;

    if (!(info & VALID)) {
        if (vm->exit.qualification & UNBLOCKED)
            block_nmis(true);
        return;
    }
    if ((info & TYPE) == TYPE_NMI)
        block_nmis(false);
    inject(info, vm->exit.idt_vectoring_error, (info & TYPE) >= TYPE_SOFTWARE ? vm->exit.instruction_length : 0);
}

static void handle_violation(void)
{
    uint64_t frame = (vm->exit.guest_physical - ORACLE_FRAMES) >> 12, had;

    if (frame >= FRAME_ENTRIES)
        unexpected("a violation of what is mapped");
    had = entry(&frames, (unsigned)frame) & ALL;
    uint64_t rights = vm->exit.qualification & 2 ? ALL : READ_EXECUTE;
    if (had == rights || had == ALL || (vm->exit.qualification >> 3 & ALL) != had)
        unexpected("a violation that is none");
    put_entry(&frames, (unsigned)frame, (ORACLE_FRAMES + frame * ORACLE_PAGE) | WRITE_BACK | rights);
    if (oracle_below(&choice, 16) == 0) /* which nobody needs: the violation did it */
        forget();
    deliver_again();
    if (!(vm->exit.idt_vectoring_info & VALID)) { /* as a processor leaves it; docs/machine.md says what Bochs does */
        vm_set(VMCS_GUEST_RFLAGS, vm_get(VMCS_GUEST_RFLAGS) | FLAG_R);
        if (!(vm_get(VMCS_GUEST_INTERRUPTIBILITY) & SHADOW))
            vm_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
    }
}

static void handle_exception(void)
{
    uint32_t info = vm->exit.interruption_info, vector = info & 0xFF;

    if ((info & TYPE) == TYPE_NMI) {
        nmi_waits = true;
        __asm__ volatile("int $2");             /* whose IRET lets the next one come */
        if (vm->exit.idt_vectoring_info & VALID) /* beneath CP only, which delivers again what met a page of its own */
            deliver_again();
        return;
    }
    if (vm->exit.idt_vectoring_info & VALID)
        unexpected("a fault within a delivery");
    if (info & UNBLOCKED)
        block_nmis(true);
    if (vector == VECTOR_PF)
        write_cr2(vm->exit.qualification);
    if ((info & TYPE) == TYPE_FAULT && vector != VECTOR_DB) /* Bochs saves it without */
        vm_set(VMCS_GUEST_RFLAGS, vm_get(VMCS_GUEST_RFLAGS) | FLAG_R);
    if (vector == VECTOR_DB && (info & TYPE) == TYPE_FAULT)
        write_dr6((read_dr6() & ~15ull) | (vm->exit.qualification & DR6_BITS));
    inject(info, vm->exit.interruption_error, (info & TYPE) >= TYPE_SOFTWARE ? vm->exit.instruction_length : 0);
}

/* As the processor does behind an instruction. */
static void skip(void)
{
    uint64_t flags = vm_get(VMCS_GUEST_RFLAGS);

    vm_skip(vm);
    vm_set(VMCS_GUEST_RFLAGS, flags & ~(uint64_t)FLAG_R);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, vm_get(VMCS_GUEST_INTERRUPTIBILITY) & ~(uint64_t)SHADOW);
    if (flags & FLAG_T)
        vm_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, vm_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) | PENDING_BS);
}

static void handle_cpuid(void)
{
    struct guest_cpuid r = cpuid((uint32_t)vm->registers.rax, (uint32_t)vm->registers.rcx);

    vm->registers.rax = r.eax;
    vm->registers.rbx = r.ebx;
    vm->registers.rcx = r.ecx;
    vm->registers.rdx = r.edx;
    skip();
    if (hides_pages && oracle_below(&choice, 2))
        map_frames(0);
}

static void set_controls(void)
{
    bool blocked = vm_get(VMCS_GUEST_INTERRUPTIBILITY) & (SHADOW | NMI_BLOCKED);
    bool busy = vm_get(VMCS_ENTRY_INTERRUPTION_INFO) & VALID;

    if (nmi_waits && !blocked && !busy) {
        nmi_waits = false;
        inject(VALID | TYPE_NMI | VECTOR_NMI, 0, 0);
    }
    uint32_t pin = (takes_interrupts ? PIN_EXTERNAL_INTERRUPT_EXITING : 0) |
                   (takes_nmis ? PIN_NMI_EXITING | PIN_VIRTUAL_NMIS : 0);
    uint32_t cpu = CPU_MSR_BITMAPS | (nmi_waits ? CPU_NMI_WINDOW_EXITING : 0);
    uint32_t cpu2 = CPU2_EPT | (way->links ? CPU2_VMCS_SHADOWING : 0) |
                    (sequence_denies(run_seed, run_number) ? 0 : CPU2_RDTSCP | CPU2_VM_FUNCTIONS);
    if (pin != way->pin)
        vm_pin(way->pin = pin);
    if (cpu != way->cpu || cpu2 != way->cpu2)
        vm_cpu(way->cpu = cpu, way->cpu2 = cpu2);
}

static void handle_exit(void)
{
    bool took_interrupts = takes_interrupts;

    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, 0);
    switch (exit_basic(&vm->exit)) {
    case EXIT_EXCEPTION_NMI: handle_exception(); break;
    case EXIT_EXTERNAL_INTERRUPT: /* is not acknowledged, and so comes to the guest */
        takes_interrupts = false;
        deliver_again();
        break;
    case EXIT_NMI_WINDOW: break;
    case EXIT_CPUID: handle_cpuid(); break;
    case EXIT_EPT_VIOLATION: handle_violation(); break;
    default: unexpected("an exit nobody asked for");
    }
    set_controls();
    takes_interrupts = took_interrupts;
}

/* ---- a sequence ------------------------------------------------------------------------ */

static void l2_begin(void *unused)
{
    (void)unused;
    oracle_begin(true, fresh_from, fresh_count);
}

static void l2_run(void *unused)
{
    (void)unused;
    result = oracle_run(run_seed, run_number, run_trace);
}

static void enter(void (*body)(void *))
{
    vm_select(vm);
    oracle_set_links(way->links);
    vm_start(vm, body, NULL);
    vm_set(VMCS_EXCEPTION_BITMAP, exceptions);
    nmi_waits = false;
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, 0);
    set_controls();
    for (unsigned exits = 0; exits < MOST_EXITS; exits++) {
        vm_run(vm);
        if (vm->entered == VMX_SUCCEED && vm_finished(vm) && !(vm->exit.reason & EXIT_ENTRY_FAILED))
            return;
        if (vm->entered != VMX_SUCCEED || vm->exit.reason & EXIT_ENTRY_FAILED)
            unexpected("no entry");
        handle_exit();
    }
    unexpected("no end of exits");
}

uint64_t oracle_guest_run(uint64_t seed, uint64_t number, bool trace)
{
    choice = (seed << 32 | number) * 0x9E3779B97F4A7C15ull | 1;
    hides_pages = oracle_below(&choice, 4);
    takes_interrupts = oracle_below(&choice, 2);
    takes_nmis = oracle_below(&choice, 2);
    exceptions = oracle_below(&choice, 2) ? (uint32_t)oracle_random(&choice) & REFLECTED : 0;
    run_seed = seed;
    run_number = number;
    run_trace = trace;
    choose(oracle_below(&choice, 4) && offers_pages);
    map_frames(hides_pages ? 0 : ALL);
    enter(l2_run);
    return result;
}

static void prepare(unsigned n)
{
    choose(n);
    vm_prepare(vm);
    vm_exit_controls(EXIT_SAVE_DEBUG_CONTROLS);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS);
    vm_set(VMCS_EPT_POINTER, eptp);
    vm_set(VMCS_EPTP_LIST_ADDRESS, address(&functions));
    vm_set(VMCS_VM_FUNCTION_CONTROLS, 1);
    vm_cpu(CPU_MSR_BITMAPS, CPU2_EPT);
    vm_set(VMCS_MSR_BITMAP, address(&bitmap));
    way->links = vm_offers(VMX_CPU2, CPU2_VMCS_SHADOWING);
    if (way->links) {
        vm_set(VMCS_VMREAD_BITMAP, address(&read_bitmap));
        vm_set(VMCS_VMWRITE_BITMAP, address(&write_bitmap));
        vm_set(VMCS_VMCS_LINK_POINTER, vm->page ? address(&linked_page) : address(&linked));
    }
}

void oracle_guest_begin(uint64_t first_fresh, uint64_t fresh)
{
    fresh_from = first_fresh;
    fresh_count = fresh;
    offers_pages = vm_offers_pages();
    vm_begin();
    build_ept();
    put_entry(&functions, 0, eptp);
    vm_stamp(&linked, VMCS_SHADOW_INDICATOR);
    vmx_clear(address(&linked));
    vm_stamp_page(&linked_page, VMCS_SHADOW_INDICATOR);
    if (offers_pages)
        prepare(1);
    prepare(0);
    map_frames(ALL);
    enter(l2_begin);
}
