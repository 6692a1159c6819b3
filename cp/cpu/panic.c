#include "cp/panic.h"

#include <stdarg.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/port.h"
#include "lib/format.h"

enum { DEBUG_PORT = 0xE9, OPERATOR_PORT = 0x3F8, UART_LSR = 5, LSR_THRE = 0x20, POLLS = 100000 };

void debug_print(const char *text)
{
    while (*text)
        port_out8(DEBUG_PORT, (uint8_t)*text++);
}

/* Straight to the operator's UART: the drivers may be what failed. */
static void operator_print(const char *text)
{
    for (; *text; text++) {
        for (unsigned i = 0; i < POLLS && !(port_in8(OPERATOR_PORT + UART_LSR) & LSR_THRE); i++)
            ;
        port_out8(OPERATOR_PORT, (uint8_t)*text);
    }
}

void panic(const char *format, ...)
{
    char text[400], line[440];
    va_list args;

    op_cli();
    va_start(args, format);
    format_text_v(text, sizeof text, format, args);
    va_end(args);
    format_text(line, sizeof line, "\r\nHCPDMP908I SYSTEM FAILURE: %s\r\n", text);
    debug_print(line);
    operator_print(line);
    for (;;)
        op_stop();
}
