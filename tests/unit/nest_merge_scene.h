/* Two VMCSs and what CP puts in itself: `merge` makes `out` of `inner` over `outer` in `context`. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/merge.h"

static __attribute__((unused)) struct vmcs outer, inner, out;
static __attribute__((unused)) struct vmx_capability hardware;
static __attribute__((unused)) struct nest_policy policy;
static __attribute__((unused)) struct nest_merge_context context;

static inline void fresh(void)
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

static inline void merge(void)
{
    nest_merge(&out, &outer, &inner, &context);
}
