/* L2 as a hypervisor: one VMREAD or VMWRITE of its own, and what came of it. Bodies for vm_start(). */
#pragma once
#include "tests/guest/vmx/instruction.h"

static struct {
    uint64_t field, value;
    enum vmx_result result;
} access;

static void l2_vmread(void *unused)
{
    (void)unused;
    access.value = 0xEEEE;
    access.result = vmx_read(access.field, &access.value);
}

static void l2_vmwrite(void *unused)
{
    (void)unused;
    access.result = vmx_write(access.field, access.value);
}
