/* In: bytes nobody vouches for. Out: frames. */
#include "cp/host/frame.h"

#include <stddef.h>
#include <string.h>

#include "lib/crc32.h"

static const char magic[4] = "VMNS";

enum frame_taken frame_take(struct frame *f, uint8_t byte)
{
    uint8_t *bytes = (uint8_t *)&f->header;
    if (f->got < sizeof magic && byte != (uint8_t)magic[f->got])
        f->got = byte == (uint8_t)*magic ? 1 : 0;
    else if (f->got >= FRAME_HEAD)
        f->text[f->got++ - FRAME_HEAD] = (char)byte;
    else
        f->got++;
    if (!f->got) {
        bool first = !f->lost;
        f->lost = true;
        return first ? FRAME_LOST : FRAME_MORE;
    }
    if (f->got <= FRAME_HEAD)
        bytes[f->got - 1] = byte;
    if (f->got < FRAME_HEAD)
        return FRAME_MORE;
    bool whole = f->header.length > FRAME_TEXT || f->got == FRAME_HEAD + (unsigned)f->header.length;
    return whole ? FRAME_WHOLE : FRAME_MORE;
}

static uint32_t sum(const struct frame *f)
{
    return crc32_of(&f->header.number, offsetof(struct frame_header, crc) - offsetof(struct frame_header, number)) ^
           crc32_of(f->text, f->header.length);
}

bool frame_good(struct frame *f)
{
    bool good = f->header.length <= FRAME_TEXT && f->header.crc == sum(f);
    f->lost = !good;
    f->text[good ? f->header.length : 0] = 0;
    return good;
}

void frame_seal(struct frame *f)
{
    memcpy(f->header.magic, magic, sizeof magic);
    f->header.crc = sum(f);
}
