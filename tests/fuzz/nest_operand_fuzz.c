/* VMX instructions with any instruction information, registers, segments and operands, over a fake machine: every
 * one ends in a verdict, a fault or an entry, and nothing the machine would not forgive is done. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake/vmx_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake_vmx m;

struct step {
    uint8_t reason, mode;
    uint16_t segment;
    uint32_t information;
    uint64_t qualification, value;
};

static void segments(const struct step *step)
{
    struct vmcs *v = &m.first.held;
    unsigned index = step->segment & 7;
    if (index >= 6 || index == 1 || index == 2)
        return;
    vmcs_field_write(v, VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * index, step->segment >> 3 | (step->mode & 0xC0u) << 9, true);
    vmcs_field_write(v, VMCS_GUEST_ES_LIMIT + 2 * index, step->value, true);
    vmcs_field_write(v, VMCS_GUEST_ES_BASE + 2 * index, step->value >> 20, true);
}

static void instruction(const struct step *step)
{
    struct exit exit = {.reason = step->reason % EXIT_REASONS, .qualification = step->qualification,
                        .instruction_info = step->information, .instruction_length = step->mode & 15};
    if (step->mode & 1)
        exit.qualification &= 0x3FFF;
    if (step->mode & 2)
        segments(step);
    m.gpr[step->mode >> 2 & 15] = step->value;
    m.fault_linear = step->mode & 0x40 ? step->value & ~4095ull : ~0ull;
    enum nest_result result = nest_instruction(&m.nest, &exit);
    if (result == NEST_ENTERED && fake_vmx_load(&m)) {
        const struct exit cpuid = {.reason = EXIT_CPUID};
        result = fake_vmx_exit(&m, &cpuid);
    }
    if (result == NEST_ABORT || result == NEST_NO_FRAMES)
        nest_reset(&m.nest, false);
    m.loaded = &m.first;
    if (m.complaint)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fake_vmx_start(&m, size & 1 ? NEST_SHADOW : NEST_TRAP);
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    for (; size >= sizeof(struct step); data += sizeof(struct step), size -= sizeof(struct step)) {
        struct step step;
        memcpy(&step, data, sizeof(step));
        instruction(&step);
    }
    fake_vmx_stop(&m);
    if (m.complaint)
        abort();
    return 0;
}
