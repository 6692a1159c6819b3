/* ACPI's fixed hardware (ACPI specification, "PM1 Control Registers") and the older ways. Each port range is one row.
 */
#include "cp/device/power.h"

#include <string.h>

#include "cp/time/timer.h"

enum { PM1_ENABLE = 2 /* offset in the event block */, CONTROL_SCI_ENABLED = 1, CONTROL_SETTABLE = 0x1c07 };
enum { RESET_HOT = 0x02, RESET_CPU = 0x04, PORT_92_RESET = 0x01, PORT_92_A20 = 0x02 };

/* No event ever comes: status reads 0, enables are kept. */
static uint32_t event_read(void *device, uint16_t port, unsigned size)
{
    struct power *power = device;
    uint32_t block = (uint32_t)power->pm1_enable << 16;

    (void)size;
    return block >> 8 * (port - POWER_PM1_EVENT);
}

static void event_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct power *power = device;
    unsigned offset = port - POWER_PM1_EVENT;

    if (offset == PM1_ENABLE && size >= 2)
        power->pm1_enable = value;
    else if (offset == 0 && size == 4)
        power->pm1_enable = value >> 16;
}

static uint32_t control_read(void *device, uint16_t port, unsigned size)
{
    struct power *power = device;

    (void)size;
    return (power->pm1_control | CONTROL_SCI_ENABLED) >> 8 * (port & 1);
}

/* There is one state to sleep in: off. So the type does not matter. */
static void control_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct power *power = device;
    uint32_t written = port & 1 ? value << 8 : value;

    (void)size;
    if (!(port & 1))
        power->pm1_control = value & CONTROL_SETTABLE;
    if (written & POWER_SLP_EN)
        power->host.off(power->host.context);
}

static uint32_t timer_read(void *device, uint16_t port, unsigned size)
{
    (void)device, (void)size;
    return (uint32_t)clock_scale(clock_now(), POWER_PM_TIMER_HZ, clock_hz) >> 8 * (port - POWER_PM_TIMER);
}

static void shutdown_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    static const char word[] = "Shutdown";
    struct power *power = device;

    (void)port, (void)size;
    if ((char)value == word[power->shutdown_seen])
        power->shutdown_seen++;
    else
        power->shutdown_seen = (char)value == word[0];
    if (power->shutdown_seen < sizeof word - 1)
        return;
    power->shutdown_seen = 0;
    power->host.off(power->host.context);
}

static uint32_t reset_read(void *device, uint16_t port, unsigned size)
{
    struct power *power = device;

    (void)port, (void)size;
    return power->reset_control;
}

static void reset_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct power *power = device;

    (void)port, (void)size;
    power->reset_control = value & RESET_HOT;
    if (value & RESET_CPU)
        power->host.reset(power->host.context);
}

static uint32_t port_92_read(void *device, uint16_t port, unsigned size)
{
    struct power *power = device;

    (void)port, (void)size;
    return power->port_92;
}

static void port_92_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct power *power = device;

    (void)port, (void)size;
    power->port_92 = value & PORT_92_A20;
    if (value & PORT_92_RESET)
        power->host.reset(power->host.context);
}

static const struct bus_ports ranges[] = {
    {POWER_PM1_EVENT, POWER_PM1_EVENT + 3, false, NULL, event_read, event_write, NULL},
    {POWER_PM1_CONTROL, POWER_PM1_CONTROL + 1, false, NULL, control_read, control_write, NULL},
    {POWER_PM1_CONTROL_BOCHS, POWER_PM1_CONTROL_BOCHS + 1, false, NULL, control_read, control_write, NULL},
    {POWER_PM_TIMER, POWER_PM_TIMER + 3, false, NULL, timer_read, NULL, NULL},
    {POWER_SHUTDOWN_PORT, POWER_SHUTDOWN_PORT, true, NULL, NULL, shutdown_write, NULL},
    {POWER_RESET_CONTROL, POWER_RESET_CONTROL, true, NULL, reset_read, reset_write, NULL},
    {POWER_PORT_92, POWER_PORT_92, true, NULL, port_92_read, port_92_write, NULL},
};

void power_reset(struct power *power)
{
    struct power_host host = power->host;

    *power = (struct power){.host = host, .port_92 = PORT_92_A20};
}

void power_init(struct power *power, struct bus *bus, const struct power_host *host)
{
    memset(power, 0, sizeof *power);
    power->host = *host;
    power_reset(power);
    for (unsigned i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct bus_ports claim = ranges[i];

        claim.device = power;
        bus_claim_ports(bus, &claim);
    }
}
