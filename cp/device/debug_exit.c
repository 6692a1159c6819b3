/* Test devices, for who may end or talk past the machine's own console: isa-debug-exit (port F4H, 4 bytes: a
 * store ends the machine with that value) and the debug console (port E9H: a byte stored is a byte of output
 * where UART 0's goes, a load gives E9H). */
#include "cp/device/grant.h"
#include "cp/device/machine.h"

enum { EXIT_PORT = 0xF4, EXIT_PORTS = 4, CONSOLE_PORT = 0xE9 };

static void exit_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct machine *m = device;

    (void)size;
    m->host.event(m->host.context, MACHINE_TEST_EXIT, value << 8 * (port - EXIT_PORT));
}

static uint32_t console_read(void *device, uint16_t port, unsigned size)
{
    (void)device, (void)port, (void)size;
    return CONSOLE_PORT; /* how software finds out that it is there */
}

static void console_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct machine *m = device;
    uint8_t byte = value;

    (void)port, (void)size;
    m->host.output(m->host.context, 0, &byte, 1);
}

static void init(struct machine *m, void *state)
{
    (void)state;
    const struct bus_ports status = {EXIT_PORT, EXIT_PORT + EXIT_PORTS - 1, false, m, NULL, exit_write, NULL};
    const struct bus_ports console = {CONSOLE_PORT, CONSOLE_PORT, true, m, console_read, console_write, NULL};
    bus_claim_ports(&m->bus, &status);
    bus_claim_ports(&m->bus, &console);
}

const struct granted_device debug_exit_granted = {
    .node = {{"debug-exit", "vmn,debug-exit", EXIT_PORT, EXIT_PORTS, 0},
             {"debug-console", "vmn,debug-console", CONSOLE_PORT, 1, 0}},
    .init = init,
};
