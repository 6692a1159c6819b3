/* What tells firmware of the machine it is in: QEMU's "fw_cfg" device (its docs/specs/fw_cfg), since that is what
 * Debian's SeaBIOS, OVMF and U-Boot ask. A selector (port 510H, 16 bits) and a byte of the item at a time (511H), no
 * DMA. Items are a few fixed numbers, and files in a directory.
 *
 * It is on the bus only from fw_cfg_begin() to fw_cfg_end(): a machine without firmware has none. What it holds is in
 * frames on the machine's account. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/device/bus.h"
#include "cp/storage/frame.h"

enum { FW_CFG_SELECTOR = 0x510, FW_CFG_DATA = 0x511, FW_CFG_FILES = 12, FW_CFG_NAME = 56, FW_CFG_PAGES = 4 };

struct fw_cfg_area;

struct fw_cfg {
    struct fw_cfg_area *area; /* NULL: not there */
    struct bus *bus;
    struct frame_account *account;
    uint16_t selected;
    uint32_t offset; /* of the byte that comes next */
};

/* An empty one, or one that is empty again. `ram` as item 3 says it, in bytes. False: no frames. */
bool fw_cfg_begin(struct fw_cfg *, struct bus *, struct frame_account *, uint64_t ram);
void fw_cfg_end(struct fw_cfg *);
void fw_cfg_reset(struct fw_cfg *); /* what it holds stays */

/* A file of so many bytes, which the caller fills. NULL: no room. @pre it is there; the name is new, and shorter than
 * FW_CFG_NAME */
void *fw_cfg_file(struct fw_cfg *, const char *name, size_t bytes);
/* The last file's length is less, after all. @pre it is not more */
void fw_cfg_file_ends(struct fw_cfg *, size_t bytes);
/* False: no room. */
bool fw_cfg_add(struct fw_cfg *, const char *name, const void *data, size_t bytes);
