/* What the disk commands share: operands that name a disk, and disks in messages. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cms/command/command.h"
#include "cms/kernel/mode.h"

enum { DISK_NAME_MAX = 16 };

/* "A (191)", "Y/S (19E)" */
void cms_disk_name(char name[DISK_NAME_MAX], char letter, char parent, uint16_t vdev);
/* One to four hexadecimal digits; false if it is none. */
bool cms_device_number(const struct word *word, uint16_t *vdev);
/* A single letter; false if it is none. */
bool cms_mode_letter(const struct word *word, char *letter);
/* The message for a disk that could not be accessed, and its return code. */
int cms_access_failed(const char *module, char letter, uint16_t vdev, const struct mode_problem *problem);
/* An answer to "Do you wish to continue?": 1 or YES. */
bool cms_says_yes(const char *answer);
/* ACCESS with its messages. */
int cms_access_disk(uint16_t vdev, char letter, char parent, bool read_only);
