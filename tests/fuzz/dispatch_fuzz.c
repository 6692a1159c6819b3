/* A whole machine with virtual VMX in the event loop, on a processor that leaves it for any reason, with any
 * qualification, registers and storage, at any time, and goes as far as into its guest's guest. What must hold at every
 * entry: CP's host state and what it wants of every guest, no control that points out of CP's frames, and an event that
 * may be injected; and when the machine is gone, every frame is back. */
#include "tests/unit/nested_scene.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at, *end;
};
static struct input in;

#define require(holds) \
    do { \
        if (!(holds)) { \
            fprintf(stderr, "dispatch_fuzz.c:%d: %s\n", __LINE__, #holds); \
            abort(); \
        } \
    } while (0)

static uint64_t take(unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- && in.at < in.end)
        value = value << 8 | *in.at++;
    return value;
}

/* Mostly one that means something. */
static uint64_t take_address(void)
{
    static const uint64_t places[] = {FAKE_VMXON, FAKE_VMCS, FAKE_VMCS_B, 0x4000, 0x800, FAKE_BITMAPS, FAKE_EPT,
                                      FAKE_EPT + 0x1000, FAKE_EPT + 0x2000, PT_ROOT, PT_TOP, 0xFEC00000, 0xFEE00000,
                                      SCENE_GUEST_MIB << 20, 1ull << 39, ~0ull};
    uint8_t which = (uint8_t)take(1);
    uint64_t place = places[which & 15];

    return which & 0x80 ? place + (which & 0x40 ? take(2) : 8 * (which >> 4 & 3)) : place;
}

static uint64_t take_value(void)
{
    uint8_t form = (uint8_t)take(1);

    switch (form & 7) {
    case 0: return take(8);
    case 1: return 1ull << (form >> 3);
    case 2: return take_address();
    case 3: return ~(1ull << (form >> 3));
    case 4: return 1ull << (form >> 3) << 32 | take(1);
    default: return take(form >> 6);
    }
}

/* ---- what must hold at an entry ---------------------------------------------------------------------------------- */

static const uint8_t *frames_first, *frames_end;

static bool in_cps_frames(const struct fake_vmx *m, uint64_t address)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)address;

    return address == m->base.msr_bitmap || address == m->base.vmread_bitmap || address == m->base.vmwrite_bitmap ||
           (at >= frames_first && at < frames_end && !(address & PAGE_MASK));
}

static void injection_bound(const struct vmcs *held)
{
    uint32_t info = held->entry_interruption_info;
    unsigned type = info >> 8 & 7, vector = info & 0xFF;

    if (!(info & EVENT_VALID))
        return;
    require(type != 1 && !(info & 0x7FFFF000));
    require(type != 2 || vector == VECTOR_NMI);
    require(type != 3 || vector < 32);
    require(!(info & EVENT_ERROR) || type == 3);
}

static void l2_bound(const struct fake_vmx *m, const struct vmcs *held, const struct vmcs *base)
{
    const uint32_t io = CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS; /* by one or the other */
    const uint32_t kept = CPU_HLT_EXITING | CPU_INTERRUPT_WINDOW_EXITING | CPU_TSC_OFFSETTING | CPU_SECONDARY_CONTROLS;

    require((base->pin_controls & ~held->pin_controls) == 0);
    require((base->processor_controls & kept & ~held->processor_controls) == 0);
    require(!(base->processor_controls & io) || (held->processor_controls & io));
    require((base->exit_controls & ~held->exit_controls) == 0);
    require((base->exception_bitmap & ~held->exception_bitmap) == 0);
    require((held->guest_cr0 & CR0_NE) && !(held->guest_cr0 & (CR0_CD | CR0_NW)) && (held->guest_cr4 & CR4_VMXE));
    require(!(held->processor_controls & CPU_MSR_BITMAPS) || in_cps_frames(m, held->msr_bitmap));
    require(!(held->processor_controls & CPU_IO_BITMAPS) || in_cps_frames(m, held->io_bitmap_a));
    require(!(held->processor_controls & CPU_TPR_SHADOW) || in_cps_frames(m, held->virtual_apic_address));
    require((held->ept_pointer & EPT_TABLE_MASK) == (base->ept_pointer & EPT_TABLE_MASK) ||
            in_cps_frames(m, held->ept_pointer & EPT_TABLE_MASK));
    require(held->entry_msr_load_count == 0 && held->exit_msr_store_count == 0 && held->exit_msr_load_count == 0);
    if (held->vmcs_link_pointer != ~0ull) {
        const struct fake_region *link = (const void *)(uintptr_t)held->vmcs_link_pointer;
        require(link >= m->regions && link < m->regions + FAKE_REGIONS && link->used && link->shadow);
    }
}

static void entry_bound(struct vcpu *v)
{
    const struct fake_vmx *m = fake_cpu_of(v);
    const struct vmcs *held = &m->loaded->held;

    require(nested_runs(v) == (m->loaded != &m->first) && m->loaded->used && !m->loaded->shadow && !m->complaint);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (VMCS_ENCODING_AREA(vmcs_field_rows[i].encoding) == VMCS_HOST)
            require(vmcs_get(held, i) == vmcs_get(&m->base, i));
    injection_bound(held);
    if (nested_runs(v))
        l2_bound(m, held, &v->nest->vmcs01);
}

/* ---- what the guest does ----------------------------------------------------------------------------------------- */

static void meanwhile(uint8_t what)
{
    uint64_t at = take_address(), value = take_value();

    switch (what & 7) {
    case 0: interrupt((uint8_t)(0x20 | what)); break;
    case 1: nmi(); break;
    case 2: init(); break;
    case 3: guest_write(&vm->storage, gpa(at), &value, 8); break;
    case 4: fake_now += value & 0xFFFFF; break;
    case 5: vm->vcpu.gpr[what >> 3 & 15] = value; break;
    case 6: device_interrupts(0x40); break;
    default: vcpu_write(&vm->vcpu, VMCS_GUEST_RFLAGS, 2 | (what & 8 ? RFLAGS_IF : 0) | (what & 16 ? RFLAGS_TF : 0));
    }
}

/* An instruction with its operand in memory, at 800H; or a field in RDX and a value in RBX. */
static void vmx_operand(struct exit *exit)
{
    enum { ADDRESS_64 = 2 << 7, SEGMENT_DS = 3 << 15, NO_INDEX = 1 << 22, NO_BASE = 1 << 27, REGISTER = 1 << 10 };
    bool field = exit->reason == EXIT_VMREAD || exit->reason == EXIT_VMWRITE;
    uint64_t operand[2] = {take_address(), 0};

    exit->instruction_info =
        field ? REGISTER | 2u << 28 | 3u << 3 : ADDRESS_64 | SEGMENT_DS | NO_INDEX | NO_BASE | 2u << 28;
    exit->qualification = field ? 0 : 0x800;
    if (field) {
        vm->vcpu.gpr[RDX] = vmcs_field_rows[take(1) % VMCS_FIELDS].encoding;
        vm->vcpu.gpr[RBX] = take_value();
    } else {
        guest_write(&vm->storage, gpa(0x800), operand, sizeof operand);
        vm->vcpu.gpr[RDX] = take(1) & 3; /* kind of INVEPT, INVVPID */
    }
}

static void any_exit(struct exit *exit)
{
    uint8_t flags = (uint8_t)take(1);

    exit->qualification = take_value();
    if (exit->reason == EXIT_IO) /* one, two or four bytes */
        exit->qualification &= ~7ull | (flags & 0x40 ? 1 : flags & 0x20 ? 3 : 0);
    exit->guest_physical = take_address();
    exit->guest_linear = exit->guest_physical;
    exit->instruction_info = (uint32_t)take(flags & 4);
    if (exit->reason == EXIT_EXCEPTION_NMI)
        exit->interruption_info =
            EVENT_VALID | (flags & 1 ? EVENT_NMI | VECTOR_NMI : EVENT_HARDWARE_EXCEPTION | (flags >> 3));
    if (flags & 2)
        exit->idt_vectoring_info =
            EVENT_VALID | (flags & 8 ? EVENT_EXTERNAL | 0x33 : EVENT_HARDWARE_EXCEPTION | VECTOR_GP);
}

static bool run(struct vcpu *v, uint64_t deadline)
{
    uint8_t reason = (uint8_t)take(1), what = (uint8_t)take(1);

    entry_bound(v);
    if (in.at == in.end)
        over();
    fake_now += deadline == UINT64_MAX || what & 1 ? 100 : deadline > fake_now ? deadline - fake_now : 0;
    v->exit = (struct exit){.reason = reason % EXIT_REASONS,
                            .instruction_length = 1 + (what >> 1 & 3),
                            .rip = vcpu_read(v, VMCS_GUEST_RIP)};
    if (nest_is_instruction(v->exit.reason) && !nested_runs(v))
        vmx_operand(&v->exit);
    else
        any_exit(&v->exit);
    if (what & 8)
        meanwhile((uint8_t)take(1));
    if (what >> 4 == 15)
        v->exit.reason |= EXIT_ENTRY_FAILED;
    return what >> 4 != 14;
}

static uint64_t diagnose(struct vm *of) { return of->vcpu.gpr[RAX] & 3; }

static void map_ioapic(void)
{
    poke(0x6000, PT_TOP | PRESENT | WRITABLE, 8);
    poke(PT_TOP + 24, 0xC0000000 | LARGE | PRESENT | WRITABLE, 8);
}

/* Until the input is over; a machine that has stopped is begun again, or reset. */
static void live(void)
{
    while (in.at < in.end) {
        if (!setjmp(script_over))
            run_loop();
        vm_turn = NULL;
        if (vm->state == VM_WAITING)
            interrupt(0x51);
        if (vm->state == VM_WAITING) /* it is not open to it */
            nmi();
        if (vm->state == VM_WAITING)
            vm_stop(vm, VM_STOP_USER, 0);
        if (vm->state == VM_STOPPED && take(1) & 1)
            vm_reset(vm);
        vm_begin(vm);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t available, account;

    scene_frames();
    if (!frames_first) {
        void *first = frame_alloc(&frame_cp_account);
        frames_first = (const uint8_t *)((uintptr_t)first & ~(uintptr_t)PAGE_MASK);
        frames_end = frames_first + (SCENE_MIB << 20);
        frame_free(&frame_cp_account, first);
    }
    work_all();
    available = frame_available(), account = frame_cp_account.frames;
    in = (struct input){data, data + size};
    fake_cpu_run = run;
    l1_ready(NEST_TRAP + take(1) % (NEST_MODES - NEST_TRAP));
    map_l2(1);
    map_ioapic();
    vm_diagnose = diagnose;
    if (take(1) & 1)
        vm->storage.account.limit = vm->storage.account.frames + take(1);
    if (take(1) & 1) { /* straight to L2 */
        vm->vcpu.exit = launch;
        vm->vcpu.exit.rip = L1_RIP;
        exit_dispatch(vm);
    }
    live();
    nested_end(NULL);
    work_all();
    require(frame_available() == available && frame_cp_account.frames == account);
    return 0;
}
