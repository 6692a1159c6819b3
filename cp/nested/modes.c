/* Owns the names of the modes of virtual VMX, for directory, commands and command line. */
#include "cp/vcpu/vm.h"

const struct vm_nested_name vm_nested_names[VM_NESTED_MODES] = {
    [VM_NESTED_OFF] = {"off", "OFF"},
    [VM_NESTED_TRAP] = {"trap", "TRAP"},
    [VM_NESTED_SHADOW] = {"shadow", "SHADOW"},
    [VM_NESTED_MEMORY] = {"memory", "MEMORY"},
};
