/* Virtual VMX of a machine: until VMXON there is none. */
#include "cp/dispatch/nested.h"

#include "cp/dispatch/handlers.h"

int nested_read_msr(struct vm *vm, uint32_t msr, uint64_t *value)
{
    (void)vm, (void)msr, (void)value;
    return -1;
}

int nested_write_msr(struct vm *vm, uint32_t msr, uint64_t value)
{
    (void)vm, (void)msr, (void)value;
    return -1;
}

bool nested_allows_cr(struct vm *vm, uint64_t cr0, uint64_t cr4)
{
    (void)vm, (void)cr0, (void)cr4;
    return true;
}

void nested_reset(struct vm *vm)
{
    (void)vm;
}

enum exit_action nested_instruction(struct vm *vm)
{
    return exit_undefined(vm);
}
