/* Intel 8259A "Programming the 8259A": initialisation words and masks. */
#include "cms/driver/pic.h"

#include <stdbool.h>
#include <stdint.h>

#include "cms/cpu/cpu.h"
#include "cms/cpu/trap.h"

enum { MASTER = 0x20, SLAVE = 0xa0, EDGE_LEVEL = 0x4d0, CASCADE = 2 };
enum { ICW1_INIT_ICW4 = 0x11, ICW4_8086_AUTO_END = 0x03 };

static uint16_t mask;

void pic_start(void)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } words[] = {
        {MASTER, ICW1_INIT_ICW4},
        {MASTER + 1, TRAP_IRQ_BASE},
        {MASTER + 1, 1 << CASCADE},
        {MASTER + 1, ICW4_8086_AUTO_END},
        {SLAVE, ICW1_INIT_ICW4},
        {SLAVE + 1, TRAP_IRQ_BASE + 8},
        {SLAVE + 1, CASCADE},
        {SLAVE + 1, ICW4_8086_AUTO_END},
        {SLAVE + 1, 0xff},
        {MASTER + 1, 0xff & ~(1 << CASCADE)},
    };
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        cpu_out8(words[i].port, words[i].value);
    mask = 0xffff & ~(1u << CASCADE);
}

static void set_mask(unsigned irq, bool masked)
{
    uint16_t wanted = (uint16_t)(masked ? mask | 1u << irq : mask & ~(1u << irq));
    if (wanted == mask)
        return;
    mask = wanted;
    if (irq < 8)
        cpu_out8(MASTER + 1, (uint8_t)mask);
    else
        cpu_out8(SLAVE + 1, (uint8_t)(mask >> 8));
}

void pic_enable(unsigned irq)
{
    set_mask(irq, false);
}

void pic_enable_level(unsigned irq)
{
    uint16_t port = (uint16_t)(EDGE_LEVEL + irq / 8);
    uint8_t now = cpu_in8(port), bit = (uint8_t)(1u << irq % 8);
    if (!(now & bit))
        cpu_out8(port, now | bit);
    pic_enable(irq);
}
