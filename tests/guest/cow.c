/* Question: does anything that one machine writes into a system saved by command show at another that has it, whatever
 * writes: the program, its processor in page tables, a disk, CP for it, a guest of its own?
 * Saves itself as COW where it may, and goes on from there in each machine: `w` writes by every way, any key looks, `x`
 * ends. A letter for each page: `.` as saved, `w` as this machine wrote it, `?` neither. */
#include <string.h>

#include "cp/diagnose.h"
#include "cp/driver/virtio_blk.h"
#include "tests/guest/vmx/vm.h"

enum {
    ACCESSED_DIRTY = 0x60, PRESENT_WRITABLE = 3,
    RWX = 7, WRITE_BACK = 6 << 3, LARGE = 1 << 7, EPTP_FLAGS = 3 << 3 | 6,
};
enum { CR4_OSFXSR = 1 << 9 };
enum { MSR_LSTAR = 0xC0000082u, MSR_KERNEL_GS_BASE = 0xC0000102u };
#define APART (1ull << 39) /* a linear address that the page tables of the payload's own lead to */

static const char saved_text[] = "as it was saved";

/* One for each way of writing; the second of STRING is what lies across the border. */
enum way { STORE, LOCKED, STRING, BORDER, MOVED, DISK, CALL, LEVEL2, LEVEL2_LOCKED, THROUGH, CODE, WALKED, WAYS };
static struct page way[WAYS], spare, target;
static struct page root, pointers, directory, ept_top, ept_pointers, ept_low, region;
static uint8_t disk_memory[VIRTIO_BLK_MEMORY_BYTES] __attribute__((aligned(4096)));
static struct virtio_blk_disk disk;
static struct vm vm = {.region = &region};
static bool written, in_vmx;

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static uint64_t *entry(struct page *page, unsigned n) { return (uint64_t *)(void *)page + n; }
static volatile uint32_t *word(enum way w) { return (volatile uint32_t *)(void *)way[w].bytes; }

/* ---- as it is saved ---------------------------------------------------------------------------------------------- */

/* What is read and written at APART has its accessed and dirty flags in way[WALKED]. */
static void map_apart(void)
{
    memcpy(&root, (const void *)(uintptr_t)(read_cr3() & ~0xFFFull), sizeof root);
    *entry(&root, 1) = address(&pointers) | PRESENT_WRITABLE;
    *entry(&pointers, 0) = address(&directory) | PRESENT_WRITABLE;
    *entry(&directory, 0) = address(&way[WALKED]) | PRESENT_WRITABLE;
    memset(&way[WALKED], 0, sizeof way[WALKED]);
    *entry(&way[WALKED], 0) = address(&target) | PRESENT_WRITABLE;
    *entry(&way[WALKED], 1) = address(&way[THROUGH]) | PRESENT_WRITABLE;
    write_cr3(address(&root));
}

/* mov $1, %eax; ret */
static const uint8_t code[] = {0xB8, 1, 0, 0, 0, 0xC3};

static void prepare(void)
{
    for (unsigned w = 0; w < WAYS; w++)
        memcpy(way[w].bytes, saved_text, sizeof saved_text);
    memcpy(way[CODE].bytes, code, sizeof code);
    map_apart();
}

static void set_registers(void)
{
    wrmsr(MSR_LSTAR, 0x123456789000);
    wrmsr(MSR_KERNEL_GS_BASE, 0xFFFF800012345000);
    write_cr2(0xABCDE);
    write_dr0(0x4321);
    write_cr4(read_cr4() | CR4_OSFXSR);
    __asm__ volatile("movq %0, %%xmm7" : : "r"(0x7777777777777777));
}

static void check_registers(void)
{
    uint64_t xmm;
    __asm__ volatile("movq %%xmm7, %0" : "=r"(xmm));
    guest_check(rdmsr(MSR_LSTAR) == 0x123456789000 && rdmsr(MSR_KERNEL_GS_BASE) == 0xFFFF800012345000,
                "the MSRs are as saved");
    guest_check(read_cr2() == 0xABCDE && read_dr0() == 0x4321, "CR2 and DR0 are as saved");
    guest_check(xmm == 0x7777777777777777, "XMM7 is as saved");
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void done(struct disk_request *r, int status) { *(int *)r->owner = status; }

static void read_disk(void)
{
    int status = 1;
    struct disk_segment segment = {way[DISK].bytes, DISK_SECTOR_BYTES};
    struct disk_request r = {.op = DISK_READ, .sectors = 1, .segment = &segment, .segments = 1, .done = done,
                             .owner = &status};
    memset(&disk, 0, sizeof disk);
    memset(disk_memory, 0, sizeof disk_memory);
    if (!virtio_blk_probe(&disk, 0, disk_memory) || disk.disk.submit(&disk.disk, &r)) {
        guest_print("no disk\n");
        return;
    }
    while (status > 0)
        virtio_blk_interrupt(&disk);
    guest_check(!status, "the disk was read");
}

struct answer {
    uint64_t rax, rbx;
};

static struct answer obey(const char *command, void *to, uint64_t size)
{
    struct answer a = {DIAGNOSE_COMMAND, address(command)};
    uint64_t c = strlen(command), d = address(to);
    __asm__ volatile("vmcall" : "+a"(a.rax), "+b"(a.rbx), "+c"(c), "+d"(d) : "S"(size) : "memory");
    return a;
}

static void l2_store(void *p) { *(volatile uint32_t *)p = 'L'; }
static void l2_locked(void *p) { __asm__ volatile("lock incl (%0)" : : "r"(p) : "memory", "cc"); }

static void run_guest(void (*body)(void *), enum way w)
{
    if (!in_vmx) {
        vm_begin();
        vm_stamp(&region, 0);
    }
    in_vmx = true;
    vm_clear(&vm);
    vm_select(&vm);
    vm_prepare(&vm);
    *entry(&ept_top, 0) = address(&ept_pointers) | RWX;
    *entry(&ept_pointers, 0) = address(&ept_low) | RWX;
    for (unsigned n = 0; n < 512; n++)
        *entry(&ept_low, n) = n * 0x200000ull | LARGE | WRITE_BACK | RWX;
    vm_set(VMCS_EPT_POINTER, address(&ept_top) | EPTP_FLAGS);
    vm_cpu(0, CPU2_EPT);
    vm_start(&vm, body, way[w].bytes);
    vm_run(&vm);
    guest_check(vm_finished(&vm), "the guest's guest ended");
}

static void fill_across_the_border(void)
{
    void *to = way[STRING].bytes + 2048;
    uint64_t count = 4096;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"('S') : "memory");
}

static void write_all(void)
{
    const void *from = &spare;
    void *to = way[MOVED].bytes;
    uint64_t count = 512;
    *word(STORE) = 'S';
    __asm__ volatile("lock xaddl %0, %1" : : "r"(5), "m"(*word(LOCKED)) : "memory", "cc");
    fill_across_the_border();
    __asm__ volatile("rep movsq" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
    read_disk();
    obey("QUERY USERID", way[CALL].bytes, 64);
    *(volatile uint32_t *)(uintptr_t)(APART + 4096) = 'T'; /* and the walk marks the page table */
    way[CODE].bytes[1] = 2;
    run_guest(l2_store, LEVEL2);
    run_guest(l2_locked, LEVEL2_LOCKED);
    written = true;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static bool as_saved(enum way w)
{
    if (w == WALKED)
        return !((*entry(&way[w], 0) | *entry(&way[w], 1)) & ACCESSED_DIRTY);
    if (w == CODE)
        return ((unsigned (*)(void))(uintptr_t)way[w].bytes)() == 1;
    for (unsigned i = sizeof saved_text; i < sizeof way[w].bytes; i++)
        if (way[w].bytes[i])
            return false;
    return !memcmp(way[w].bytes, saved_text, sizeof saved_text);
}

static bool as_written(enum way w)
{
    switch (w) {
    case STORE: return *word(w) == 'S';
    case LOCKED: return *word(w) == *(const uint32_t *)(const void *)saved_text + 5;
    case STRING: return way[w].bytes[4095] == 'S' && !memcmp(way[w].bytes, saved_text, sizeof saved_text);
    case BORDER: return way[w].bytes[0] == 'S' && way[w].bytes[2047] == 'S' && !way[w].bytes[2048];
    case MOVED: return !*word(w);
    case CALL: return !memcmp(way[w].bytes + 8, " AT VMN", 7);
    case LEVEL2: return *word(w) == 'L';
    case LEVEL2_LOCKED: return *word(w) == *(const uint32_t *)(const void *)saved_text + 1;
    case THROUGH: return *word(w) == 'T';
    case CODE: return ((unsigned (*)(void))(uintptr_t)way[w].bytes)() == 2;
    case WALKED: return (*entry(&way[w], 1) & ACCESSED_DIRTY) == ACCESSED_DIRTY;
    default: return written; /* what the disk holds */
    }
}

static void look(void)
{
    guest_print("pages ");
    for (unsigned w = 0; w < WAYS; w++)
        guest_put(as_saved(w) ? '.' : as_written(w) ? 'w' : '?');
    guest_print("\n");
}

static void introduce(struct answer a)
{
    static char answer[64];
    if (a.rax == MULTIBOOT_LOADER_MAGIC) {
        guest_boot_info = (uint32_t)a.rbx;
        guest_print("a saved system, told %s, %u KiB\n",
                    (const char *)(uintptr_t)guest_multiboot()->command_line, guest_multiboot()->mem_upper + 1024);
    } else {
        guest_print("not from a saved system: %llu %llu\n", (unsigned long long)a.rax, (unsigned long long)a.rbx);
    }
    check_registers();
    obey("QUERY USERID", answer, sizeof answer - 1);
    guest_print("in %.8s\n", answer);
}

int guest_main(void)
{
    prepare();
    set_registers();
    introduce(obey("DEFSYS COW 0-7FF EW\nSAVESYS COW", &target, 0));
    for (int key = ' '; key != 'x'; key = guest_get()) {
        if (key == 'w')
            write_all();
        look();
    }
    guest_print("end\n");
    return (int)guest_failures;
}
