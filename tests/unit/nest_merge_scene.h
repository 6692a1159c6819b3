/* What the tests of the merge begin with: CP's VMCS `outer`, L1's `inner`, what CP found for L1's addresses, and
 * `out`. */
#pragma once
#include <string.h>

#include "nest/stale.h"
#include "nest/merge.h"

static struct vmcs outer, inner, out;
static struct vmx_capability hardware;
static struct nest_policy policy;
static struct nest_merge_context context;

static void fresh(void)
{
    memset(&outer, 0, sizeof(outer));
    memset(&inner, 0, sizeof(inner));
    memset(&hardware, 0xFF, sizeof(hardware));
    policy = (struct nest_policy){.cr0_ones = 0x20, .cr0_zeroes = 1ull << 30, .cr4_ones = 0x2000, .physical_bits = 40};
    context = (struct nest_merge_context){.policy = &policy, .hardware = &hardware, .msr_bitmap = 0x1000,
        .io_bitmap_a = 0x2000, .io_bitmap_b = 0x3000, .vmread_bitmap = 0x4000, .vmwrite_bitmap = 0x5000,
        .apic_page = 0x6000, .link = 0x7000, .eptp = 0x801E, .vpid = 9, .pat = 1, .efer = 0xD01, .debugctl = 2,
        .dr7 = 0x401, .pdptes = {0x11, 0x21, 0x31, 0x41}};
    outer.processor_controls = inner.processor_controls = CPU_SECONDARY_CONTROLS;
}

static void merge(void) { nest_merge(&out, &outer, &inner, &context); }
