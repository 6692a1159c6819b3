/* Two tables: characters, and the ends of escape sequences (ECMA-48's and those of the VT220's keys). */
#include "cp/device/keyboard_keys.h"

#include <string.h>

enum { UP = 0x80, EXTENDED = 0xE0, SHIFT = 0x2A, CONTROL = 0x1D, ESCAPE_KEY = 0x01, BACKSPACE = 0x0E, TAB = 0x0F,
       ENTER = 0x1C, ESC = 27, DELETE_BYTE = 127 };
enum state { NONE, ESCAPED, SEQUENCE, SINGLE };

/* Plain and shifted, by scan code from 2 on; a blank where there is no character. */
static const char plain[] = "1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./   ";
static const char shifted[] = "!@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?   ";
enum { FIRST_CODE = 2, SPACE_KEY = 0x39 };

static unsigned put(uint8_t *code, uint8_t modifier, bool extended, uint8_t key)
{
    unsigned n = 0;
    if (modifier)
        code[n++] = modifier;
    if (extended)
        code[n++] = EXTENDED;
    code[n++] = key;
    if (extended)
        code[n++] = EXTENDED;
    code[n++] = key | UP;
    if (modifier)
        code[n++] = modifier | UP;
    return n;
}

static unsigned character(uint8_t byte, uint8_t *code)
{
    static const struct {
        uint8_t byte, key;
    } named[] = {{'\r', ENTER}, {'\n', ENTER}, {'\t', TAB}, {'\b', BACKSPACE}, {DELETE_BYTE, BACKSPACE},
                 {ESC, ESCAPE_KEY}, {' ', SPACE_KEY}};
    for (unsigned i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i].byte == byte)
            return put(code, 0, false, named[i].key);
    uint8_t modifier = byte < ' ' ? CONTROL : 0, sought = byte < ' ' ? byte + 'a' - 1 : byte;
    const char *at = sought && sought < 0x80 ? strchr(plain, sought) : NULL;
    if (at)
        return put(code, modifier, false, (uint8_t)(at - plain + FIRST_CODE));
    at = sought && sought < 0x80 ? strchr(shifted, sought) : NULL;
    return at ? put(code, SHIFT, false, (uint8_t)(at - shifted + FIRST_CODE)) : 0;
}

/* `number` 0: whatever it is. */
static const struct {
    uint8_t end, number, key;
    bool extended;
} ends[] = {
    {'A', 0, 0x48, true}, {'B', 0, 0x50, true}, {'C', 0, 0x4D, true}, {'D', 0, 0x4B, true}, {'H', 0, 0x47, true},
    {'F', 0, 0x4F, true}, {'P', 0, 0x3B, false}, {'Q', 0, 0x3C, false}, {'R', 0, 0x3D, false}, {'S', 0, 0x3E, false},
    {'~', 1, 0x47, true}, {'~', 2, 0x52, true}, {'~', 3, 0x53, true}, {'~', 4, 0x4F, true}, {'~', 5, 0x49, true},
    {'~', 6, 0x51, true}, {'~', 11, 0x3B, false}, {'~', 12, 0x3C, false}, {'~', 13, 0x3D, false},
    {'~', 14, 0x3E, false}, {'~', 15, 0x3F, false}, {'~', 17, 0x40, false}, {'~', 18, 0x41, false},
    {'~', 19, 0x42, false}, {'~', 20, 0x43, false}, {'~', 21, 0x44, false}, {'~', 23, 0x57, false},
    {'~', 24, 0x58, false},
};

static unsigned sequence_end(struct key_reader *k, uint8_t byte, uint8_t *code)
{
    k->state = NONE;
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i].end == byte && (!ends[i].number || ends[i].number == k->number))
            return put(code, 0, ends[i].extended, ends[i].key);
    return 0;
}

static unsigned in_sequence(struct key_reader *k, uint8_t byte, uint8_t *code)
{
    if (byte >= '0' && byte <= '9')
        k->number = (uint8_t)(k->number * 10 + byte - '0');
    else if (byte == ';')
        k->number = 0;
    else if (byte < '@' || byte > '~')
        k->state = NONE;
    else
        return sequence_end(k, byte, code);
    return 0;
}

unsigned keys_typed(struct key_reader *k, uint8_t byte, uint8_t code[KEYS_MOST])
{
    if (k->state == SEQUENCE)
        return in_sequence(k, byte, code);
    if (k->state == SINGLE)
        return sequence_end(k, byte, code);
    if (k->state == ESCAPED && (byte == '[' || byte == 'O')) {
        *k = (struct key_reader){.state = byte == '[' ? SEQUENCE : SINGLE};
        return 0;
    }
    if (k->state == NONE && byte == ESC) {
        k->state = ESCAPED;
        return 0;
    }
    unsigned before = keys_paused(k, code); /* an ESC, two bytes, and a key of four at most */
    return before + character(byte, code + before);
}

unsigned keys_paused(struct key_reader *k, uint8_t code[KEYS_MOST])
{
    bool escaped = k->state == ESCAPED;
    k->state = NONE;
    return escaped ? character(ESC, code) : 0;
}
