/* What the host (scripts/vmn-spool) and CP say to each other on the host's line: frames, a request and its answer in
 * turn.
 *
 *   "VMNS"  number  length  crc  text          little-endian, crc of what stands beside it
 *
 * The number of an answer is its request's. A request that comes again with its number is answered as it was, not
 * obeyed again: so who heard no answer may ask anew. A text is a line of words, and behind its \n data:
 *
 *   PUT userid name type class    begins a file            DATA \n records    some of it      END   ends it: OK spoolid
 *   LIST userid order \n          files behind `order`: OK order \n lines     (* : of everybody; 0 0 at the end)
 *   GET userid spoolid            begins to read a file: OK id \n its line    NEXT  OK MORE or END \n records
 *   PURGE userid spoolid [id]     the file that GET said has this id; another one is not there
 *
 * or ERROR and a message of CP's. Records are as in a struct spool_block. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { FRAME_HEAD = 12, FRAME_TEXT = 4096 - FRAME_HEAD };

struct frame_header {
    char magic[4];
    uint16_t number, length;
    uint32_t crc;
};
_Static_assert(sizeof(struct frame_header) == FRAME_HEAD, "on the line");

struct frame {
    struct frame_header header;
    char text[FRAME_TEXT + 1]; /* of a whole one: ended by a NUL, wherever it has others */
    unsigned got;              /* bytes, of one that comes */
    bool lost;                 /* what came is no frame; until one begins */
};

enum frame_taken {
    FRAME_MORE,
    FRAME_LOST,  /* the first byte that is of no frame */
    FRAME_WHOLE, /* it is to be judged, and taken: got = 0 */
};
enum frame_taken frame_take(struct frame *, uint8_t byte);
bool frame_good(struct frame *); /* it is as it was sent. @pre it is whole */
void frame_seal(struct frame *); /* number, length and text are there. */
