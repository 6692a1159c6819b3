/* What is typed at a terminal as a PC's keys: scan codes of set 1 (US layout), to which the controller translates. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { KEYS_MOST = 8 /* bytes of a key, with Shift or Ctrl, down and up */ };

struct key_reader {
    uint8_t state;  /* of an escape sequence */
    uint8_t number; /* its parameter */
};

/* One typed byte. How many scan codes there are now; an escape sequence is one key at its end, and what is none is
 * dropped. */
unsigned keys_typed(struct key_reader *, uint8_t byte, uint8_t code[KEYS_MOST]);
/* Nothing followed: an ESC by itself is a key. */
unsigned keys_paused(struct key_reader *, uint8_t code[KEYS_MOST]);
