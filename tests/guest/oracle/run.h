/* Executes sequences on the machine at hand, with handlers that note every event, and says what came of them. */
#pragma once
#include "tests/guest/oracle/sequence.h"

/* Frames of the window's pages, and its page table behind them, from here on; those of fresh pages. */
enum { ORACLE_FRAMES = 24 << 20, ORACLE_FRESH = 32 << 20 };

/* Maps the window and takes the vectors, for the payload or its guest; `fresh` frames from `first` are nobody's. */
void oracle_begin(bool guest, uint64_t first, uint64_t fresh);

/* Nothing that this processor does otherwise, from now on. */
void oracle_ask(struct oracle_host);

/* Makes and executes one sequence; with `trace` all of it is printed. The hash of all that it did. */
uint64_t oracle_run(uint64_t seed, uint64_t number, bool trace);

/* May the guest have VMREAD and VMWRITE of the VMCS it is linked to? */
void oracle_set_links(bool may);

/* Instructions generated up to now. */
extern uint64_t oracle_instructions;
