/* How much storage can a machine fill? Touches every page of it, or of the first `mib=N`
 * MiB, and then waits, holding them. */
#include "tests/guest/runtime/runtime.h"

static uint64_t number_after(const char *text, const char *key)
{
    uint64_t value = 0;

    for (const char *at = text; *at; at++) {
        unsigned n = 0;
        while (key[n] && at[n] == key[n])
            n++;
        for (at += key[n] ? 0 : n; !key[n] && *at >= '0' && *at <= '9'; at++)
            value = value * 10 + (uint64_t)(*at - '0');
        if (!key[n])
            return value;
    }
    return 0;
}

int guest_main(void)
{
    const struct multiboot_information *information = guest_multiboot();
    const char *text = information->flags & 4 ? (const char *)(uintptr_t)information->command_line : "";
    uint64_t end = (uint64_t)information->mem_upper * 1024 + 0x100000, wanted = number_after(text, "mib=") << 20;

    if (wanted && wanted < end)
        end = wanted;
    guest_print("touching %llu MiB\n", (unsigned long long)(end >> 20));
    for (uint64_t at = ((uint64_t)(uintptr_t)guest_end + 4095) & ~4095ull; at < end; at += 4096)
        *(volatile uint64_t *)at = at;
    guest_print("touched all\n");
    for (;;)
        wait_interrupt();
}
