/* What a terminal was sent, to be sent again: without what a terminal answers. Nobody asks a second time, and a second
 * answer would be typed to whatever reads then. */
#pragma once
#include <stddef.h>

/* Takes out, in place, each sequence that asks the terminal for something, if it is whole (ECMA-48's, and what xterm
 * and others have made of them). How many bytes are left. */
size_t again_quiet(char *text, size_t length);
