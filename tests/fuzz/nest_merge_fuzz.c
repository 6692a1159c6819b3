/* Merge: two VMCSs and a context of any contents.  What must hold whatever vmcs12 says is asked of each result, and
 * an update must come to the same as a merge anew. */
#include <stdlib.h>
#include <string.h>

#include "nest/stale.h"
#include "nest/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct vmx_capability hardware;
static struct nest_policy policy;

static void bounds(const struct vmcs *out, const struct vmcs *outer, const struct nest_merge_context *context)
{
    const uint32_t kept = CPU_HLT_EXITING | CPU_INVLPG_EXITING | CPU_MWAIT_EXITING | CPU_RDPMC_EXITING |
                          CPU_RDTSC_EXITING | CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING | CPU_MOV_DR_EXITING |
                          CPU_MONITOR_EXITING | CPU_PAUSE_EXITING | CPU_INTERRUPT_WINDOW_EXITING;
    require((outer->pin_controls & ~out->pin_controls) == 0);
    require((outer->processor_controls & kept & ~out->processor_controls) == 0);
    require((outer->exception_bitmap & ~out->exception_bitmap) == 0);
    require(nest_io_mode(out->processor_controls) >= nest_io_mode(outer->processor_controls));
    require((outer->exit_controls & ~out->exit_controls) == 0);
    require(out->msr_bitmap == context->msr_bitmap);
    require(out->ept_pointer == context->eptp || out->ept_pointer == outer->ept_pointer);
    require(out->vmcs_link_pointer == context->link || out->vmcs_link_pointer == NEST_NO_ADDRESS);
    require((out->guest_cr0 & policy.cr0_ones) == policy.cr0_ones && !(out->guest_cr0 & policy.cr0_zeroes));
    require((out->guest_cr4 & policy.cr4_ones) == policy.cr4_ones && !(out->guest_cr4 & policy.cr4_zeroes));
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (VMCS_ENCODING_AREA(vmcs_field_rows[i].encoding) == VMCS_HOST)
            require(vmcs_get(out, i) == vmcs_get(outer, i));
}

static void update_agrees(const struct vmcs *outer, struct vmcs *inner, const struct nest_merge_context *context,
                          const uint8_t *data, size_t size)
{
    struct vmcs updated, anew;
    struct vmcs_set changed = {{0}}, write = {{0}};
    nest_merge(&updated, outer, inner, context);
    for (size_t i = 0; i + 9 <= size && i < 90; i += 9) {
        unsigned index = data[i] % VMCS_FIELDS;
        uint64_t value;
        memcpy(&value, data + i + 1, sizeof(value));
        vmcs_set(inner, index, value);
        vmcs_set_add(&changed, index);
    }
    nest_merge_update(&updated, outer, inner, context, &changed,
                      nest_parts_of(&changed) & NEST_STALE_VMCS02 ? NEST_RULES_ALL : NEST_RULES_NONE, &write);
    nest_merge(&anew, outer, inner, context);
    require(memcmp(&updated, &anew, sizeof(anew)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmcs outer = {0}, inner = {0}, out;
    struct nest_merge_context context = {.policy = &policy, .hardware = &hardware};
    uint64_t words[12] = {0};
    size_t part = size < sizeof(words) ? size : sizeof(words);
    memset(&hardware, 0xFF, sizeof(hardware));
    policy = (struct nest_policy){.cr0_ones = 0x20, .cr0_zeroes = 3ull << 29, .cr4_ones = 0x2000, .physical_bits = 40};
    memcpy(words, data, part);
    data += part, size -= part;
    context.msr_bitmap = words[0], context.eptp = words[1], context.link = words[2], context.apic_page = words[3];
    context.efer = words[4], context.vpid = (uint16_t)words[5], context.io_bitmap_a = words[6];
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t value;
        memcpy(&value, data + i, sizeof(value));
        vmcs_set(i / 8 & 1 ? &outer : &inner, i / 16 % VMCS_FIELDS, value);
    }
    nest_merge(&out, &outer, &inner, &context);
    bounds(&out, &outer, &context);
    update_agrees(&outer, &inner, &context, data, size);
    return 0;
}
