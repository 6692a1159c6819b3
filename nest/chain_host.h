/* What a nest in a chain is told of the world: struct nest_host over the nest below it. */
#pragma once
#include "nest/active.h"

/* Where a page of its L1's storage is. */
struct nest_place {
    uint64_t gpa;      /* NEST_NO_ADDRESS: none is kept here */
    uint64_t root_gpa; /* in the machine's storage */
    uint8_t *at;       /* as CP reaches it, and may while the root is in VMX operation */
    uint8_t rights;    /* to reach it through every EPT below: enum ept_right */
};
enum { NEST_PLACES = 64 };

struct nest_chain {
    struct nest *nest;
    struct nest *outer;
    struct nest_vmcs *of;    /* the outer's, which nest's L1 runs on */
    struct nest_host host;
    struct vmx_capability offered;
    struct vmcs_delegation state; /* as the page has it */
    unsigned call;           /* the exit for what L1 entered its L2 by: EXIT_VMCALL, _VMLAUNCH or _VMRESUME */
    uint64_t eptp;           /* of vmcs12 of `of`, which the places and EPTs here are composed of */
    uint64_t made;           /* `of`->made, as nest->vmcs01 was taken over */
    bool is_let_go;          /* the owner had it all: what is current is to be found again */
    uint64_t call_rax;       /* L1's RAX at its call */
    struct nest_place places[NEST_PLACES]; /* by page number */
};
_Static_assert(sizeof(struct nest_chain) <= 4096 && sizeof(struct nest) <= 4096, "a nest in a chain is two frames");

/* Tables that may be read to find places, for one exit: a guest could make each level's lead to others that are not
 * kept, which are four times as many at each level. */
enum { NEST_CHAIN_WALKS = 96 };

/* The chain above the guest that runs, as its owner has it now. NULL: no frames */
struct nest_chain *nest_chain_current(struct nest *outer);
/* How things stand is told to the owner whenever it is another. */
void nest_chain_tell(struct nest_chain *);

void nest_chain_host_fill(struct nest_chain *);
void nest_chain_places_forget(struct nest_chain *);
