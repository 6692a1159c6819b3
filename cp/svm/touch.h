/* What an instruction may touch in memory. */
#pragma once
#include "cp/decode/execute.h"
#include "cp/svm/exit.h"

enum { SVM_TOUCHES = 16 };

/* The linear addresses that an instruction may touch: a superset, likelier ones first, the memory operand first of all.
 * They are exact, except that an operand which crosses into a second page has the beginning of that page. */
struct svm_touches {
    uint64_t linear[SVM_TOUCHES];
    unsigned count;
    bool modifies; /* the memory operand is read and written */
};

void svm_touches_find(const struct svm_code *, const struct execute_seams *, uint64_t rip, struct svm_touches *);
void svm_touches_add(struct svm_touches *, uint64_t linear); /* at the end; nothing if it is full */
/* what PUSH, POP and their like may touch */
void svm_touches_stack(const struct execute_seams *, struct svm_touches *);
