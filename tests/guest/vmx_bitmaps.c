/* Question: do the I/O and MSR bitmaps cover exactly the ports and MSRs they name, at their edges too? One bit is set,
 * and the accesses beside it and on it say whether they exit. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

static struct page region, io_a, io_b, msrs;
static struct vm vm = {.region = &region};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static void set_bit(struct page *page, unsigned n) { page->bytes[n / 8] |= (uint8_t)(1 << n % 8); }

/* ---- I/O ----------------------------------------------------------------------- */

struct access {
    uint32_t port;
    uint8_t bytes;
};

static void l2_in(void *p)
{
    const struct access *access = p;
    uint32_t unused;
    if (access->bytes == 1)
        __asm__ volatile("inb %%dx, %%al" : "=a"(unused) : "d"(access->port));
    else if (access->bytes == 2)
        __asm__ volatile("inw %%dx, %%ax" : "=a"(unused) : "d"(access->port));
    else
        __asm__ volatile("inl %%dx, %%eax" : "=a"(unused) : "d"(access->port));
}

static const struct {
    uint32_t bit; /* of the two bitmaps together: the port; 0x10000: none */
    struct access access;
} ports[] = {
    {0x10000, {0x1234, 1}}, {0x1234, {0x1233, 1}}, {0x1234, {0x1234, 1}}, {0x1234, {0x1235, 1}},
    {0x1234, {0x1233, 2}}, {0x1234, {0x1235, 2}}, {0x1234, {0x1231, 4}}, {0x1234, {0x1230, 4}},
    {0, {0, 1}}, {0, {1, 1}}, {0x7FFF, {0x7FFF, 1}}, {0x7FFF, {0x7FFE, 2}}, {0x7FFF, {0x8000, 1}},
    {0x8000, {0x8000, 1}}, {0x8000, {0x7FFF, 1}}, {0x8000, {0x7FFF, 2}}, {0xFFFF, {0xFFFF, 1}}, {0xFFFF, {0xFFFE, 1}},
    {0xFFFF, {0xFFFE, 2}},
    /* past port FFFF an access exits whatever the bitmap says */
    {0x10000, {0xFFFF, 2}}, {0x10000, {0xFFFD, 4}}, {0x10000, {0xFFFC, 4}},
};

static void io(void)
{
    vm_set(VMCS_IO_BITMAP_A, address(&io_a));
    vm_set(VMCS_IO_BITMAP_B, address(&io_b));
    for (unsigned i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
        memset(&io_a, 0, sizeof(io_a));
        memset(&io_b, 0, sizeof(io_b));
        if (ports[i].bit < 0x10000)
            set_bit(ports[i].bit < 0x8000 ? &io_a : &io_b, ports[i].bit & 0x7FFF);
        vm_cpu(CPU_IO_BITMAPS, 0);
        struct access access = ports[i].access;
        guest_print("bit %#x, port %#x, %u bytes\n", ports[i].bit, access.port, access.bytes);
        vm_trace(&vm, "  exits", l2_in, &access);
    }
    memset(&io_a, 0, sizeof(io_a));
    memset(&io_b, 0, sizeof(io_b));
    vm_cpu(CPU_IO_BITMAPS | CPU_UNCONDITIONAL_IO_EXITING, 0);
    struct access access = {0x1234, 1};
    vm_trace(&vm, "unconditional exiting with empty bitmaps", l2_in, &access);
    vm_cpu(0, 0);
}

/* ---- MSRs ------------------------------------------------------------------------ */

enum { MSR_SYSENTER_CS = 0x174, MSR_EFER = 0xC0000080, MSR_FS_BASE = 0xC0000100 };

static void l2_rdmsr(void *p)
{
    __asm__ volatile("rdmsr" : : "c"((uint32_t)(uintptr_t)p) : "rax", "rdx", "memory");
}

static void l2_wrmsr(void *p)
{
    __asm__ volatile("wrmsr" : : "c"((uint32_t)(uintptr_t)p), "a"(0), "d"(0) : "memory");
}

static void msr(const char *name, void (*body)(void *), uint32_t number)
{
    vm_trace(&vm, name, body, (void *)(uintptr_t)number);
    guest_print("%s: done\n", name);
}

/* The four quarters: read low, read high, write low, write high. */
static void msr_bitmap(void)
{
    vm_set(VMCS_MSR_BITMAP, address(&msrs));
    memset(&msrs, 0, sizeof(msrs));
    vm_cpu(CPU_MSR_BITMAPS, 0);
    msr("no bit: RDMSR 174", l2_rdmsr, MSR_SYSENTER_CS);
    msr("no bit: WRMSR 174", l2_wrmsr, MSR_SYSENTER_CS);
    msr("no bit: RDMSR C0000100", l2_rdmsr, MSR_FS_BASE);
    msr("no bit: WRMSR C0000100", l2_wrmsr, MSR_FS_BASE);
    msr("no bit: RDMSR 2000, out of range", l2_rdmsr, 0x2000);
    msr("no bit: RDMSR C0002000, out of range", l2_rdmsr, 0xC0002000);
    msr("no bit: WRMSR FFFFFFFF, out of range", l2_wrmsr, 0xFFFFFFFF);
    msr("no bit: RDMSR BFFFFFFF, out of range", l2_rdmsr, 0xBFFFFFFF);
    set_bit(&msrs, MSR_SYSENTER_CS);
    msr("read low bit: RDMSR 174", l2_rdmsr, MSR_SYSENTER_CS);
    msr("read low bit: WRMSR 174", l2_wrmsr, MSR_SYSENTER_CS);
    msr("read low bit: RDMSR 175", l2_rdmsr, MSR_SYSENTER_CS + 1);
    memset(&msrs, 0, sizeof(msrs));
    set_bit(&msrs, 8 * 1024 + (MSR_FS_BASE & 0x1FFF));
    msr("read high bit: RDMSR C0000100", l2_rdmsr, MSR_FS_BASE);
    msr("read high bit: WRMSR C0000100", l2_wrmsr, MSR_FS_BASE);
    memset(&msrs, 0, sizeof(msrs));
    set_bit(&msrs, 8 * 2048 + MSR_SYSENTER_CS);
    msr("write low bit: RDMSR 174", l2_rdmsr, MSR_SYSENTER_CS);
    msr("write low bit: WRMSR 174", l2_wrmsr, MSR_SYSENTER_CS);
    memset(&msrs, 0, sizeof(msrs));
    set_bit(&msrs, 8 * 3072 + (MSR_FS_BASE & 0x1FFF));
    msr("write high bit: RDMSR C0000100", l2_rdmsr, MSR_FS_BASE);
    msr("write high bit: WRMSR C0000100", l2_wrmsr, MSR_FS_BASE);
    /* the edges of both ranges */
    memset(&msrs, 0, sizeof(msrs));
    set_bit(&msrs, 0x1FFF);
    set_bit(&msrs, 8 * 1024);
    set_bit(&msrs, 8 * 1024 + 0x1FFF);
    msr("edge bits: RDMSR 1FFF", l2_rdmsr, 0x1FFF);
    msr("edge bits: RDMSR C0000000", l2_rdmsr, 0xC0000000);
    msr("edge bits: RDMSR C0001FFF", l2_rdmsr, 0xC0001FFF);
    vm_cpu(0, 0);
    msr("no bitmap: RDMSR C0000080", l2_rdmsr, MSR_EFER);
}

/* An MSR the hypervisor lets its guest write is the guest's, and the hypervisor sees what it wrote. */
static void l2_write_and_read(void *p)
{
    uint64_t *seen = p;
    wrmsr(MSR_FS_BASE, 0x123456789000);
    *seen = rdmsr(MSR_FS_BASE);
}

static void written(void)
{
    uint64_t seen = 0;
    memset(&msrs, 0, sizeof(msrs));
    vm_cpu(CPU_MSR_BITMAPS, 0);
    vm_trace(&vm, "write and read", l2_write_and_read, &seen);
    guest_check_equal(seen, 0x123456789000, "the guest reads what it wrote");
    guest_check_equal(vm_get(VMCS_GUEST_FS_BASE), 0x123456789000, "and so does the hypervisor");
    guest_check_equal(rdmsr(MSR_FS_BASE), 0, "whose own is untouched");
}

int guest_main(void)
{
    vm_begin();
    vm_prepare(&vm);
    io();
    msr_bitmap();
    written();
    guest_print("end\n");
    return (int)guest_failures;
}
