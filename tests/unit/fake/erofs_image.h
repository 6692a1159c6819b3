/* A small EROFS image, as mkfs.erofs lays one out: for tests and fuzzers.
 *
 *   /hello        "hello, world\n", inline           /big      3 blocks and 100 bytes inline: byte n is n * 7 % 251
 *   /plain        exactly 2 blocks and 50 bytes, not inline     /link -> dir/inner
 *   /dir/inner    "inner\n"                          /many/n000 to n299, each /hello's inode: more than a block */
#pragma once
#include <stdint.h>

enum { EROFS_IMAGE_BLOCKS = 40 };
void erofs_image_make(uint8_t image[EROFS_IMAGE_BLOCKS * 4096]);
uint8_t erofs_image_byte(uint64_t n); /* of /big and /plain */
