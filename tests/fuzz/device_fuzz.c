/* A guest that does nothing but touch ports, device memory and APIC MSRs while time goes by and lines and disks come to
 * life around it. Whatever it does: no crash, no endless timer, an answer to "is an interrupt pending" that is always
 * the true one, and every frame comes back in the end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cp/device/machine.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/fake/disk.h"

enum { RAM = 256 << 10, FRAMES = 512, SECTORS = 64, TIMERS_AT_ONCE = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at, *end;
};

static struct machine machine;
static struct guest_storage storage;
static struct fake_disk disk;
static uint64_t tsc_offset;
static bool reset_wanted;
static unsigned room; /* bytes that the console takes */

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- && in->at < in->end)
        value = value << 8 | *in->at++;
    return value;
}

static void event(void *context, enum machine_event what, uint32_t detail)
{
    (void)context, (void)detail;
    reset_wanted |= what == MACHINE_RESET;
}

static unsigned output(void *context, unsigned n, const uint8_t *bytes, unsigned count)
{
    unsigned taken = count < room ? count : room;

    (void)context, (void)bytes;
    assert(n < MACHINE_UARTS);
    room -= taken;
    return taken;
}

static uint64_t guest_tsc(void *context, uint64_t now)
{
    (void)context;
    return now + tsc_offset;
}

/* mostly the ports and pages where something is */
static uint16_t port(struct input *in)
{
    static const uint16_t bases[] = {0x20,  0xa0,  0x40,  0x60,  0x70,   0x4d0,  0x3f8, 0x2f8,
                                     0x3e8, 0xcf8, 0xcf8, 0x600, 0xb000, 0x8900, 0xf0,  0x90};
    unsigned choice = take(in, 1);

    return choice & 0x80 ? take(in, 2) : bases[choice & 15] + (choice >> 4 & 7) + (take(in, 1) & 8);
}

static uint64_t address(struct input *in)
{
    static const uint64_t bases[] = {LAPIC_DEFAULT_BASE, LAPIC_DEFAULT_BASE, IOAPIC_BASE,
                                     PCI_MEMORY_BASE + PCI_MEMORY_SLOT_BYTES};
    unsigned choice = take(in, 1);

    return choice & 0x80 ? take(in, 5)
                         : bases[choice & 3] + (take(in, 2) & 0xfff) + (choice & 4 ? 0x1000 * (choice >> 3 & 7) : 0);
}

/* Time in steps from nanoseconds to days; what is due expires at its own time, but never without end. */
static void pass_time(struct input *in)
{
    uint64_t end = fake_now + ((take(in, 1) + 1) << take(in, 1) % 40);

    for (unsigned n = 0; n < TIMERS_AT_ONCE && timer_next() <= end; n++) {
        if (timer_next() > fake_now)
            fake_now = timer_next();
        timer_run(fake_now);
        assert(timer_next() > fake_now);
    }
    fake_now = end;
    timer_run(fake_now);
    assert(timer_next() > fake_now);
}

static void msr(struct input *in)
{
    static const uint32_t msrs[] = {MSR_APIC_BASE, MSR_TSC_DEADLINE};
    unsigned choice = take(in, 1);
    uint32_t index = choice < 2 ? msrs[choice] : MSR_X2APIC_FIRST + (choice & 0x3f);
    uint64_t value;

    if (take(in, 1) & 1)
        lapic_read_msr(&machine.lapic, index, &value);
    else if (index == MSR_APIC_BASE)
        lapic_write_msr(&machine.lapic, index, LAPIC_DEFAULT_BASE | take(in, 2));
    else
        lapic_write_msr(&machine.lapic, index, take(in, 4));
}

static void acknowledge(void)
{
    bool pending = machine_interrupt_pending(&machine);
    int vector = machine_interrupt_acknowledge(&machine);

    assert(pending == (vector >= 0) && vector <= 255);
    machine_nmi_take(&machine);
}

static void from_outside(struct input *in)
{
    static const uint8_t text[32];

    switch (take(in, 1) % 9) {
    case 0: machine_input(&machine, take(in, 1) & 7, text, take(in, 1) & 31); break;
    case 1: room = take(in, 1); machine_output_ready(&machine, take(in, 1) & 7); break;
    case 2: fake_disk_done_all(&disk); break;
    case 3: tsc_offset = take(in, 8); machine_tsc_moved(&machine); break;
    case 4: lapic_write_cr8(&machine.lapic, take(in, 1) & 15); break;
    case 5: fake_unix_us += take(in, 5); break;
    case 6: machine_reset(&machine); break;
    case 8: machine_ring(&machine, take(in, 1) & 7); break;
    case 7: machine_carrier(&machine, 1 + (take(in, 1) & 3), take(in, 1) & 1); break;
    }
}

static void step(struct input *in)
{
    unsigned what = take(in, 1), bytes = 1u << (what >> 4 & 3);
    uint64_t at;

    switch (what & 15) {
    case 0: case 1: case 2: case 3:
        at = port(in);
        bus_port_write(&machine.bus, at, bytes & 7 ? bytes & 7 : 1, take(in, bytes));
        break;
    case 4: case 5: bus_port_read(&machine.bus, port(in), bytes & 7 ? bytes & 7 : 4); break;
    case 6: case 7: case 8: /* an access across a page is split into pieces of any size */
        at = address(in);
        bytes = (what >> 4 & 7) + 1;
        bus_mmio_write(&machine.bus, at, bytes, take(in, bytes));
        break;
    case 9: bus_mmio_read(&machine.bus, address(in), (what >> 4 & 7) + 1); break;
    case 10: case 11: pass_time(in); break;
    case 12: msr(in); break;
    case 13: acknowledge(); break;
    default: from_outside(in);
    }
}

static void check(void)
{
    bool extint = machine.pic.output && lapic_accepts_extint(&machine.lapic);

    assert(machine.pending == (extint || lapic_vector_pending(&machine.lapic) >= 0));
}

static void begin(void)
{
    static const struct machine_host host = {.event = event, .output = output, .guest_tsc = guest_tsc,
                                              .physical_bits = 39};
    static const struct machine_config everything = {.uarts = MACHINE_UARTS, .grants = ~0u};
    static uint8_t *frames;

    if (!frames) {
        frames = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_add(frame_address(frames), FRAMES * PAGE_SIZE);
    }
    fake_clock_reset(2500000000);
    fake_now = 1000;
    fake_unix_us = UINT64_C(1700000000000000);
    tsc_offset = 0;
    room = 64;
    guest_storage_init(&storage, RAM, 0);
    machine_init(&machine, &host, &storage, &everything);
    fake_disk_init(&disk, SECTORS, false);
    machine_attach_disk(&machine, 0x191, &disk.disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};

    begin();
    while (in.at < in.end) {
        step(&in);
        check();
        if (reset_wanted)
            machine_reset(&machine);
        reset_wanted = false;
    }
    machine_free(&machine);
    assert(timer_next() == UINT64_MAX);
    fake_disk_done_all(&disk);
    assert(machine_in_flight(&machine) == 0);
    machine_give_back(&machine);
    guest_storage_free(&storage);
    assert(frame_available() == frame_total());
    fake_disk_free(&disk);
    return 0;
}
