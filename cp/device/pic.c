/* The 8259A's priority logic and command words (Intel 8259A data sheet). Each change ends in update(), which drives the
 * slave's INT into the master and the master's into the machine. As in every PC with PCI, ICW1's LTIM is ignored: ELCR
 * says which inputs are level-triggered. */
#include "cp/device/pic.h"

#include <string.h>

enum { MASTER, SLAVE, CASCADE_INPUT = 2 };
enum {
    ELCR_MASTER_SETTABLE = 0xf8,
    ELCR_SLAVE_SETTABLE = 0xde
}; /* the timer, keyboard, cascade, clock and FPU are edges */
enum { PORT_MASTER = 0x20, PORT_SLAVE = 0xa0, PORT_ELCR = 0x4d0 };
enum { ICW1_INIT = 0x10, ICW1_ICW4 = 0x01, ICW1_SINGLE = 0x02, ICW4_AUTO_EOI = 0x02, ICW4_FULLY_NESTED = 0x10 };
enum {
    OCW3 = 0x08,
    OCW3_READ_ISR = 0x01,
    OCW3_READ = 0x02,
    OCW3_POLL = 0x04,
    OCW3_SPECIAL = 0x20,
    OCW3_SET_SPECIAL = 0x40
};
enum { NONE = -1, LOWEST_PRIORITY = 8 };

/* 0 highest, 7 lowest, 8: no bit is set */
static unsigned priority(const struct pic_chip *chip, uint8_t bits)
{
    unsigned first = (chip->lowest + 1) & 7, twice = (unsigned)bits << 8 | bits;

    return bits ? (unsigned)__builtin_ctz(twice >> first) : LOWEST_PRIORITY;
}

static unsigned input_of(const struct pic_chip *chip, unsigned at_priority)
{
    return (chip->lowest + 1 + at_priority) & 7;
}

/* The input that the chip would have the CPU serve now. */
static int request(const struct pic_chip *chip, bool master)
{
    uint8_t in_service = chip->special_mask ? chip->isr & ~chip->imr : chip->isr;
    unsigned wanted = priority(chip, chip->irr & ~chip->imr);

    /* special fully nested mode: the slave may interrupt its own service with a higher input */
    if (master && chip->fully_nested)
        in_service &= ~(1u << CASCADE_INPUT);
    return wanted < priority(chip, in_service) ? (int)input_of(chip, wanted) : NONE;
}

static void input(struct pic_chip *chip, unsigned n, bool level)
{
    uint8_t bit = 1u << n;
    bool rising = level && !(chip->levels & bit);

    chip->levels = level ? chip->levels | bit : chip->levels & ~bit;
    if (!level)
        chip->irr &= ~bit;
    else if (rising || (chip->elcr & bit))
        chip->irr |= bit;
}

static void update(struct pic *pic)
{
    bool output;

    input(&pic->chip[MASTER], CASCADE_INPUT, request(&pic->chip[SLAVE], false) != NONE);
    output = request(&pic->chip[MASTER], true) != NONE;
    if (output == pic->output)
        return;
    pic->output = output;
    pic->changed(pic->context);
}

static void serve(struct pic_chip *chip, unsigned n)
{
    if (!(chip->elcr & 1u << n))
        chip->irr &= ~(1u << n);
    if (!chip->auto_eoi)
        chip->isr |= 1u << n;
    else if (chip->rotate_on_auto_eoi)
        chip->lowest = n;
}

static uint8_t acknowledge_slave(struct pic *pic)
{
    struct pic_chip *slave = &pic->chip[SLAVE];
    int n = request(slave, false);

    if (n == NONE)
        return slave->base + 7;
    serve(slave, n);
    return slave->base + n;
}

uint8_t pic_acknowledge(struct pic *pic)
{
    struct pic_chip *master = &pic->chip[MASTER];
    int n = request(master, true);
    uint8_t vector = master->base + (n == NONE ? 7 : n);

    if (n != NONE)
        serve(master, n);
    if (n == CASCADE_INPUT) {
        vector = acknowledge_slave(pic);
        /* INT falls with the acknowledge, so that what else the slave has makes a new edge */
        input(master, CASCADE_INPUT, false);
    }
    update(pic);
    return vector;
}

bool pic_others_wait(const struct pic *pic, uint16_t ticks)
{
    struct pic_chip master = pic->chip[MASTER], slave = pic->chip[SLAVE];

    master.irr &= (uint8_t)~ticks;
    slave.irr &= (uint8_t)~(ticks >> 8);
    if (request(&slave, false) == NONE)
        master.irr &= (uint8_t)~(1u << CASCADE_INPUT);
    return request(&master, true) != NONE;
}

void pic_set(struct pic *pic, unsigned irq, bool level)
{
    input(&pic->chip[irq >> 3], irq & 7, level);
    update(pic);
}

static void end_of_interrupt(struct pic_chip *chip, unsigned n, bool rotate)
{
    chip->isr &= ~(1u << n);
    if (rotate)
        chip->lowest = n;
}

static void end_highest(struct pic_chip *chip, bool rotate)
{
    unsigned p = priority(chip, chip->special_mask ? chip->isr & ~chip->imr : chip->isr);

    if (p != LOWEST_PRIORITY)
        end_of_interrupt(chip, input_of(chip, p), rotate);
}

static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
    unsigned n = value & 7;

    switch (value >> 5) {
    case 0: chip->rotate_on_auto_eoi = false; break;
    case 1: end_highest(chip, false); break;
    case 3: end_of_interrupt(chip, n, false); break;
    case 4: chip->rotate_on_auto_eoi = true; break;
    case 5: end_highest(chip, true); break;
    case 6: chip->lowest = n; break;
    case 7: end_of_interrupt(chip, n, true); break;
    }
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
    if (value & OCW3_SET_SPECIAL)
        chip->special_mask = value & OCW3_SPECIAL;
    if (value & OCW3_POLL)
        chip->poll = true;
    else if (value & OCW3_READ)
        chip->read_isr = value & OCW3_READ_ISR;
}

/* Clears the edge sense too: an input that is high must fall and rise again, unless it is level-triggered. */
static void write_icw1(struct pic_chip *chip, uint8_t value)
{
    struct pic_chip fresh = {.levels = chip->levels, .elcr = chip->elcr, .elcr_mask = chip->elcr_mask,
                             .irr = chip->levels & chip->elcr, .lowest = 7, .base = chip->base, .init_step = 2};

    fresh.need_icw4 = value & ICW1_ICW4;
    fresh.single = value & ICW1_SINGLE;
    *chip = fresh;
}

static void write_icw(struct pic_chip *chip, uint8_t value)
{
    unsigned after_icw3 = chip->need_icw4 ? 4 : 0;

    switch (chip->init_step) {
    case 2:
        chip->base = value & 0xf8;
        chip->init_step = chip->single ? after_icw3 : 3;
        break;
    case 3: /* the cascade is wired, whatever ICW3 says */
        chip->init_step = after_icw3;
        break;
    case 4:
        chip->auto_eoi = value & ICW4_AUTO_EOI;
        chip->fully_nested = value & ICW4_FULLY_NESTED;
        chip->init_step = 0;
        break;
    }
}

static void port_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct pic *pic = device;
    struct pic_chip *chip = &pic->chip[port & 0x80 ? SLAVE : MASTER];

    (void)size;
    if (port & 1) {
        if (chip->init_step)
            write_icw(chip, value);
        else
            chip->imr = value;
    } else if (value & ICW1_INIT) {
        write_icw1(chip, value);
    } else if (value & OCW3) {
        write_ocw3(chip, value);
    } else {
        write_ocw2(chip, value);
    }
    update(pic);
}

/* The poll command: the next read is the acknowledge. */
static uint8_t poll(struct pic *pic, struct pic_chip *chip)
{
    bool master = chip == &pic->chip[MASTER];
    int n = request(chip, master);

    chip->poll = false;
    if (n == NONE)
        return 0;
    serve(chip, n);
    if (!master)
        input(&pic->chip[MASTER], CASCADE_INPUT, false);
    update(pic);
    return 0x80 | n;
}

static uint32_t port_read(void *device, uint16_t port, unsigned size)
{
    struct pic *pic = device;
    struct pic_chip *chip = &pic->chip[port & 0x80 ? SLAVE : MASTER];

    (void)size;
    if (chip->poll)
        return poll(pic, chip);
    if (port & 1)
        return chip->imr;
    return chip->read_isr ? chip->isr : chip->irr;
}

static uint32_t elcr_read(void *device, uint16_t port, unsigned size)
{
    struct pic *pic = device;

    (void)size;
    return pic->chip[port & 1].elcr;
}

static void elcr_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct pic *pic = device;
    struct pic_chip *chip = &pic->chip[port & 1];
    uint8_t now_level;

    (void)size;
    now_level = value & chip->elcr_mask & ~chip->elcr;
    chip->elcr = value & chip->elcr_mask;
    chip->irr |= now_level & chip->levels;
    update(pic);
}

void pic_reset(struct pic *pic)
{
    for (unsigned i = MASTER; i <= SLAVE; i++) {
        uint8_t levels = pic->chip[i].levels;

        pic->chip[i] = (struct pic_chip){
            .levels = levels, .lowest = 7, .elcr_mask = i == MASTER ? ELCR_MASTER_SETTABLE : ELCR_SLAVE_SETTABLE,
            /* as firmware leaves it: vectors where a PC's BIOS has them, everything but the cascade masked */
            .base = i == MASTER ? 0x08 : 0x70, .imr = i == MASTER ? 0xfb : 0xff,
        };
    }
    update(pic);
}

void pic_init(struct pic *pic, struct bus *bus, void (*changed)(void *context), void *context)
{
    static const uint16_t ports[2] = {PORT_MASTER, PORT_SLAVE};
    struct bus_ports claim = {.byte_wide = true, .device = pic, .read = port_read, .write = port_write};

    memset(pic, 0, sizeof *pic);
    pic->changed = changed;
    pic->context = context;
    pic_reset(pic);
    for (unsigned i = MASTER; i <= SLAVE; i++) {
        claim.first = ports[i];
        claim.last = ports[i] + 1;
        bus_claim_ports(bus, &claim);
    }
    bus_claim_ports(bus, &(struct bus_ports){PORT_ELCR, PORT_ELCR + 1, true, pic, elcr_read, elcr_write, NULL});
}
