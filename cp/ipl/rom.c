/* Owns where a ROM's copies lie. */
#include "cp/ipl/rom.h"

enum { GRANULE = 64 << 10, VECTOR = 16 /* bytes from the end */,
       LOW_END = 1 << 20, ELF_FIRST = 0x7F };
#define FOUR_GIB (1ull << 32)

/* What firmware begins with, there being no room for more: NOP, CLI, a jump (near, short, far), WBINVD, or MOV from
 * CR0. */
static bool begins(const uint8_t *code)
{
    enum { NOP = 0x90, CLI = 0xFA, JUMP = 0xE9, JUMP_FAR = 0xEA, JUMP_SHORT = 0xEB };
    return *code == NOP || *code == CLI || *code == JUMP || *code == JUMP_FAR || *code == JUMP_SHORT ||
           (code[0] == 0x0F && (code[1] == 0x09 || code[1] == 0x20));
}

bool rom_is(struct ipl_bytes image, uint64_t bytes)
{
    uint8_t code[2], first;
    return bytes >= ROM_LEAST && bytes <= ROM_MOST && bytes % GRANULE == 0 &&
           ipl_bytes_get(image, bytes - VECTOR, code, sizeof code) && begins(code) &&
           ipl_bytes_get(image, 0, &first, 1) && first != ELF_FIRST;
}

const char *rom_begin(struct ipl_copies *copies, struct guest_storage *storage, struct ipl_bytes image, uint64_t bytes)
{
    uint64_t low = bytes < ROM_LOW ? bytes : ROM_LOW;
    if (storage->bytes < LOW_END)
        return "Firmware wants 1 MiB of storage";
    copies->storage = storage;
    copies->count = copies->next = 0;
    storage->rom = bytes;
    return ipl_copy_note(copies, FOUR_GIB - bytes, image, bytes, bytes) &&
                   ipl_copy_note(copies, LOW_END - low, ipl_bytes_from(image, bytes - low), low, low)
               ? NULL
               : ipl_copy_no_frames;
}
