/* Names of the exit reasons, as people read them. SDM Appendix "VMX Basic Exit Reasons" */
#include "vmcs-shadow/exit.h"

#include <stddef.h>

const char *exit_reason_name(unsigned basic_reason)
{
    static const char *const names[EXIT_REASONS] = {
#define EXIT_REASON(NAME, number, text) [EXIT_##NAME] = text,
#include "vmcs-shadow/exits.def"
#undef EXIT_REASON
    };
    return basic_reason < EXIT_REASONS && names[basic_reason] ? names[basic_reason] : "RESERVED";
}
