/* The real devices, brought up in order, and their interrupts. */
#pragma once
#include "cp/boot/machine_facts.h"
#include "cp/device/disk.h"
#include "cp/terminal/line.h"

void drivers_start(const struct machine_facts *); /* interrupt controllers, disks; lines are known but closed */
void drivers_open(void);                          /* lines: their callbacks are set now */
enum { DRIVERS_LINES = 96 };                      /* UARTs, then the ports of virtio consoles: at most so many */
unsigned drivers_lines(void);
struct line *drivers_line(unsigned index);
struct disk *drivers_system_disk(void);           /* NULL: none */
void drivers_drain(void);                         /* all output is out */
void drivers_last_words(const char *text, unsigned length);
