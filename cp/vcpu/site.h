/* Instructions of a machine that reached devices, kept decoded: a kernel comes to its interrupt controller by the same
 * few again and again. Nothing is taken on trust. A site counts while the bytes in the machine's storage, the registers
 * that say how they are fetched and decoded, and every page-table entry that leads to them are what they were; so does
 * the page that its operand was in. What a walk would find, mark or refuse now is then what it found before. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/decode/instruction.h"
#include "cp/storage/address.h"
#include "cp/vcpu/linear.h"

struct vm;

enum { SITES = 4 }; /* a machine has them in the pages it takes anyway */

/* What an access by a linear address depends on beside tables, and an instruction beside its bytes. */
struct site_state {
    uint64_t cr0, cr3, cr4, efer, code_base;
    uint32_t code_rights, stack_rights; /* of CS: what size code has; of SS: CPL */
    uint32_t flags;                     /* AC, which SMAP looks at, and VM */
    bool long_mode;
};

struct site {
    uint64_t generation; /* of the storage; 0: none is kept */
    uint64_t rip;
    struct site_state state;
    const uint8_t *code;
    uint64_t bytes[2]; /* of the instruction, zeros behind it */
    struct linear_path code_path, operand_path;
    uint64_t operand_page; /* linear, with the access of enum linear_access in its low bits ... */
    gpa_t operand_at;      /* ... and where it begins: no storage. operand_path.bytes is 0 while none is kept */
    bool moves;            /* MOV or MOVZX to or from a general register, or of a constant */
    struct instruction instruction;
};

/* The site at RIP; NULL: none that counts. */
struct site *site_find(struct vm *);
/* Keeps the instruction at RIP, `bytes` long at least, that was just fetched and decoded; not one that goes on into a
 * second page, nor while a guest's guest runs. Returns where, NULL: nowhere. */
struct site *site_keep(struct vm *, const uint8_t *bytes, const struct instruction *);

/* The operand's address, if that is a device's. @pre site_find or site_keep answered the site for the instruction that
 * is carried out, which has changed nothing yet */
bool site_operand_find(const struct site *, uint64_t linear, unsigned access, gpa_t *to);
void site_operand_keep(struct vm *, struct site *, uint64_t linear, unsigned access, gpa_t to);

/* The site of an EPT violation moves, the page is the one its operand was in before, and nothing else is to be done: no
 * event was on its way, no breakpoint is set, no trap is pending, CPL is not 3. Then the instruction is carried out but
 * for RIP, as instruction_emulate() would. False: nothing has changed. @pre site_find answered it for this exit */
bool site_move(struct vm *, const struct site *);
