/* Question: what do a machine's commonest exits cost here, in ticks of the TSC? Its CPUID, a look at its console's
 * status, the first touch of a page of its storage. */
#include "tests/guest/runtime/measure.h"

enum { COM1_STATUS = 0x3FD, PAGE = 4096, PAGES = 100, FRESH = 16 << 20 }; /* beyond anything the loader put there */

int guest_main(void)
{
    uint32_t eax, ebx, ecx, edx;
    uint8_t status;

    measure_begin();
    MEASURE("own_cpuid", __asm__ volatile("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(0), "c"(0)));
    MEASURE("uart_status", __asm__ volatile("inb %1, %0" : "=a"(status) : "d"((uint16_t)COM1_STATUS)));
    MEASURE_MANY("first_touch", 0, PAGES, *(volatile uint8_t *)(uintptr_t)(FRESH + (unsigned)i * PAGE) = 1);
    MEASURE_MANY("touch_again", 0, PAGES, *(volatile uint8_t *)(uintptr_t)(FRESH + (unsigned)i * PAGE) = 2);
    guest_print("end\n");
    return 0;
}
