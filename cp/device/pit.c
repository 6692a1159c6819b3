/* The 8254's counting modes (Intel 8254 data sheet, "Mode Definitions"), by arithmetic on the clocks since a count was
 * loaded. Whoever comes looks at the clock once, and all that follows is of that moment: nothing falls between two
 * looks. */
#include "cp/device/pit.h"

#include <string.h>

enum { PORT_FIRST = 0x40, PORT_CONTROL = 0x43, PORT_B = 0x61, TIMER = 0, SPEAKER = 2, READ_BACK = 3 };
enum { B_GATE = 0x01, B_SPEAKER = 0x02, B_REFRESH = 0x10, B_OUT = 0x20 };
enum { MODE_TERMINAL_COUNT, MODE_ONE_SHOT, MODE_RATE, MODE_SQUARE, MODE_STROBE, MODE_HARDWARE_STROBE };
enum { STATUS_OUT = 0x80, STATUS_NULL_COUNT = 0x40 };

/* clocks since the count was loaded, standing still while GATE is low */
static uint64_t elapsed(const struct pit_channel *c, uint64_t now)
{
    if (!c->counting)
        return c->paused;
    return c->paused + clock_scale(now - c->start, PIT_HZ, clock_hz);
}

static bool periodic(const struct pit_channel *c)
{
    return c->mode == MODE_RATE || c->mode == MODE_SQUARE;
}

static bool triggered_by_gate(const struct pit_channel *c)
{
    return c->mode == MODE_ONE_SHOT || c->mode == MODE_HARDWARE_STROBE;
}

/* "Mode 0": the first byte of two disables counting and sets OUT low, until the second has come. */
static bool half_written(const struct pit_channel *c)
{
    return c->mode == MODE_TERMINAL_COUNT && c->write_high_next;
}

/* The level of OUT so many clocks after a count was loaded. Before that it is what the control word sets: low in mode
 * 0, else high. */
static bool out(const struct pit_channel *c, uint64_t clocks)
{
    if (!c->loaded)
        return c->mode != MODE_TERMINAL_COUNT;
    if (half_written(c))
        return false;
    switch (c->mode) {
    case MODE_TERMINAL_COUNT: return clocks >= c->count;
    case MODE_ONE_SHOT: return !c->triggered || clocks >= c->count;
    case MODE_RATE: return !c->gate || clocks % c->count != c->count - 1;
    case MODE_SQUARE: return !c->gate || clocks % c->count < (c->count + 1) / 2;
    default: return clocks != c->count;
    }
}

static uint16_t to_bcd(uint32_t value)
{
    return value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 | value / 1000 % 10 << 12;
}

static uint32_t from_bcd(uint16_t value)
{
    return (value & 0xf) + (value >> 4 & 0xf) * 10 + (value >> 8 & 0xf) * 100 + (value >> 12) * 1000;
}

/* The counting element. Square waves count down by two, twice a period; the others wrap around at zero. */
static uint16_t current(const struct pit_channel *c, uint64_t now)
{
    uint32_t wrap = c->bcd ? 10000 : 65536;
    uint64_t clocks = elapsed(c, now), left;

    if (!c->loaded)
        return 0;
    if (c->mode == MODE_SQUARE)
        left = (c->count & ~1u) - clocks % c->count * 2 % (c->count > 1 ? c->count & ~1u : 1);
    else if (c->mode == MODE_RATE)
        left = c->count - clocks % c->count;
    else
        left = (c->count + wrap - clocks % wrap) % wrap;
    return c->bcd ? to_bcd(left % 10000) : left;
}

/* clocks from loading to the next rising edge of OUT that is later than `clocks`; 0: none comes */
static uint64_t next_edge(const struct pit_channel *c, uint64_t clocks)
{
    uint64_t last = c->mode == MODE_STROBE || c->mode == MODE_HARDWARE_STROBE ? c->count + 1 : c->count;

    if (periodic(c))
        return (clocks / c->count + 1) * c->count;
    return clocks < last ? last : 0;
}

/* For the next edge that is later than `clocks`, up to which OUT is told, but `floor` behind the last tick. */
static void arm(struct pit *pit, uint64_t clocks, uint64_t now, uint64_t floor)
{
    const struct pit_channel *c = &pit->channel[TIMER];
    uint64_t edge;

    timer_cancel(&pit->timer);
    if (!c->loaded || !c->counting)
        return;
    edge = next_edge(c, clocks);
    if (!edge)
        return;
    /* rounded up: a tick late rather than one early, so that the edge has passed for sure when somebody looks */
    pit->edge = c->start + clock_scale(edge - c->paused, clock_hz, PIT_HZ) + 1;
    uint64_t earliest = periodic(c) ? pace_earliest(pit->ticked, floor, now) : now;
    timer_arm(&pit->timer, pit->edge > earliest ? pit->edge : earliest);
}

static void load(struct pit_channel *c, uint32_t count, uint64_t now)
{
    c->count = count;
    c->next_count = 0;
    c->paused = 0;
    c->start = now;
    c->loaded = true;
    c->triggered = false;
    c->counting = c->gate && !triggered_by_gate(c);
}

/* Moves the start of counting past the periods that are over, so that the next boundary is at c->count clocks. */
static void begin_period(struct pit_channel *c, uint64_t now)
{
    uint64_t over = elapsed(c, now) / c->count * c->count;

    if (over <= c->paused) {
        c->paused -= over;
        return;
    }
    c->start += clock_scale(over - c->paused, clock_hz, PIT_HZ);
    c->paused = 0;
}

/* Modes 2 and 3 finish the period with the old count. */
static void take_next_count(struct pit_channel *c, uint64_t now)
{
    if (!c->next_count || elapsed(c, now) < c->count)
        return;
    c->start += clock_scale(c->count - c->paused, clock_hz, PIT_HZ);
    c->paused = 0;
    c->count = c->next_count;
    c->next_count = 0;
}

static void tick(struct pit *pit, uint64_t now)
{
    uint64_t floor = pace_floor_unheard(pit->pace);

    take_next_count(&pit->channel[TIMER], now);
    pit->ticked = now;
    pace_tick(pit->pace);
    irq_set(&pit->irq, false); /* OUT was low before its rising edge, if only for a clock */
    irq_set(&pit->irq, true);
    pace_ticked(pit->pace);
    arm(pit, elapsed(&pit->channel[TIMER], now), now, floor);
}

static void expire(struct timer *timer)
{
    tick(timer->owner, clock_now());
}

/* After a change of channel 0. What was due before it has been delivered; OUT now has the level of the moment of the
 * change, from which no clocks have passed but those in `paused`. The timer is armed for the next edge. */
static void follow(struct pit *pit, const struct pit_channel *c, uint64_t now)
{
    if (c != &pit->channel[TIMER])
        return;
    irq_set(&pit->irq, out(c, c->paused));
    arm(pit, c->paused, now, pace_floor(pit->pace)); /* nobody has had a chance yet to take what was not taken before */
}

/* An edge that has passed is told, though the next look was to come later. */
static void catch_up(struct pit *pit, struct pit_channel *c, uint64_t now)
{
    take_next_count(c, now);
    if (c != &pit->channel[TIMER] || !pit->timer.armed || pit->edge > now)
        return;
    timer_cancel(&pit->timer);
    tick(pit, now);
}

static void set_gate(struct pit *pit, struct pit_channel *c, bool gate, uint64_t now)
{
    bool rising = gate && !c->gate;

    if (gate == c->gate)
        return;
    catch_up(pit, c, now);
    if (!gate && c->counting && !triggered_by_gate(c)) {
        c->paused = elapsed(c, now);
        c->counting = false;
    }
    c->gate = gate;
    if (!rising || !c->loaded || half_written(c))
        return;
    if (c->mode != MODE_TERMINAL_COUNT && c->mode != MODE_STROBE)
        c->paused = 0; /* a trigger: counts from the start again */
    if (c->next_count)
        c->count = c->next_count;
    c->next_count = 0;
    c->start = now;
    c->counting = c->triggered = true;
    follow(pit, c, now);
}

static void write_count(struct pit *pit, struct pit_channel *c, uint16_t written, uint64_t now)
{
    uint32_t count = c->bcd ? from_bcd(written) : written;

    if (!count)
        count = c->bcd ? 10000 : 65536;
    if (c->loaded && periodic(c) && c->counting) {
        begin_period(c, now);
        c->next_count = count;
        return;
    }
    load(c, count, now);
    follow(pit, c, now);
}

static void write_data(struct pit *pit, struct pit_channel *c, uint8_t value, uint64_t now)
{
    catch_up(pit, c, now);
    switch (c->access) {
    case PIT_LOW: write_count(pit, c, value, now); return;
    case PIT_HIGH: write_count(pit, c, value << 8, now); return;
    default: break;
    }
    c->write_high_next = !c->write_high_next;
    if (c->write_high_next) {
        c->write_low = value;
        if (!half_written(c))
            return;
        c->paused = elapsed(c, now);
        c->counting = false;
        follow(pit, c, now);
        return;
    }
    write_count(pit, c, value << 8 | c->write_low, now);
}

static uint8_t read_data(struct pit *pit, struct pit_channel *c, uint64_t now)
{
    uint16_t value;
    bool high = c->access == PIT_HIGH || (c->access == PIT_BOTH && c->read_high_next);

    catch_up(pit, c, now);
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    value = c->latched ? c->latch : current(c, now);
    if (c->access == PIT_BOTH)
        c->read_high_next = !c->read_high_next;
    if (!c->read_high_next)
        c->latched = false;
    return high ? value >> 8 : value;
}

static void latch_count(struct pit_channel *c, uint64_t now)
{
    if (c->latched)
        return;
    c->latch = current(c, now);
    c->latched = true;
}

static void latch_status(struct pit_channel *c, uint64_t now)
{
    if (c->status_latched)
        return;
    c->status = (out(c, elapsed(c, now)) ? STATUS_OUT : 0) | (!c->loaded || c->next_count ? STATUS_NULL_COUNT : 0) |
                c->access << 4 | c->mode_written << 1 | c->bcd;
    c->status_latched = true;
}

static void read_back(struct pit *pit, uint8_t value, uint64_t now)
{
    for (unsigned i = 0; i < PIT_CHANNELS; i++) {
        if (!(value & 2u << i))
            continue;
        catch_up(pit, &pit->channel[i], now);
        if (!(value & 0x20))
            latch_count(&pit->channel[i], now);
        if (!(value & 0x10))
            latch_status(&pit->channel[i], now);
    }
}

static void write_control(struct pit *pit, uint8_t value, uint64_t now)
{
    unsigned mode = value >> 1 & 7;
    struct pit_channel *c = &pit->channel[value >> 6 & 3];

    if (value >> 6 == READ_BACK) {
        read_back(pit, value, now);
        return;
    }
    catch_up(pit, c, now);
    if (!(value & 0x30)) {
        latch_count(c, now);
        return;
    }
    /* modes 6 and 7 are 2 and 3 */
    *c = (struct pit_channel){
        .mode = mode > 5 ? mode - 4 : mode, .mode_written = mode, .access = value >> 4 & 3, .bcd = value & 1,
        .gate = c->gate};
    follow(pit, c, now);
}

static uint32_t port_read(void *device, uint16_t port, unsigned size)
{
    struct pit *pit = device;

    (void)size;
    return port == PORT_CONTROL ? 0xff : read_data(pit, &pit->channel[port - PORT_FIRST], clock_now());
}

static void port_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct pit *pit = device;

    (void)size;
    if (port == PORT_CONTROL)
        write_control(pit, value, clock_now());
    else
        write_data(pit, &pit->channel[port - PORT_FIRST], value, clock_now());
}

/* Channel 1 refreshed DRAM once; old software times with the bit that it toggles. */
static uint32_t port_b_read(void *device, uint16_t port, unsigned size)
{
    struct pit *pit = device;
    struct pit_channel *c = &pit->channel[SPEAKER];
    uint64_t now = clock_now();

    (void)port, (void)size;
    catch_up(pit, c, now);
    pit->refresh ^= B_REFRESH;
    return (c->gate ? B_GATE : 0) | (pit->speaker ? B_SPEAKER : 0) | pit->refresh |
           (out(c, elapsed(c, now)) ? B_OUT : 0);
}

static void port_b_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct pit *pit = device;

    (void)port, (void)size;
    pit->speaker = value & B_SPEAKER;
    set_gate(pit, &pit->channel[SPEAKER], value & B_GATE, clock_now());
}

void pit_reset(struct pit *pit)
{
    timer_cancel(&pit->timer);
    irq_set(&pit->irq, false);
    pit->speaker = false;
    pit->refresh = 0;
    pit->ticked = 0;
    for (unsigned i = 0; i < PIT_CHANNELS; i++)
        pit->channel[i] = (struct pit_channel){.mode = MODE_TERMINAL_COUNT, .access = PIT_BOTH, .gate = i != SPEAKER};
}

void pit_init(struct pit *pit, struct bus *bus, const struct irq *irq, struct pace *pace)
{
    memset(pit, 0, sizeof *pit);
    pit->irq = *irq;
    pit->pace = pace;
    pit->timer = (struct timer){.expire = expire, .owner = pit, .whose = pit->pace};
    pit_reset(pit);
    bus_claim_ports(bus, &(struct bus_ports){PORT_FIRST, PORT_CONTROL, true, pit, port_read, port_write, NULL});
    bus_claim_ports(bus, &(struct bus_ports){PORT_B, PORT_B, true, pit, port_b_read, port_b_write, NULL});
}

void pit_free(struct pit *pit)
{
    timer_cancel(&pit->timer);
}
