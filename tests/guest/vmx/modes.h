/* L2 in every mode, with a device, storage and nothing in its first MiB: code, data and a stack of a page each. */
#pragma once
#include "tests/guest/vmx/vm.h"

enum mode { REAL, BIG_REAL, V86, CODE16, CODE32, USER32, CODE64, USER64, MODES };
enum { HOLE_AT = 0x7000, CODE_AT = 0x8000, DEVICE_AT = 0x9000, DATA_AT = 0xA000, ABSENT_AT = 0xB000,
       STACK_AT = 0xC000, TASK_AT = 0xD000, HOLE_16 = 0xE000 /* from DEVICE_AT on */ };
enum { READ_WRITE_EXECUTE = 7, WRITE_BACK = 6 << 3, LARGE = 0x80, TEST_PORT = 0x80, NO_RIGHTS = 0x10000 };
enum { ES, CS, SS, DS, TR = 7 };
#define APIC 0xFEE00000ull
#define HOLE 0xE0000000ull /* neither storage nor a device: all ones */
#define FLAGS_SHOWN 0xCD5ull

extern struct page modes_code, modes_data, modes_stack;
extern struct vm modes_vm;

/* Turns VMX on and prepares modes_vm: unrestricted, with all exceptions to L1. */
void modes_begin(void);
/* One page of the first 2 MiB: an entry of L1's EPT. */
void modes_map(uint64_t at, uint64_t entry);
/* ES to GS and TR; the selector follows from the rights. */
void modes_segment(unsigned n, uint64_t base, uint32_t limit, uint32_t rights);
/* Segments, control registers, flags and RIP of that mode. Up to 16-bit code segments are of 64 KiB and begin at the
 * pages above: DS at the device, ES at the data. Else they are flat. */
void modes_enter(enum mode mode, uint64_t flags);
