/* Question: does a guest that writes every port, and touches addresses where nothing is, hurt anybody? It leaves out
 * what ends the machine by design, says "still here" and ends with status 0. */
#include "tests/guest/runtime/runtime.h"

enum { UART_FIRST = 0x3F8, UART_LAST = 0x3FF };

/* power, reset and debug exit: PM1 control and its like, keyboard controller, port 92, CF9, F4 */
static bool ends_machine(uint32_t port)
{
    return (port >= 0x600 && port < 0x680) || (port >= 0xB000 && port < 0xB080) || port == 0x64 || port == 0x92 ||
           port == 0xCF9 || (port >= 0xCF8 && port <= 0xCFF) || (port >= 0xF1 && port <= 0xF7) || port == 0x8900 ||
           port == 0x604 || port == 0x4004 || (port >= UART_FIRST - 3 && port <= UART_LAST);
}

static void try_ports(uint8_t value)
{
    for (uint32_t port = 0; port < 0x10000; port++) {
        if (ends_machine(port))
            continue;
        outb((uint16_t)port, value);
        (void)inb((uint16_t)port);
        if (port % 4 == 0 && port < 0xFFFC) {
            outl((uint16_t)port, value * 0x01010101u);
            (void)inl((uint16_t)port);
        }
    }
}

static void touch(void *address)
{
    volatile uint32_t *p = address;
    *p = 0xFFFFFFFF;
    (void)*p;
}

int guest_main(void)
{
    try_ports(0xFF);
    guest_print("ones\n");
    try_ports(0);
    guest_print("zeros\n");
    for (uint64_t address = 0xC0000000; address < 0x100000000; address += 0x100000)
        guest_try(touch, (void *)(uintptr_t)address);
    guest_print("still here\n");
    return 0;
}
