/* Power off and reset by a PC's usual ways, and the little of ACPI's fixed hardware that goes with them:
 *   off    ACPI PM1 control 604H (QEMU) and B004H (Bochs): SLP_EN (2000H); "Shutdown" byte by byte to 8900H
 *   reset  CF9H (bit 2), port 92H (bit 0); the keyboard controller has its own
 *   PM1 event block 600H-603H, PM timer 608H (3.579545 MHz, 32 bits)
 * CF9H lies within the PCI configuration address CF8H-CFBH: only byte accesses to CF9H come here. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"

enum {
    POWER_PM1_EVENT = 0x600, POWER_PM1_CONTROL = 0x604, POWER_PM_TIMER = 0x608, POWER_PM1_CONTROL_BOCHS = 0xB004,
    POWER_SHUTDOWN_PORT = 0x8900, POWER_RESET_CONTROL = 0xCF9, POWER_PORT_92 = 0x92,
    POWER_PM_TIMER_HZ = 3579545, POWER_SLP_EN = 1 << 13
};

struct power_host {
    void *context;
    void (*off)(void *context);
    void (*reset)(void *context);
};

struct power {
    struct power_host host;
    uint16_t pm1_enable, pm1_control;
    uint8_t reset_control, port_92;
    uint8_t shutdown_seen; /* letters of "Shutdown" so far */
};

void power_init(struct power *, struct bus *, const struct power_host *);
void power_reset(struct power *);
