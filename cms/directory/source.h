/* A directory's source, the part of the Devicetree Specification's "DTS (Devicetree Source) Format" that directories
 * are written in, and the blob that stands for it (libfdt):
 *
 *   /dts-v1/; / { nodes and properties };    node { ... };    property;    property = "text", <1 0x2>, "text";
 *
 * with comments as in C. There are no labels, references, includes, expressions or bytes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct source_fault {
    unsigned line; /* from 1 */
    const char *reason;
};

/* The blob of a text, in `room` bytes at `blob`, 8-byte aligned; so many are always enough: */
static inline size_t source_room(size_t length) { return 8 * length + 4096; }
/* False: *fault says why there is none. `scratch` is for the longest value, `room` bytes too. */
bool source_compile(const char *text, size_t length, void *blob, size_t room, void *scratch,
                    struct source_fault *fault);

size_t source_bytes(const void *blob);

/* The text of a blob, a line at a time, which `line` takes; 0, or what `line` answered, which ends it. -1: the blob is
 * not sound. A property with more than one text has a line for each. */
typedef int source_line(void *context, const char *line, size_t length);
int source_write(const void *blob, source_line *line, void *context, char *scratch, size_t size);
