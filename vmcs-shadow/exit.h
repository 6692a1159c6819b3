/* A VM exit in the VMX vocabulary: the reasons, and one exit captured once, whatever the hardware. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum exit_reason {
#define EXIT_REASON(NAME, number, text) EXIT_##NAME = number,
#include "vmcs-shadow/exits.def"
#undef EXIT_REASON
    EXIT_REASONS
};
enum { EXIT_ENTRY_FAILED = 1u << 31 };

struct exit {
    uint32_t reason; /* all 32 bits; exit_basic() is the table's index */
    uint32_t instruction_length;
    uint64_t qualification;
    uint64_t rip;
    uint32_t instruction_info;
    uint32_t interruption_info, interruption_error; /* valid for EXIT_EXCEPTION_NMI and acknowledged interrupts */
    uint32_t idt_vectoring_info, idt_vectoring_error;
    uint64_t guest_linear, guest_physical; /* valid for EPT exits */
};

const char *exit_reason_name(unsigned basic_reason); /* "EPT VIOLATION"; "RESERVED" for a number without one */

static inline unsigned exit_basic(const struct exit *e) { return e->reason & 0xffff; }
