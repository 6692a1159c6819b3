/* Saved systems: the pages of a system as it is begun, kept once; every machine that IPLs it maps them and copies only
 * what it writes (cp/storage/share.h). A system's pages come from its image, or from a machine that was saved. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/ipl/multiboot.h"
#include "cp/storage/share.h"

enum { SAVED = 24 };

struct saved {
    char name[9];                 /* "": nobody can IPL it any more, though machines may still map its pages */
    bool ready;                   /* its pages are all there */
    struct guest_storage storage; /* the pages, in no machine's reach */
    uint64_t end;                 /* above the highest of them: from here on is what an IPL adds */
    uint32_t eip;                 /* where it is begun, in the state a loader leaves */
};

struct saved *saved_find(const char *name); /* ready or not; NULL: none */
struct saved *saved_next(struct saved *at); /* that can be IPLed; after `at` (NULL: the first); NULL at the end */
/* One of that name without pages. NULL: CP keeps no more. @pre there is none */
struct saved *saved_create(const char *name, enum frame_rank rank);
/* Nobody can IPL it from now on; its frames go back when no machine maps them. */
void saved_purge(struct saved *);
