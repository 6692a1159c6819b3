/* The MC146818 real-time clock and CMOS memory of a PC (ports 70H-71H), interrupt IRQ 8. The time of day is the wall
 * clock plus what the guest added by setting it; flags are computed when looked at, and a timer runs only while an
 * interrupt is enabled. Days and leap years are those of the Gregorian calendar; the century is at 32H. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"
#include "cp/device/irq.h"
#include "cp/time/pace.h"

enum { RTC_CMOS_BYTES = 128 };

struct rtc {
    uint8_t cmos[RTC_CMOS_BYTES]; /* the time registers are up to date only while the clock is stopped */
    uint8_t index;                /* 0-7FH */
    bool nmi_masked;              /* bit 7 of port 70H */
    uint8_t flags;                /* register C without IRQF */
    int64_t offset_us;            /* guest's time - wall clock */
    uint64_t seen_us; /* flags are up to date until then (guest's time, in microseconds of rtc.c's calendar) */
    struct irq irq;
    struct pace *pace;
    struct timer timer;
};

/* storage_bytes: RAM in all */
void rtc_init(struct rtc *, struct bus *, const struct irq *, struct pace *, uint64_t storage_bytes);
/* The time stays (battery); interrupts are off; memory sizes as given. */
void rtc_reset(struct rtc *, uint64_t storage_bytes);
void rtc_free(struct rtc *);
