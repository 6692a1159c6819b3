/* Question: when a machine's code changes under it, is an instruction that CP carries out still the one that is
 * there? The same linear address leads to bytes that are changed, to another page by another entry at each level
 * of the page tables, and by another CR3; each time a CPUID of another length is there, and what follows it
 * tells whether it was left rightly. */
#include "tests/guest/runtime/runtime.h"

enum { PAGE = 4096, ENTRIES = 512, PRESENT = 3, SLOT = 7, PREFIXES = 5, ROUNDS = 3 };

struct table {
    uint64_t entry[ENTRIES];
} __attribute__((aligned(4096)));

static struct table top, other_top, pointers[2], directory[2], tables[2];
static uint8_t code[2][PAGE] __attribute__((aligned(4096)));

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* So many prefixes without a meaning here, CPUID, MOV ESI, 40H + so many; RET. */
static void write_code(uint8_t *at, uint8_t prefixes)
{
    for (unsigned i = 0; i < prefixes; i++)
        *at++ = 0x66;
    *at++ = 0x0F;
    *at++ = 0xA2;
    *at++ = 0xBE;
    *at++ = (uint8_t)(0x40 + prefixes);
    *at++ = 0;
    *at++ = 0;
    *at++ = 0;
    *at = 0xC3;
}

static const uint64_t linear = (uint64_t)SLOT << 39 | 5ull << 30 | 3ull << 21 | 9ull << 12;

static uint64_t call(void)
{
    uint64_t esi = 0, eax = 0, ecx = 0;

    __asm__ volatile("invlpg (%3)\n call *%3" : "+S"(esi), "+a"(eax), "+c"(ecx) : "r"(linear) : "rbx", "rdx", "memory");
    return esi;
}

static void expect(uint8_t prefixes, const char *what) { guest_check_equal(call(), 0x40u + prefixes, what); }

static void map(void)
{
    const uint64_t *now = (const uint64_t *)(uintptr_t)(read_cr3() & ~0xFFFull);

    for (unsigned i = 0; i < ENTRIES; i++)
        top.entry[i] = other_top.entry[i] = now[i];
    for (unsigned i = 0; i < 2; i++) {
        pointers[i].entry[5] = address(&directory[i]) | PRESENT;
        directory[i].entry[3] = address(&tables[i]) | PRESENT;
        tables[i].entry[9] = address(code[i]) | PRESENT;
        write_code(code[i], (uint8_t)i);
    }
    top.entry[SLOT] = address(&pointers[0]) | PRESENT;
    other_top.entry[SLOT] = address(&pointers[1]) | PRESENT;
    write_cr3(address(&top));
}

int guest_main(void)
{
    map();
    for (unsigned round = 0; round < ROUNDS; round++) {
        expect(0, "the code that is there");
        for (uint8_t prefixes = 1; prefixes < PREFIXES; prefixes++) {
            write_code(code[0], prefixes);
            expect(prefixes, "its bytes changed");
        }
        write_code(code[0], 0);
        expect(0, "and back");
        tables[0].entry[9] = address(code[1]) | PRESENT;
        expect(1, "another page");
        tables[0].entry[9] = address(code[0]) | PRESENT;
        expect(0, "and back");
        directory[0].entry[3] = address(&tables[1]) | PRESENT;
        expect(1, "another table");
        directory[0].entry[3] = address(&tables[0]) | PRESENT;
        expect(0, "and back");
        pointers[0].entry[5] = address(&directory[1]) | PRESENT;
        expect(1, "another directory");
        pointers[0].entry[5] = address(&directory[0]) | PRESENT;
        expect(0, "and back");
        top.entry[SLOT] = address(&pointers[1]) | PRESENT;
        expect(1, "another table of directories");
        top.entry[SLOT] = address(&pointers[0]) | PRESENT;
        expect(0, "and back");
        write_cr3(address(&other_top));
        expect(1, "another CR3");
        write_cr3(address(&top));
        expect(0, "and back");
    }
    guest_print("end\n");
    return (int)guest_failures;
}
