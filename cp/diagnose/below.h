/* What this CP runs on. cp/cpu implements it; host tests fake it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* What the CP below this one, if there is one, tells of the levels from here down (DIAGNOSE "chain"): length of the
 * text, 0 when nobody tells. At most `size` bytes, without NUL. */
uint32_t cp_below_chain(char *text, uint32_t size);
/* What it answers to DIAGNOSE "line", 0: nobody tells. */
unsigned cp_below_columns(uint16_t port, unsigned *rows);
bool cp_below_is_vmn(void); /* this CP runs in a machine of another */
const char *cp_machine_name(void); /* what it runs on: "REAL MACHINE", or the hypervisor, as CPUID tells */
bool cp_below_offers(uint32_t assists); /* it is one that offers all these (enum diagnose_assist) */
const char *cp_virtualization(void); /* of the processor: "VMX", "SVM" */
