/* Question: where one access of L2's instruction reaches a device that L1 gave it, and another one of the same
 * instruction is forbidden by L1's EPT (a second operand, a second page, an entry of L2's page tables), is that an EPT
 * violation for L1, with its own address and qualification? And one that lies there of L2's VMREAD or VMWRITE of a VMCS
 * that it is linked to, though no hardware carries it out? SDM "Exit Qualification for EPT Violations".
 *
 * Not asked: an entry whose accessed bit is to be set in a page to be read only, as Bochs 2.7 sets it. */
#include "tests/guest/vmx/vm.h"

/* L2 sees the first GiB and the APIC's one to one; page n of the window at 1 GiB is entry n of `table`. */
#define WINDOW 0x40000000ull
#define DEVICE 0xFEE00080ull
enum { READ = 1, ALL = 7, LARGE = 0x80, WRITE_BACK = 6 << 3, PAGE = 5, AT = PAGE << 12 | 0x120 };

static struct page region, shadow, bitmap, top, pointers, low, high, table, apic, frame;
static struct vm vm = {.region = &region};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static void put(struct page *page, unsigned n, uint64_t value) { ((uint64_t *)(void *)page)[n] = value; }

static void put_page(uint64_t value)
{
    struct vmx_descriptor all = {0, 0};

    put(&table, PAGE, value);
    vmx_invept(2, &all);
}

static void map(void)
{
    put(&top, 0, address(&pointers) | ALL);
    put(&pointers, 0, address(&low) | ALL);
    put(&pointers, 1, address(&high) | ALL);
    put(&pointers, 3, address(&apic) | ALL);
    put(&high, 0, address(&table) | ALL);
    for (unsigned n = 0; n < 512; n++)
        put(&low, n, n * 0x200000ull | LARGE | WRITE_BACK | ALL);
    put(&apic, 503, 0xFEE00000ull | LARGE | ALL); /* uncacheable */
}

static void l2_from_device(void *to) { __asm__ volatile("movsl" : "+D"(to) : "S"(DEVICE) : "memory"); }
static void l2_to_device(void *from) { __asm__ volatile("movsl" : "+S"(from) : "D"(DEVICE) : "memory"); }
static void l2_store(void *p) { *(volatile uint32_t *)p = 0; }
static void l2_load(void *p) { (void)*(volatile uint32_t *)p; }

/* Ports that L1 lets through, where CP carries out what an emulator does for a bare machine. */
static void l2_outs(void *from) { __asm__ volatile("rep outsb" : "+S"(from) : "d"(0x80), "c"(3) : "memory"); }
static void l2_ins(void *to) { __asm__ volatile("rep insb" : "+D"(to) : "d"(0x21), "c"(3) : "memory"); }

static void run(const char *name, void (*body)(void *), uint64_t at)
{
    vm_start(&vm, body, (void *)(uintptr_t)at);
    vm_run(&vm);
    vm_print_exit(name, &vm);
}

/* SDM "Saving RIP, RSP, RFLAGS, and SSP": RF is 1 at an EPT violation, as behind any fault. */
static void run_string(const char *name, void (*body)(void *))
{
    run(name, body, WINDOW + AT);
    guest_print("%s: RF %u\n", name, (unsigned)(vm_get(VMCS_GUEST_RFLAGS) >> 16 & 1));
}

static void through_tables(void)
{
    uint64_t *l2_top = (uint64_t *)(read_cr3() & ~0xFFFull), *l2_pointers = (uint64_t *)(l2_top[0] & ~0xFFFull);

    l2_pointers[5] = (WINDOW + (PAGE << 12)) | ALL; /* linear addresses from 5 GiB on */
    put_page(0);
    run("MOVS from the device by a table that is not there", l2_from_device, 0x140000120ull);
    l2_pointers[5] = 0;
}

static void l2_read_field(void *to)
{
    __asm__ volatile("vmread %1, %0" : "=m"(*(uint64_t *)to) : "r"((uint64_t)VMCS_GUEST_RSP) : "cc");
}

static void l2_write_field(void *from)
{
    __asm__ volatile("vmwrite %0, %1" : : "m"(*(uint64_t *)from), "r"((uint64_t)VMCS_GUEST_RSP) : "cc");
}

static void link(void)
{
    vm_stamp(&shadow, VMCS_SHADOW_INDICATOR);
    vmx_clear(address(&shadow));
    vm_set(VMCS_VMREAD_BITMAP, address(&bitmap));
    vm_set(VMCS_VMWRITE_BITMAP, address(&bitmap));
    vm_set(VMCS_VMCS_LINK_POINTER, address(&shadow));
    vm_cpu(0, CPU2_EPT | CPU2_VMCS_SHADOWING);
}

int guest_main(void)
{
    vm_begin();
    map();
    vm_prepare(&vm);
    vm_set(VMCS_EPT_POINTER, address(&top) | 3 << 3 | 6);
    vm_cpu(0, CPU2_EPT);
    put_page(0);
    run("load from the device", l2_load, DEVICE);
    run("MOVS from the device to nothing", l2_from_device, WINDOW + AT);
    run("MOVS from nothing to the device", l2_to_device, WINDOW + AT);
    run_string("REP OUTS of nothing", l2_outs);
    run_string("REP INS to nothing", l2_ins);
    put_page(address(&frame) | WRITE_BACK | READ);
    run_string("REP INS to a page to be read only", l2_ins);
    run("MOVS from the device to a page to be read only", l2_from_device, WINDOW + AT);
    put_page(0xFEE00000ull | READ);
    run("store to the device in a page to be read only", l2_store, WINDOW + (PAGE << 12 | 0x80));
    put_page(0xFEE00000ull | ALL);
    run("store over the end of the device's page into nothing", l2_store, WINDOW + (PAGE << 12 | 0xFFE));
    through_tables();
    link();
    put_page(0);
    run("VMREAD to nothing", l2_read_field, WINDOW + AT);
    run("VMWRITE from nothing", l2_write_field, WINDOW + AT);
    put_page(address(&frame) | WRITE_BACK | ALL);
    run("VMREAD over the end of a page into nothing", l2_read_field, WINDOW + (PAGE << 12 | 0xFFC));
    put_page(address(&frame) | WRITE_BACK | READ);
    run("VMREAD to a page to be read only", l2_read_field, WINDOW + AT);
    run("VMWRITE from a page to be read only", l2_write_field, WINDOW + AT);
    guest_print("end\n");
    return 0;
}
