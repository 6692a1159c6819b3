/* Owns the numbering of address spaces: ASIDs are given out one by one, and all are taken back at once. */
#include "cp/svm/asid.h"

enum { FIRST = 1, LEAST = 2 };

void svm_asids_void(struct svm_asids *asids)
{
    asids->generation++;
    asids->next = FIRST;
    asids->flush = true;
}

void svm_asids_begin(struct svm_asids *asids, unsigned count)
{
    *asids = (struct svm_asids){.count = count > LEAST ? count : LEAST};
    svm_asids_void(asids);
}

bool svm_tag_prepare(struct svm_asids *asids, struct svm_tag *tag, uint64_t tables)
{
    bool flush;

    if (tag->generation != asids->generation || tag->tables != tables) {
        if (asids->next >= asids->count)
            svm_asids_void(asids);
        *tag = (struct svm_tag){.generation = asids->generation, .tables = tables, .asid = asids->next++};
    }
    flush = asids->flush;
    asids->flush = false;
    return flush;
}
