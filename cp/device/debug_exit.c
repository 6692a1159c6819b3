/* Two write-only conversations with whoever tests. */
#include "cp/device/debug_exit.h"

#include <string.h>

static void exit_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct debug_exit *test = device;

    (void)size;
    test->exit(test->context, value << 8 * (port - DEBUG_EXIT_PORT));
}

static uint32_t console_read(void *device, uint16_t port, unsigned size)
{
    (void)device, (void)port, (void)size;
    return DEBUG_CONSOLE_PORT; /* how software finds out that it is there */
}

static void console_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct debug_exit *test = device;

    (void)port, (void)size;
    test->output(test->context, value);
}

void debug_exit_init(struct debug_exit *test, struct bus *bus, void (*exit)(void *, uint32_t),
                     void (*output)(void *, uint8_t), void *context)
{
    memset(test, 0, sizeof *test);
    test->exit = exit;
    test->output = output;
    test->context = context;
    bus_claim_ports(bus, &(struct bus_ports){DEBUG_EXIT_PORT, DEBUG_EXIT_PORT + 3, false, test, NULL, exit_write});
    bus_claim_ports(bus, &(struct bus_ports){DEBUG_CONSOLE_PORT, DEBUG_CONSOLE_PORT, true, test, console_read,
                                             console_write});
}
