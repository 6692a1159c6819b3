/* Question: does CP's UART driver carry every byte, both ways, on several lines at once, by interrupt alone? Each line
 * echoes what comes in brackets and hexadecimal; 'F' sends 3000 numbered lines; 'Q' and a digit end the machine with
 * that status. */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

#include "cp/driver/uart.h"
#include "lib/format.h"

enum { PIC_MASTER = 0x20, PIC_BASE = 0x20, PIC_END = 0x20, FLOOD = 3000, HELD = 256 };

struct terminal {
    struct uart_line uart;
    uint8_t held[HELD]; /* input the main loop has not looked at */
    volatile unsigned in, out;
    unsigned flood; /* lines still to send */
    volatile unsigned rooms;
};

static struct terminal terminals[2];
static unsigned spurious;

static void input(struct line *l, uint8_t byte)
{
    struct terminal *t = l->owner;
    t->held[t->in++ % HELD] = byte;
}

static void room(struct line *l)
{
    struct terminal *t = l->owner;
    t->rooms++;
}

static void interrupt(struct guest_frame *f)
{
    struct terminal *t = &terminals[f->vector == PIC_BASE + 3];
    uint8_t id = inb((uint16_t)(t->uart.port + 2));
    spurious += id & 1;
    uart_lines_interrupt(&t->uart, 1, t->uart.irq);
    outb(PIC_MASTER, PIC_END);
}

static void pic_init(void)
{
    outb(PIC_MASTER, 0x11);
    outb(PIC_MASTER + 1, PIC_BASE);
    outb(PIC_MASTER + 1, 4);
    outb(PIC_MASTER + 1, 1);
    outb(PIC_MASTER + 1, 0xFF & ~(1 << 3 | 1 << 4));
}

static void say(struct terminal *t, const char *text) { line_write(&t->uart.line, text, (uint32_t)strlen(text)); }

/* One step of what a terminal has to do; false: nothing. */
static bool serve(struct terminal *t)
{
    char text[64];
    if (t->flood && line_room(&t->uart.line) >= sizeof text) {
        format_text(text, sizeof text, "%05u the quick brown fox\r\n", FLOOD - t->flood--);
        say(t, text);
        return true;
    }
    if (t->flood || t->in == t->out || line_room(&t->uart.line) < sizeof text)
        return false;
    uint8_t byte = t->held[t->out++ % HELD];
    if (byte == 'Q') {
        while (t->in == t->out)
            wait_interrupt();
        line_drain(&t->uart.line);
        guest_exit((uint32_t)(t->held[t->out % HELD] - '0') + (spurious > 2 ? 100 : 0));
    }
    if (byte == 'F')
        t->flood = FLOOD;
    format_text(text, sizeof text, "[%02x]", byte);
    say(t, text);
    return true;
}

int guest_main(void)
{
    static const uint16_t ports[] = {0x3F8, 0x2F8};
    static struct uart_line nobody;
    guest_check(!uart_line_init(&nobody, 0x3E8, 4), "no line where no UART is");
    guest_check_equal(line_room(&nobody.line), 0, "and no room on it");
    guest_check(!guest_failures, "so far");
    pic_init();
    for (unsigned i = 0; i < 2; i++) {
        guest_handle((uint8_t)(PIC_BASE + 4 - i), interrupt);
        terminals[i].uart.line.input = input;
        terminals[i].uart.line.room = room;
        terminals[i].uart.line.owner = &terminals[i];
        if (!uart_line_init(&terminals[i].uart, ports[i], (uint8_t)(4 - i)))
            return 1;
        say(&terminals[i], "line ready\r\n");
    }
    for (;;)
        if (!serve(&terminals[0]) & !serve(&terminals[1]))
            wait_interrupt();
}
