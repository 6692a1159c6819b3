/* Question: how long can a guest make CP keep its interrupts waiting? Does the worst it knows of every kind of exit, of
 * DIAGNOSE, of a disk's ring and of virtual VMX; CP measures itself (INDICATE LONGEST). The command line says what:
 * "exits", "commands", "ring", "nest", "directory", "machine", once or "forever"; and "fill" takes all the storage
 * there is and stays, for its end to be measured. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "cp/diagnose.h"
#include "cp/driver/virtio_pci.h"
#include "tests/guest/longest_machine.h"
#include "vmcs-shadow/capability.h"

#define LAPIC 0xFEE00000ull
#define IOAPIC 0xFEC00000ull
#define SCRATCH 0x600000ull /* free storage from here on */

static uint64_t address(const volatile void *p) { return (uint64_t)(uintptr_t)p; }

/* ---- exits ------------------------------------------------------------------------------------------------------- */
static void repeat(uint64_t to, uint64_t from, uint64_t count)
{
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static void repeat_out(uint16_t port, uint64_t count)
{
    uint64_t from = SCRATCH;
    __asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}

static void repeat_in(uint16_t port, uint64_t count)
{
    uint64_t to = SCRATCH;
    __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}

static void try_cpuid(void)
{
    for (uint32_t leaf = 0; leaf < 32; leaf++)
        for (uint32_t subleaf = 0; subleaf < 4; subleaf++)
            cpuid(leaf, subleaf), cpuid(0x80000000u + leaf, subleaf), cpuid(0x40000000u + leaf, subleaf);
}

static void try_msrs(void)
{
    static const uint32_t from[] = {0, 0x170, 0x1A0, 0x200, 0x400, 0x480, 0x6E0, 0x800, 0xC0000080, 0xC0000100};
    for (unsigned i = 0; i < sizeof from / sizeof *from; i++)
        for (uint32_t msr = from[i]; msr < from[i] + 64; msr++) {
            uint64_t value;
            if (guest_try_read_msr(msr, &value) == GUEST_NO_TRAP && msr != 0x1B)
                guest_try_write_msr(msr, value);
        }
}

static void try_ports(void)
{
    static const uint16_t quiet[] = {0x60, 0x64, 0x92, 0xCF9, 0xB004, 0x604, 0xF4, 0x501, 0x3F8};
    for (uint32_t port = 0; port < 0x10000; port += port < 0x500 || port >= 0xCF0 ? 1 : 16) {
        bool skip = port >= 0xF0 && port < 0x100;
        for (unsigned i = 0; i < sizeof quiet / sizeof *quiet; i++)
            skip |= port >= quiet[i] && port < quiet[i] + 8u;
        if (!skip)
            inb((uint16_t)port), inw((uint16_t)port), inl((uint16_t)port);
        if (port >= 0xE00)
            port += 0xFF;
    }
    repeat_out(0x2F8, 4096); /* a line nobody has, and one that is */
    repeat_out(0x3FB, 4096);
    repeat_in(0x3FD, 4096);
    repeat_in(0x71, 4096);
}

static void try_devices(void)
{
    repeat(SCRATCH, LAPIC, 1024);
    repeat(SCRATCH, IOAPIC, 1024);
    repeat(LAPIC + 0x380, LAPIC + 0x380, 1);
    outb(0x43, 0x34); /* the PIT at its fastest, in a mode that repeats; the RTC too */
    outb(0x40, 2);
    outb(0x40, 0);
    outb(0x70, 0x0A), outb(0x71, 0x21);
    outb(0x70, 0x0B), outb(0x71, 0x72);
    mmio_write(LAPIC + 0xF0, 0x1FF);
    mmio_write(LAPIC + 0x3E0, 0xB);
    mmio_write(LAPIC + 0x320, 0x20040);
    mmio_write(LAPIC + 0x380, 1);
    for (uint64_t end = rdtsc() + 3000000; rdtsc() < end;)
        inb(0x61), inb(0x3FD);
    mmio_write(LAPIC + 0x380, 0);
    mmio_write(LAPIC + 0x320, 0x10000);
    outb(0x43, 0x30);
}

static void try_exits(void)
{
    try_cpuid();
    try_msrs();
    try_ports();
    try_devices();
    write_cr4(read_cr4() ^ 0x80);
    write_cr4(read_cr4() ^ 0x80);
    __asm__ volatile("wbinvd" : : : "memory");
}

/* ---- DIAGNOSE ---------------------------------------------------------------------------------------------------- */

static char answer[DIAGNOSE_RESPONSE_MAX], text[DIAGNOSE_COMMAND_MAX + 1];

static void command(uint64_t size)
{
    uint64_t code = DIAGNOSE_COMMAND, b = address(text), c = strlen(text), d = address(answer), s = size;
    __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(c), "+d"(d) : "S"(s) : "memory");
}

/* As much as the console takes at one call, also when it is full. */
static void try_console(void)
{
    memset(answer, ' ', DIAGNOSE_CONSOLE_MAX);
    answer[DIAGNOSE_CONSOLE_MAX - 1] = '\n';
    for (unsigned i = 0; i < 6; i++) {
        uint64_t code = DIAGNOSE_CONSOLE, b = address(answer), c = DIAGNOSE_CONSOLE_MAX;
        __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(c) : : "memory");
    }
}

static uint64_t spool(uint64_t code, uint64_t *bytes, uint64_t device)
{
    uint64_t b = address(answer), d = device;
    __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(*bytes), "+d"(d) : : "memory");
    return code == DIAGNOSE_BUSY ? 2 : code ? 1 : d; /* 2: again; else there is no more */
}

/* As much as a call may ask of a disk, into pages nobody touched before, askew. */
static void try_block_io(void)
{
    uint64_t code = DIAGNOSE_DEVICE, b = 0x191, c = 0, d = 0;
    __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(c), "+d"(d) : : "memory");
    for (unsigned i = 0; !code && i < 3; i++) {
        code = DIAGNOSE_BLOCK_IO, c = 0, d = SCRATCH + 0x400000 + i * 0x101100;
        uint64_t sectors = c + DIAGNOSE_SECTORS_MAX, io = DIAGNOSE_IO_READ;
        __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(c), "+d"(d) : "S"(sectors), "D"(io) : "memory");
    }
    if (code)
        guest_print("no block I/O\n");
}

static void obey(const char *line)
{
    strcpy(text, line);
    command(sizeof answer);
}

/* Empty records, of which most go into a call and a block; and some files, for what goes through them all. */
static void try_spool(void)
{
    uint64_t bytes;
    memset(answer, 0, DIAGNOSE_SPOOL_MAX);
    for (unsigned i = 0; i < 20; i++)
        bytes = DIAGNOSE_SPOOL_MAX, spool(DIAGNOSE_SPOOL_WRITE, &bytes, DIAGNOSE_PUNCH);
    obey("CLOSE PUN TO *");
    for (unsigned i = 0; i < 400; i++)
        if (bytes = DIAGNOSE_SPOOL_MAX, spool(DIAGNOSE_SPOOL_READ, &bytes, 0) == 1)
            break;
    obey("CLOSE RDR");
    for (unsigned i = 0; i < 6; i++) {
        memset(answer, 0, 2);
        bytes = 2, spool(DIAGNOSE_SPOOL_WRITE, &bytes, DIAGNOSE_PUNCH);
        obey("CLOSE PUN TO *");
    }
    obey("QUERY RDR ALL");
    obey("CHANGE RDR ALL HOLD NAME A B");
    obey("TRANSFER RDR ALL TO * PRT");
    obey("PURGE PRT ALL");
}

/* As many of `piece` as fit. */
static void fill_with(const char *first, const char *piece)
{
    strcpy(text, first);
    while (strlen(text) + strlen(piece) <= DIAGNOSE_COMMAND_MAX)
        strcpy(text + strlen(text), piece);
    command(sizeof answer);
}

static void try_commands(void)
{
    static const char *const one[] = {
        "QUERY NAMES", "QUERY VIRTUAL ALL", "QUERY DASD", "QUERY LINKS 191", "QUERY LINKS 190", "QUERY NEST",
        "QUERY NSS", "QUERY SET", "QUERY CPLEVEL", "QUERY TIME", "QUERY STORAGE", "QUERY USERS", "QUERY CPUS",
        "QUERY FILES", "QUERY RDR", "QUERY READER", "QUERY PRT", "QUERY PRINTER", "QUERY PUNCH", "QUERY UR",
        "QUERY TAG DEV PUN", "QUERY LAN", "QUERY NIC", "COUPLE 600 TO SYSTEM NETWORKS", "DEFINE LAN NETWORKS",
        "SPOOL PUN TO ALICE", "CLOSE PUN", "PURGE RDR ALL", "CHANGE RDR ALL HOLD", "ORDER RDR 1", "TAG DEV PUN X",
        "TRANSFER RDR ALL TO ALICE",
        "QUERY CONSOLE", "QUERY USERID", "QUERY ISA", "QUERY LINES", "QUERY TERMINAL", "TERMINAL LINESIZE 132",
        "TERMINAL PAGELENGTH 50",
        "QUERY NOBODY", "HELP", "HELP DISPLAY", "HELP 9001",
        "HELP HCPLNM298E", "INDICATE",
        "INDICATE USER", "INDICATE NEST", "INDICATE LONGEST", "DIRECTORY CHECK",
        "DISPLAY G", "DISPLAY X", "DISPLAY T0.1000",
        "MSG * 012345678901234567890123", "MSG OPERATOR HELLO", "MSG ALL HELLO", "WNG ALL HELLO", "SET EMSG ON",
        "SET SMSG ON", "SMSG * HELLO", "SEND CP MAINT QUERY NAMES",
        "SET MSG ON", "TRACE VMX OFF", "NONSENSE", "LINK MAINT 190 300 RR", "DETACH 300", "LINK ALICE 191 301 W wrong",
        "XAUTOLOG NOBODY", "FORCE NOBODY", "RESET 2F8", "DIAL MAINT 2F8", "UNDIAL",
        "DEFSYS POINT 0-FFF EW", "SAVESYS POINT", "PURGE NSS POINT", "SNAPSHOT LIST 191",
        "XAUTOLOG MAINT", "FORCE MAINT", "BEGIN", "STORE S600000 00", "STORE RAX 0", "DEFINE STORAGE 9999M"};
    for (unsigned i = 0; i < sizeof one / sizeof *one; i++) {
        strcpy(text, one[i]);
        command(sizeof answer);
        command(0);
    }
    fill_with("DISPLAY", " T0.200");
    fill_with("DISPLAY", " G");
    fill_with("DISPLAY", " X");
    fill_with("STORE S600000", " 00112233445566778899AABBCCDDEEFF");
    fill_with("Q N", "\nQ N");
    fill_with("Q V", "\nQ V");
    fill_with("HELP", "\nH");
    fill_with("DISPLAY G", "\nD G");
    fill_with("IND NEST", "\nIND NEST");
    fill_with("LINK MAINT 190 310 RR", "\nDET 310\nLINK MAINT 190 310 RR");
    fill_with("DETACH", " 310");
    try_spool();
    try_block_io();
    try_console();
}

/* ---- a disk's ring ----------------------------------------------------------------------------------------------- */

enum { RING = 256, CHAIN = 130, TYPE_IN = 0, GET_ID = 8, NEXT = 1, WRITE = 2, INDIRECT = 4 };
struct descriptor {
    uint64_t at;
    uint32_t bytes;
    uint16_t flags, next;
};

static struct descriptor table[RING] __attribute__((aligned(4096))), chain[CHAIN] __attribute__((aligned(16)));
static struct descriptor two[RING][2] __attribute__((aligned(16)));
static struct {
    uint32_t type, reserved;
    uint64_t sector;
} header[2] = {{TYPE_IN, 0, 0}, {GET_ID, 0, 0}};
static uint8_t rings[16384] __attribute__((aligned(4096)));
static volatile uint8_t *common;

static void put8(unsigned at, uint8_t v) { common[at] = v; }
static void put16(unsigned at, uint16_t v) { *(volatile uint16_t *)(volatile void *)(common + at) = v; }
static void put32(unsigned at, uint32_t v) { *(volatile uint32_t *)(volatile void *)(common + at) = v; }
static void put64(unsigned at, uint64_t v) { put32(at, (uint32_t)v), put32(at + 4, (uint32_t)(v >> 32)); }

static void start_disk(uint8_t *available, uint8_t *used)
{
    put8(20, 0);
    while (common[20]) {}
    put8(20, 3);
    put32(8, 0), put32(12, 1u << 28);
    put32(8, 1), put32(12, 1);
    put8(20, 11);
    put16(22, 0), put16(24, RING);
    put64(32, address(table)), put64(40, address(available)), put64(48, address(used));
    put16(28, 1);
    put8(20, 15);
}

/* One request as long as a chain may be: data in pieces that are no sectors, then what nobody touched before. */
static void long_chain(uint32_t piece, uint64_t data)
{
    chain[0] = (struct descriptor){address(&header[0]), 16, NEXT, 1};
    for (unsigned i = 1; i < CHAIN; i++)
        chain[i] = (struct descriptor){data + (uint64_t)i * piece, piece, NEXT | WRITE, (uint16_t)(i + 1)};
    chain[CHAIN - 1] = (struct descriptor){SCRATCH, 1, WRITE, 0};
    for (unsigned h = 0; h < RING; h++)
        table[h] = (struct descriptor){address(chain), sizeof chain, INDIRECT, 0};
}

static void ring_bell(volatile uint16_t *bell, volatile uint16_t *index, uint16_t count)
{
    *index = (uint16_t)(*index + count);
    *bell = 0;
}

/* The used ring laid over the available ring: what CP writes as used it finds as offered. */
static void ring_over_ring(volatile uint16_t *bell)
{
    uint8_t *available = rings + 4096;
    volatile uint16_t *index = (volatile uint16_t *)(void *)(available + 2), *ring = index + 1;
    start_disk(available, available - 2046);
    for (unsigned h = 0; h < RING; h++) {
        uint32_t length = ((256u * (h + 2) + 1) & 0xFFFF) | ((h + 1) & 255) << 16;
        two[h][0] = (struct descriptor){address(&header[1]), 16, NEXT, 1};
        two[h][1] = (struct descriptor){SCRATCH, length, WRITE, 0};
        table[h] = (struct descriptor){address(two[h]), 32, INDIRECT, 0};
        ring[h] = h ? 7 : 0;
    }
    chain[0] = (struct descriptor){address(&header[0]), 16, NEXT, 1};
    chain[1] = (struct descriptor){SCRATCH, 1 << 20, NEXT | WRITE, 2};
    chain[2] = (struct descriptor){address(rings), 1, WRITE, 0};
    table[0] = (struct descriptor){address(chain), 48, INDIRECT, 0};
    *index = 1;
    *bell = 0;
    table[0] = (struct descriptor){address(two[0]), 32, INDIRECT, 0};
    *index = 257;
    *bell = 0;
}

static void wait_used(const volatile uint16_t *used, uint16_t count)
{
    for (uint64_t end = rdtsc() + 20000000; *used != count && rdtsc() < end;)
        inb(0x61);
}

static void try_ring(void)
{
    struct pci_address a;
    struct virtio_pci v;
    if (!pci_find(0x10421AF4, 0x10011AF4, 0, &a) || !virtio_pci_open(&v, a)) {
        guest_print("no disk\n");
        return;
    }
    common = v.common;
    volatile uint16_t *bell = (volatile uint16_t *)(volatile void *)v.notify;
    volatile uint16_t *index = (volatile uint16_t *)(void *)(rings + 2),
                      *used = (volatile uint16_t *)(void *)(rings + 8194);
    start_disk(rings, rings + 8192);
    long_chain(1024, SCRATCH + 0x100000 + 256);
    ring_bell(bell, index, 3);
    wait_used(used, 3);
    long_chain(4, SCRATCH);
    header[0].type = GET_ID;
    for (unsigned n = 0; n < 4; n++)
        ring_bell(bell, index, RING), wait_used(used, *index);
    repeat(address(bell), SCRATCH, 64);
    header[0].type = TYPE_IN;
    ring_over_ring(bell);
    for (uint64_t end = rdtsc() + 10000000; rdtsc() < end;)
        inb(0x61);
    put8(20, 0);
}

/* ---- virtual VMX ------------------------------------------------------------------------------------------------- */

enum { REGIONS = 20, LIST = 512, RWX = 7, WRITE_BACK = 6 << 3, LARGE = 1 << 7, EPTP_FLAGS = 3 << 3 | 6,
       INVEPT_SINGLE = 1, INVEPT_ALL = 2, PART = 0x200000 };
#define WINDOW 0x40000000ull /* three GiB, every page of which is the same one */

static struct page region, spare[REGIONS], top, pointers, low, high, leaves, bitmaps[3];
static struct vm vm = {.region = &region};
static struct {
    uint32_t msr, reserved;
    uint64_t value;
} list[LIST] __attribute__((aligned(4096)));

static uint64_t *entry(struct page *page, unsigned n) { return (uint64_t *)(void *)page + n; }

static void use_ept(void)
{
    *entry(&top, 0) = address(&pointers) | RWX;
    for (unsigned n = 0; n < 4; n++)
        *entry(&pointers, n) = address(n ? &high : &low) | RWX;
    for (unsigned n = 0; n < 512; n++) {
        *entry(&low, n) = (uint64_t)n * PART | LARGE | WRITE_BACK | RWX;
        *entry(&high, n) = address(&leaves) | RWX;
        *entry(&leaves, n) = SCRATCH | WRITE_BACK | RWX;
    }
    vm_set(VMCS_EPT_POINTER, address(&top) | EPTP_FLAGS);
}

static void l2_touches_everywhere(void *unused)
{
    (void)unused;
    for (uint64_t at = WINDOW; at < 1ull << 32; at += PART)
        *(volatile uint8_t *)(uintptr_t)at;
}

static void run(void (*body)(void *))
{
    vm_start(&vm, body, NULL);
    do
        vm_run(&vm);
    while (vm.entered == VMX_SUCCEED && !vm_finished(&vm));
}

static void l2_returns(void *unused) { (void)unused; }

/* One by turns with another. */
static void use_lists(const uint32_t msr[2], const uint64_t value[2])
{
    for (unsigned n = 0; n < LIST; n++) {
        list[n].msr = msr[n % 2];
        list[n].value = value[n % 2];
    }
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, address(list)), vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, LIST);
    vm_set(VMCS_EXIT_MSR_LOAD_ADDRESS, address(list)), vm_set(VMCS_EXIT_MSR_LOAD_COUNT, LIST);
    vm_set(VMCS_EXIT_MSR_STORE_ADDRESS, address(list)), vm_set(VMCS_EXIT_MSR_STORE_COUNT, LIST);
    run(l2_returns);
}

static void try_lists(void)
{
    static const uint32_t msrs[] = {0x10, 0x277, 0x6E0, 0x2FF, 0xC0000082, 0xC0000102, 0x174, 0x1A0, 0x3B, 0x4B564D01};
    static uint32_t clock[8]; /* KVM's, stored again with each change of the TSC */
    guest_try_write_msr(0x4B564D01, address(clock) | 1);
    for (unsigned i = 0; i < sizeof msrs / sizeof *msrs; i++) {
        uint64_t value[2] = {0};
        if (guest_try_read_msr(msrs[i], &value[0]) != GUEST_NO_TRAP)
            continue;
        for (unsigned j = i; j < sizeof msrs / sizeof *msrs; j++)
            if (guest_try_read_msr(msrs[j], &value[1]) == GUEST_NO_TRAP)
                use_lists((uint32_t[]){msrs[i], msrs[j]}, value);
    }
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 0), vm_set(VMCS_EXIT_MSR_LOAD_COUNT, 0), vm_set(VMCS_EXIT_MSR_STORE_COUNT, 0);
}

static void try_regions(void)
{
    for (unsigned round = 0; round < 2; round++)
        for (unsigned n = 0; n < REGIONS; n++) {
            vm_stamp(&spare[n], 0);
            if (!round)
                vmx_clear(address(&spare[n]));
            vmx_load(address(&spare[n]));
        }
    vmx_load(address(&region));
}

static void try_nest(void)
{
    struct vmx_descriptor all = {0, 0}, one = {address(&top) | EPTP_FLAGS, 0};
    vm_begin();
    vm_prepare(&vm);
    try_regions();
    try_lists();
    use_ept();
    vm_set(VMCS_IO_BITMAP_A, address(&bitmaps[0])), vm_set(VMCS_IO_BITMAP_B, address(&bitmaps[1]));
    vm_set(VMCS_MSR_BITMAP, address(&bitmaps[2]));
    vm_cpu(CPU_IO_BITMAPS | CPU_MSR_BITMAPS, CPU2_EPT);
    for (unsigned round = 0; round < 3; round++) {
        run(l2_touches_everywhere);
        vmx_invept(round ? INVEPT_SINGLE : INVEPT_ALL, round ? &one : &all);
    }
    run(l2_touches_everywhere);
    vmx_off();
}

/* ---- the directory ----------------------------------------------------------------------------------------------- */

static uint64_t directory(uint64_t what, uint64_t at, uint64_t *bytes)
{
    uint64_t code = DIAGNOSE_DIRECTORY, b = address(answer);
    __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(*bytes), "+d"(what) : "S"(at) : "memory");
    return code;
}

/* As CP has it, which is as large as it may be. */
static void try_directory(void)
{
    uint64_t at = 0, bytes = DIAGNOSE_DIRECTORY_MAX;
    while (!directory(DIAGNOSE_DIRECTORY_GET, at, &bytes) && bytes && !directory(DIAGNOSE_DIRECTORY_PUT, at, &bytes)) {
        at += bytes;
        bytes = DIAGNOSE_DIRECTORY_MAX;
    }
    obey("DIRECTORY CHECK");
    obey("DIRECTORY REPLACE");
    guest_print("%s", answer);
}

/* ------------------------------------------------------------------------------------------------------------------ */

static void fill_storage(void)
{
    const struct multiboot_information *information = guest_multiboot();
    uint64_t end = 0x100000 + (uint64_t)information->mem_upper * 1024;
    for (uint64_t at = SCRATCH; at < end; at += 4096)
        *(volatile uint8_t *)(uintptr_t)at = 1;
    guest_print("FILLED\n");
    for (;;)
        cpuid(0, 0);
}

int guest_main(void)
{
    static const struct {
        const char *word;
        void (*run)(void);
    } parts[] = {{"exits", try_exits}, {"commands", try_commands}, {"ring", try_ring}, {"nest", try_nest},
                 {"directory", try_directory}, {"machine", try_machine},
                 {"fill", fill_storage}};
    const struct multiboot_information *information = guest_multiboot();
    const char *what = information->flags & 4 ? (const char *)(uintptr_t)information->command_line : "";

    do {
        for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
            if (strstr(what, parts[i].word)) {
                guest_print("TRYING %s\n", parts[i].word);
                parts[i].run();
            }
    } while (strstr(what, "forever"));
    guest_print("ALL TRIED\n");
    return 0;
}
