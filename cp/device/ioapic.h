/* The IOAPIC: 24 pins at FEC00000H, version 20H (with an EOI register), one redirection entry each.
 * In: pin levels, register accesses, EOI broadcasts. Out: interrupt messages.
 * Levels are logical (true: asserted), so the entries' polarity bit is kept but changes nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"

enum { IOAPIC_PINS = 24, IOAPIC_BASE = 0xFEC00000u, IOAPIC_VERSION = 0x20 };

struct lapic_message;

struct ioapic {
    uint64_t entry[IOAPIC_PINS];
    uint32_t levels; /* bit n: pin n is asserted */
    uint8_t select;  /* IOREGSEL */
    uint32_t id;
    bool (*deliver)(void *context, const struct lapic_message *); /* returns whether some CPU took it */
    void *context;
};

/* Claims its page on the bus. */
void ioapic_init(struct ioapic *, struct bus *, bool (*deliver)(void *, const struct lapic_message *), void *context);
void ioapic_reset(struct ioapic *); /* all pins masked; the levels are the devices' and stay */
/* @pre pin < 24 */
void ioapic_set(struct ioapic *, unsigned pin, bool level);
void ioapic_eoi(struct ioapic *, unsigned vector);
/* Is a pin unmasked whose messages have that delivery mode (enum lapic_delivery)? */
bool ioapic_delivers(const struct ioapic *, unsigned delivery);
