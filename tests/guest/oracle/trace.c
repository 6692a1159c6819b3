/* Prints sequences; see trace.h. */
#include "tests/guest/oracle/trace.h"

#include "tests/guest/runtime/runtime.h"

void oracle_print_sequence(const struct sequence *s, uint64_t number)
{
    uint64_t base = ORACLE_AT(PAGE_CODE, s->offset);

    guest_print("sequence %llu: mood %u, flags %llx, DR7 %llx, DR %llx %llx %llx %llx\n", (unsigned long long)number,
                s->mood, (unsigned long long)s->flags, (unsigned long long)s->dr7, (unsigned long long)s->dr[0] - base,
                (unsigned long long)s->dr[1] - base, (unsigned long long)s->dr[2] - base,
                (unsigned long long)s->dr[3] - base);
    for (unsigned n = 0; n < s->units; n++) {
        unsigned end = n + 1 < s->units ? s->unit[n + 1].start : s->bytes;
        guest_print(" %3x %s:", s->unit[n].start, s->unit[n].row->name);
        for (unsigned i = s->unit[n].start; i < end; i++)
            guest_print(" %02x", s->code[i]);
        guest_print("\n");
    }
}

void oracle_print_registers(const uint64_t *registers, unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        guest_print(" %llx", (unsigned long long)registers[n]);
    guest_print("\n");
}
