/* Question: is what stands in a VGA's memory seen, and are keys read from a keyboard? Nothing is printed by the UART
 * until a q was typed, which ends it. By polling, as the smallest kernels do. */
#include "tests/guest/runtime/runtime.h"

enum { COLUMNS = 80, MEMORY = 0xB8000, STATUS = 0x64, DATA = 0x60, FULL = 1, RELEASED = 0x80, KEY_Q = 0x10 };

static void put(unsigned row, unsigned column, const char *text, uint8_t attribute)
{
    volatile uint16_t *cell = (volatile uint16_t *)(uintptr_t)MEMORY + row * COLUMNS + column;
    while (*text)
        *cell++ = (uint16_t)(attribute << 8 | (uint8_t)*text++);
}

static uint8_t key(void)
{
    for (;;) {
        while (!(inb(STATUS) & FULL)) {}
        uint8_t code = inb(DATA);
        if (!(code & RELEASED))
            return code;
    }
}

int guest_main(void)
{
    static const char digits[] = "0123456789abcdef";
    unsigned column = 0;
    put(2, 5, "\xC9\xCD\xBB text in colour", 0x1E);
    for (uint8_t code; (code = key()) != KEY_Q; column += 3)
        put(4, column, (char[]){digits[code >> 4], digits[code & 15], ' ', 0}, 7);
    guest_print("the end\n");
    return 0;
}
