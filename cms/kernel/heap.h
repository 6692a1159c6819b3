/* The heap: what commands and the file system allocate from.
 * What is taken while a command runs (heap_allocate) is given back when it ends, even if it abended; what must outlive
 * it (an accessed disk) is taken by heap_allocate_system.  Memory is not cleared. */
#pragma once
#include <stddef.h>

/* 16-byte aligned; NULL if there is no room or size is 0. */
void *heap_allocate(size_t size);
void *heap_allocate_system(size_t size);
/* Grows or shrinks, keeping the contents and the owner; NULL (and the old one stands) if there is no room. */
void *heap_resize(void *memory, size_t size);
void heap_free(void *memory); /* NULL is allowed */

/* For the kernel: gives the heap the range [start, start+size); frees all that commands have taken. */
void heap_start(void *start, size_t size);
void heap_free_commands(void);
size_t heap_in_use(void);
