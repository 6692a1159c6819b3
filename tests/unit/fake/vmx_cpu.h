/* The fake machine's processor under a whole virtual machine: what cp/cpu promises of VMX, over the regions of
 * struct fake_vmx, each virtual CPU with its own. What runs in it is the test's. */
#pragma once
#include "cp/nested/hardware.h"
#include "cp/vcpu/backend.h"
#include "tests/unit/fake/vmx_machine.h"

extern const struct cpu_backend fake_cpu_backend;
extern const struct cpu_nested fake_cpu_nested;
/* What the guest does after an entry: fills vcpu->exit. false: the processor refused the VMCS. */
extern bool (*fake_cpu_run)(struct vcpu *, uint64_t deadline);
extern unsigned fake_cpu_flushes; /* of storage */

static inline struct fake_vmx *fake_cpu_of(const struct vcpu *vcpu) { return vcpu->backend; }
