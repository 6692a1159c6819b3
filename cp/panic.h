/* The end of CP by a fault of its own: what, where, the last exits; never reached by anything a guest can do. */
#pragma once
#include <stdint.h>

__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *format, ...);
void debug_print(const char *text); /* CP's debug port: what the launcher logs */
uint64_t cpu_idt_address(void);

/* Always on. */
#define CP_ASSERT(condition) \
    do { \
        if (!(condition)) \
            panic("%s:%d: %s", __FILE__, __LINE__, #condition); \
    } while (0)
