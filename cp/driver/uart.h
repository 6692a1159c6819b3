/* A line on a real 16550 UART. Without room for input it leaves the bytes in the FIFO and takes back RTS: whoever heeds
 * either waits, and who heeds neither loses what they send. Its carrier is the modem's (DCD), if that ever changes. */
#pragma once
#include "cp/terminal/line.h"

struct uart_line {
    struct line line;
    uint16_t port;      /* I/O base: 3F8, 2F8, 3E8, 2E8 */
    uint8_t irq;        /* ISA: 4 for the first and third, 3 for the second and fourth */
    uint8_t interrupts; /* IER as last written */
    enum { UART_DTR_UP, UART_DTR_ENDS /* when all is out */, UART_DTR_DOWN /* till the carrier is gone */ } dtr;
    /* How wide and high is the terminal at that port? 0: not known. Asked when somebody comes and when the modem
     * rings. NULL: nobody knows */
    unsigned (*columns)(uint16_t port, unsigned *rows);
};

/* Sets 115200 8N1, FIFOs on, receive interrupts on. False when no UART answers at `port`; then the line stays unusable.
 * @pre the line's callbacks and owner are set */
bool uart_line_init(struct uart_line *, uint16_t port, uint8_t irq);

/* Call with all lines when this IRQ came, which some of them may share, or to poll. True: there may be more, of which
 * no interrupt will tell; call again soon. */
bool uart_lines_interrupt(struct uart_line *lines, unsigned count, uint8_t irq);
