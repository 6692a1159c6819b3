/* Address-space identifiers: under which of them a control block's translations are kept, and when they are void. Pure.
 * APM "TLB Control". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct svm_asids {
    /* How often all translations have become void. 64 bits wide: a control block may be idle through any number of such
     * times and must not find its own number again. Never 0. */
    uint64_t generation;
    uint32_t next, count;
    bool flush; /* before the first of a generation is used */
};

struct svm_tag { /* of a control block; all zero: it has none */
    uint64_t generation; /* 0: its translations are of no use any more */
    uint64_t tables;     /* the nested page tables they are through */
    uint32_t asid;
};

void svm_asids_begin(struct svm_asids *, unsigned count); /* of the processor, ASID 0 among them */
void svm_asids_void(struct svm_asids *);                  /* no translation made until now is used again */
static inline void svm_tag_void(struct svm_tag *tag) { tag->generation = 0; }

/* Call before a control block runs: gives its tag a fresh ASID if the translations under the old one are void. True:
 * the processor must flush all translations as it enters. */
bool svm_tag_prepare(struct svm_asids *, struct svm_tag *, uint64_t tables);
