/* The heap: what commands and the file system allocate from.
 * What is taken while a command runs (cms_heap_allocate) is given back when it ends, even if it abended; what
 * must outlive it (an accessed disk) is taken by cms_heap_allocate_system.  Memory is not cleared.
 * Page frames (cms/kernel/frame.h) are taken from the heap's far end. */
#pragma once
#include <stddef.h>

/* 16-byte aligned; NULL if there is no room or size is 0. */
void *cms_heap_allocate(size_t size);
void *cms_heap_allocate_system(size_t size);
/* Grows or shrinks, keeping the contents and the owner; NULL (and the old one stands) if there is no room. */
void *cms_heap_resize(void *memory, size_t size);
void cms_heap_free(void *memory); /* NULL is allowed */

/* For the kernel: gives the heap the range [start, start+size); frees all that commands have taken. */
void cms_heap_start(void *start, size_t size);
void cms_heap_free_commands(void);
size_t cms_heap_in_use(void);

/* For the frames, which lie at the heap's far end: what lies there untouched, and moving the end. */
size_t cms_heap_untouched(void);
char *cms_heap_end(void);
/* The new end, that many bytes lower; NULL: the heap has come so far. */
char *cms_heap_lower_end(size_t bytes);
void cms_heap_raise_end(size_t bytes);
