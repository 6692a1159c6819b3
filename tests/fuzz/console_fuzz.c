/* A PC's screen and keyboard, by what the fuzzer stores, types and says of the terminal: nothing outside is touched, no
 * frame stays behind, and of control characters the terminal is sent only those of the screen's own sequences. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cp/device/keyboard.h"
#include "cp/device/vga.h"
#include "tests/unit/fake/clock.h"

enum { RAM = 1 << 20, FRAMES = 1 << 20, MS = 1000000 };

static struct bus bus;
static struct guest_storage storage;
static struct vga vga;
static struct keyboard keyboard;
static unsigned room, columns, rows;
static uint8_t before;

static unsigned output(void *context, const uint8_t *bytes, unsigned count)
{
    unsigned taken = count < room ? count : room;
    (void)context;
    for (unsigned i = 0; i < taken; before = bytes[i++]) {
        assert(bytes[i] >= ' ' || bytes[i] == 27 || bytes[i] == '\r' || bytes[i] == '\n');
        assert(before != 27 || bytes[i] == '[');
    }
    room -= taken;
    return taken;
}

static void size(void *context, unsigned *c, unsigned *r) { (void)context, *c = columns, *r = rows; }
static void nothing(void *context) { (void)context; }
static void wire(void *context, unsigned gsi, bool level) { (void)context, (void)gsi, (void)level; }

static void step(const uint8_t d[4])
{
    uint16_t port = 0x3C0 + d[1] % 32, value = d[2];
    switch (d[0] % 8) {
    case 0: bus_port_write(&bus, port, 1, value); break;
    case 1: bus_port_read(&bus, port, 1 + d[2] % 2); break;
    case 2: guest_write(&storage, gpa(VGA_MEMORY + (d[1] << 8 | d[2]) % VGA_MEMORY_BYTES), d, 4); break;
    case 3: keyboard_type(&keyboard, d + 1, 3); break;
    case 4: bus_port_write(&bus, d[1] & 1 ? 0x64 : 0x60, 1, value); break;
    case 5: bus_port_read(&bus, d[1] & 1 ? 0x64 : 0x60, 1); break;
    case 6: room = d[1] * 16, columns = d[2], rows = d[3]; break;
    case 7: d[1] == 3 ? vga_go_on(&vga) : d[1] == 1 ? vga_yield(&vga) : d[1] == 2 ? vga_repaint(&vga) : (void)0; break;
    }
    vga_ran(&vga);
    fake_clock_advance((uint64_t)d[3] * MS);
    timer_run(clock_now());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_of);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_of)
{
    static const struct vga_host host = {NULL, output, size};
    static bool ready;
    if (!ready)
        frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, FRAMES)), FRAMES);
    ready = true;
    fake_clock_reset(1000000000);
    room = 1 << 20, columns = rows = before = 0;
    bus_init(&bus);
    guest_storage_init(&storage, RAM, 0);
    vga_init(&vga, &bus, &storage, &host);
    keyboard_init(&keyboard, &bus, &(struct keyboard_wiring){.reset = nothing, .input_room = nothing,
                                                            .irq = {.set = wire}});
    for (size_t i = 0; i + 4 <= size_of; i += 4)
        step(data + i);
    vga_reset(&vga);
    keyboard_free(&keyboard);
    guest_storage_free(&storage);
    assert(!storage.account.frames);
    return 0;
}
