/* Question: does a machine find its system as it was saved, whatever the machines before it, or beside it, wrote into
 * theirs? Its image is in pages that all share until they write there. Writes into data, constants, code and zeros, by
 * several ways, and looks before, after each key, and again. */
#include <stdint.h>
#include <string.h>

#include "tests/guest/runtime/runtime.h"

enum { PAGE = 4096 };

static struct {
    char text[16], rest[PAGE - 16];
} data[3] __attribute__((aligned(PAGE))) = {{.text = "stored"}, {.text = "string"}, {.text = "exchanged"}};
static char zeros[PAGE] __attribute__((aligned(PAGE)));
static const char constant[PAGE] __attribute__((aligned(PAGE))) = "constant";

/* mov $1, %eax; ret, on a page of its own in the text */
__asm__(".section .text.code, \"ax\", @progbits\n.balign 4096\ncode: mov $1, %eax\nret\n.balign 4096\n.text");
unsigned code(void);

static const char *seen(const volatile char *at) { return (const char *)at; }

static void look(const char *when)
{
    guest_print("%s: %s %s %s, %s, zeros %s, code %u\n", when, seen(data[0].text), seen(data[1].text),
                seen(data[2].text), seen(constant), *seen(zeros) ? seen(zeros) : "none", code());
}

static void alter(void)
{
    uint32_t with = 'E';
    void *to = data[1].text;
    uint64_t count = 4;

    *(volatile char *)data[0].text = 'S';
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"('x') : "memory");
    __asm__ volatile("xchgb %b0, %1" : "+q"(with), "+m"(data[2].text[0]));
    *(volatile char *)constant = 'C';
    memcpy(zeros, "some", 5);
    ((volatile uint8_t *)(uintptr_t)code)[1] = 2;
}

int guest_main(void)
{
    look("first");
    guest_get();
    alter();
    look("then");
    guest_get();
    look("later");
    guest_print("end\n");
    return 0;
}
