/* The directory that is to come: its bytes are gathered, then it is judged (reader.h), its users get what is remembered
 * of those of the same name, it is written into the slot of the volume that is not the newest, and takes the place of
 * the one in force. Who asks for these steps, in this order, says when each is done.
 *
 * The storage for its bytes is taken when the first is gathered, and stays; that for its users comes and goes with
 * them. */
#pragma once
#include "cp/directory/load.h"

extern struct directory directory_next;

bool next_begin(void); /* without bytes; false: CP has no storage for it */
bool next_add(const void *bytes, uint32_t count); /* false: that is more than a slot holds */
const void *next_blob(uint32_t *bytes);

void next_name_begin(void);
bool next_name_on(bool (*over)(void)); /* true: each of its users has what is kept */

/* `done` is told, later, when it is on the medium, or 0 is not the status. 0, or an error and nothing comes.
 * @pre directory_source.disk */
int next_write(void (*done)(int status));

void next_take(void); /* it is in force, from here on, and the next is the one that was */
/* Nobody is in it any more. Its bytes stay, and may be judged anew. */
void next_forget(void);
