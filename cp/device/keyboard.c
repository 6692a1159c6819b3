/* The 8042's command set as far as software meets it on a PC without keyboard and mouse. No interrupts: replies are
 * polled. */
#include "cp/device/keyboard.h"

#include <string.h>

enum { PORT_DATA = 0x60, PORT_COMMAND = 0x64 };
enum { STATUS_OUTPUT_FULL = 0x01, STATUS_SYSTEM = 0x04, STATUS_LAST_WAS_COMMAND = 0x08, STATUS_UNLOCKED = 0x10 };
enum {
    READ_COMMAND_BYTE = 0x20,
    WRITE_COMMAND_BYTE = 0x60,
    DISABLE_MOUSE = 0xa7,
    ENABLE_MOUSE = 0xa8,
    TEST_MOUSE = 0xa9,
    SELF_TEST = 0xaa,
    TEST_KEYBOARD = 0xab,
    DISABLE_KEYBOARD = 0xad,
    ENABLE_KEYBOARD = 0xae,
    READ_OUTPUT = 0xd0,
    WRITE_OUTPUT = 0xd1,
    WRITE_KEYBOARD_BUFFER = 0xd2,
    WRITE_MOUSE_BUFFER = 0xd3,
    WRITE_MOUSE = 0xd4,
    PULSE_OUTPUT = 0xf0
};
enum { COMMAND_NO_KEYBOARD = 0x10, COMMAND_NO_MOUSE = 0x20 };
enum { OUTPUT_NO_RESET = 0x01, OUTPUT_A20 = 0x02, OUTPUT_IDLE = 0xc0, SELF_TEST_PASSED = 0x55, LINE_STUCK = 0x01 };

static void reply(struct keyboard *keyboard, uint8_t value)
{
    keyboard->output = value;
    keyboard->output_full = true;
}

static void self_test(struct keyboard *keyboard)
{
    keyboard->system = true;
    keyboard->command_byte |= COMMAND_NO_KEYBOARD | COMMAND_NO_MOUSE;
    reply(keyboard, SELF_TEST_PASSED);
}

static void write_command(struct keyboard *keyboard, uint8_t command)
{
    keyboard->expecting = 0;
    switch (command) {
    case READ_COMMAND_BYTE: reply(keyboard, keyboard->command_byte); break;
    case SELF_TEST: self_test(keyboard); break;
    case TEST_KEYBOARD: reply(keyboard, 0); break;
    case TEST_MOUSE: reply(keyboard, LINE_STUCK); break; /* no second port */
    case DISABLE_MOUSE: keyboard->command_byte |= COMMAND_NO_MOUSE; break;
    case ENABLE_MOUSE: keyboard->command_byte &= ~COMMAND_NO_MOUSE; break;
    case DISABLE_KEYBOARD: keyboard->command_byte |= COMMAND_NO_KEYBOARD; break;
    case ENABLE_KEYBOARD: keyboard->command_byte &= ~COMMAND_NO_KEYBOARD; break;
    case READ_OUTPUT: reply(keyboard, OUTPUT_IDLE | OUTPUT_A20 | OUTPUT_NO_RESET); break;
    case WRITE_COMMAND_BYTE:
    case WRITE_OUTPUT:
    case WRITE_KEYBOARD_BUFFER:
    case WRITE_MOUSE_BUFFER:
    case WRITE_MOUSE: keyboard->expecting = command; break;
    default:
        /* pulses the output lines whose bit is 0; line 0 is the CPU's reset */
        if ((command & PULSE_OUTPUT) == PULSE_OUTPUT && !(command & 1))
            keyboard->reset(keyboard->context);
    }
}

static void write_data(struct keyboard *keyboard, uint8_t value)
{
    uint8_t command = keyboard->expecting;

    keyboard->expecting = 0;
    if (command == WRITE_COMMAND_BYTE)
        keyboard->command_byte = value;
    else if (command == WRITE_KEYBOARD_BUFFER || command == WRITE_MOUSE_BUFFER)
        reply(keyboard, value);
    else if (command == WRITE_OUTPUT && !(value & OUTPUT_NO_RESET))
        keyboard->reset(keyboard->context);
    /* anything else is for a keyboard or mouse that is not there to answer */
}

static uint8_t read_data(struct keyboard *keyboard)
{
    keyboard->output_full = false;
    return keyboard->output;
}

static uint32_t port_read(void *device, uint16_t port, unsigned size)
{
    struct keyboard *keyboard = device;

    (void)size;
    if (port == PORT_DATA)
        return read_data(keyboard);
    return STATUS_UNLOCKED | (keyboard->output_full ? STATUS_OUTPUT_FULL : 0) | (keyboard->system ? STATUS_SYSTEM : 0) |
           (keyboard->last_was_command ? STATUS_LAST_WAS_COMMAND : 0);
}

static void port_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct keyboard *keyboard = device;

    (void)size;
    keyboard->last_was_command = port == PORT_COMMAND;
    if (port == PORT_DATA)
        write_data(keyboard, value);
    else
        write_command(keyboard, value);
}

void keyboard_reset(struct keyboard *keyboard)
{
    keyboard->command_byte = COMMAND_NO_KEYBOARD | COMMAND_NO_MOUSE;
    keyboard->output = keyboard->expecting = 0;
    keyboard->output_full = false;
    keyboard->last_was_command = true; /* what firmware does last is to enable the keyboard */
    keyboard->system = true; /* firmware has tested it */
}

void keyboard_init(struct keyboard *keyboard, struct bus *bus, void (*reset)(void *context), void *context)
{
    struct bus_ports claim = {.byte_wide = true, .device = keyboard, .read = port_read, .write = port_write};

    memset(keyboard, 0, sizeof *keyboard);
    keyboard->reset = reset;
    keyboard->context = context;
    keyboard_reset(keyboard);
    claim.first = claim.last = PORT_DATA;
    bus_claim_ports(bus, &claim);
    claim.first = claim.last = PORT_COMMAND;
    bus_claim_ports(bus, &claim);
}
