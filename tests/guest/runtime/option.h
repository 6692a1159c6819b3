/* What a payload was told on its command line. */
#pragma once
#include <string.h>

#include "tests/guest/runtime/runtime.h"

static inline const char *guest_command_line(void)
{
    const struct multiboot_information *information = guest_multiboot();
    return information->flags & 4 ? (const char *)(uintptr_t)information->command_line : "";
}

/* The decimal number behind `name`, which ends with "="; `otherwise` where it is not there. */
static inline uint64_t guest_option(const char *name, uint64_t otherwise)
{
    const char *at = strstr(guest_command_line(), name);
    uint64_t value = 0;

    if (!at)
        return otherwise;
    for (at += strlen(name); *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}
