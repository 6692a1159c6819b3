/* MMX, XMM and YMM registers of a guest in its XSAVE area (standard form), and when its instructions that use them are
 * defined. Pure. SDM "Managing State Using the XSAVE Feature Set", "Effect of MMX Instructions on the x87 FPU Tag
 * Word". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/decode/execute.h"

struct vector_mode {
    bool protected_mode; /* and not virtual-8086 mode */
    uint64_t cr0, cr4, xcr0;
};
/* 0; or the vector of the fault, #UD or #NM, that comes of the instruction before it touches memory. */
unsigned vector_refused(enum instruction_class, const struct vector_mode *);

/* As execute_seams' vector_read and vector_write. `kind`: OPERAND_MMX or OPERAND_XMM. Writing an MMX register also
 * makes the x87 state that of MMX. `zmm`: where in the area the upper halves of ZMM0 to ZMM15 are; 0: there are
 * none. */
void vector_get(const void *area, enum operand kind, unsigned reg, uint8_t value[EXECUTE_VECTOR]);
void vector_put(void *area, unsigned zmm, enum operand kind, unsigned reg, const uint8_t value[EXECUTE_VECTOR],
                unsigned bytes, bool clear);
