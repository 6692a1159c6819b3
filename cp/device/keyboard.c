/* The 8042's command set as far as software meets it on a PC without a mouse, and the keyboard's. */
#include "cp/device/keyboard.h"

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
enum { COMMAND_INTERRUPT = 0x01, COMMAND_TRANSLATE = 0x40 };
enum { COMMAND_NO_KEYBOARD = 0x10, COMMAND_NO_MOUSE = 0x20, COMMAND_SYSTEM = 0x04 };
enum { OUTPUT_NO_RESET = 0x01, OUTPUT_A20 = 0x02, OUTPUT_IDLE = 0xc0, SELF_TEST_PASSED = 0x55, LINE_STUCK = 0x01 };

enum { ACKNOWLEDGED = 0xFA, RESEND = 0xFE, BASIC_ASSURANCE = 0xAA, ECHO = 0xEE, ESC_PAUSE_MS = 50 };
enum { SET_LEDS = 0xED, SCAN_CODE_SET = 0xF0, IDENTIFY = 0xF2, TYPEMATIC = 0xF3, ENABLE = 0xF4, DISABLE = 0xF5,
       DEFAULTS = 0xF6, RESET = 0xFF };

static void reply(struct keyboard *keyboard, uint8_t value)
{
    keyboard->output = value;
    keyboard->output_full = true;
}

/* ---- the keyboard -------------------------------------------------------------------------------------------- */

static bool has_room(const struct keyboard *k) { return k->count + KEYS_MOST <= KEYBOARD_QUEUE; }

/* The next byte comes to port 60H, where the last has been read, and interrupts. */
static void deliver(struct keyboard *k)
{
    if (k->output_full || !k->count || k->command_byte & COMMAND_NO_KEYBOARD)
        return;
    reply(k, k->queue[k->head]);
    k->head = (k->head + 1) % KEYBOARD_QUEUE;
    k->count--;
    irq_set(&k->wiring.irq, k->command_byte & COMMAND_INTERRUPT);
    if (!k->full || !has_room(k))
        return;
    k->full = false;
    k->wiring.input_room(k->wiring.context);
}

static void send(struct keyboard *k, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count && k->count < KEYBOARD_QUEUE; i++)
        k->queue[(k->head + k->count++) % KEYBOARD_QUEUE] = bytes[i];
    deliver(k);
}
#define SEND(k, ...) send(k, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void forget_keys(struct keyboard *k)
{
    k->head = k->count = 0;
    k->keys = (struct key_reader){0};
    timer_cancel(&k->pause);
}

/* The byte behind a command that has one. */
static void device_data(struct keyboard *k, uint8_t value)
{
    enum { SET_2 = 2, SET_2_TRANSLATED = 0x41 };
    bool asks = k->device_expecting == SCAN_CODE_SET && !value;
    k->device_expecting = 0;
    if (asks)
        SEND(k, ACKNOWLEDGED, k->command_byte & COMMAND_TRANSLATE ? SET_2_TRANSLATED : SET_2);
    else
        SEND(k, ACKNOWLEDGED);
}

static void device_command(struct keyboard *k, uint8_t command)
{
    if (k->device_expecting && command < SET_LEDS) {
        device_data(k, command);
        return;
    }
    k->device_expecting = 0;
    switch (command) {
    case RESET:
        forget_keys(k);
        k->scanning = true;
        SEND(k, ACKNOWLEDGED, BASIC_ASSURANCE);
        return;
    case IDENTIFY: /* an AT's with 101 keys */
        SEND(k, ACKNOWLEDGED, 0xAB, k->command_byte & COMMAND_TRANSLATE ? 0x41 : 0x83);
        return;
    case ECHO: SEND(k, ECHO); return;
    case SET_LEDS:
    case SCAN_CODE_SET:
    case TYPEMATIC: k->device_expecting = command; break;
    case ENABLE: k->scanning = true; break;
    case DISABLE:
    case DEFAULTS:
        forget_keys(k);
        k->scanning = command == DEFAULTS;
        break;
    default: SEND(k, RESEND); return;
    }
    SEND(k, ACKNOWLEDGED);
}

static void paused(struct timer *timer)
{
    struct keyboard *k = timer->owner;
    uint8_t code[KEYS_MOST];
    if (has_room(k))
        send(k, code, keys_paused(&k->keys, code));
    else
        timer_arm(timer, clock_now() + clock_ticks(ESC_PAUSE_MS * UINT64_C(1000000)));
}

unsigned keyboard_type(struct keyboard *k, const uint8_t *bytes, unsigned count)
{
    if (!k->scanning)
        return count;
    for (unsigned i = 0; i < count; i++) {
        uint8_t code[KEYS_MOST];
        if (!has_room(k)) {
            k->full = true;
            return i;
        }
        timer_cancel(&k->pause);
        unsigned codes = keys_typed(&k->keys, bytes[i], code);
        send(k, code, codes);
        if (k->keys.state)
            timer_arm(&k->pause, clock_now() + clock_ticks(ESC_PAUSE_MS * UINT64_C(1000000)));
    }
    return count;
}

/* ---- the controller ------------------------------------------------------------------------------------------ */

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
            keyboard->wiring.reset(keyboard->wiring.context);
    }
    deliver(keyboard);
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
        keyboard->wiring.reset(keyboard->wiring.context);
    else if (!command)
        device_command(keyboard, value);
    deliver(keyboard);
    /* anything else is for a mouse that is not there to answer */
}

static uint8_t read_data(struct keyboard *keyboard)
{
    uint8_t value = keyboard->output;

    keyboard->output_full = false;
    irq_set(&keyboard->wiring.irq, false);
    deliver(keyboard);
    return value;
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
    forget_keys(keyboard);
    irq_set(&keyboard->wiring.irq, false);
    keyboard->command_byte = COMMAND_INTERRUPT | COMMAND_SYSTEM | COMMAND_NO_MOUSE | COMMAND_TRANSLATE;
    keyboard->output = keyboard->expecting = keyboard->device_expecting = 0;
    keyboard->output_full = keyboard->full = false;
    keyboard->scanning = true;
    keyboard->last_was_command = true; /* what firmware does last is to enable the keyboard */
    keyboard->system = true; /* firmware has tested it */
}

void keyboard_free(struct keyboard *keyboard) { timer_cancel(&keyboard->pause); }

void keyboard_init(struct keyboard *keyboard, struct bus *bus, const struct keyboard_wiring *wiring)
{
    struct bus_ports claim = {.byte_wide = true, .device = keyboard, .read = port_read, .write = port_write};

    *keyboard = (struct keyboard){.wiring = *wiring, .pause = {.expire = paused, .owner = keyboard}};
    keyboard_reset(keyboard);
    claim.first = claim.last = PORT_DATA;
    bus_claim_ports(bus, &claim);
    claim.first = claim.last = PORT_COMMAND;
    bus_claim_ports(bus, &claim);
}
