/* What becomes of a VM exit; the exit itself (struct exit, enum exit_reason) is in vmcs-shadow/exit.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "vmcs-shadow/exit.h"

/* What a handler tells the run loop. Only the run loop moves RIP. */
enum exit_action {
    EXIT_RESUME, /* go on at the same RIP */
    EXIT_SKIP,   /* the instruction is done: RIP += length, interruptibility cleared */
    EXIT_INJECT, /* an event was queued with vcpu_queue_*: go on at the same RIP */
    EXIT_STOP,   /* the machine cannot run on (its state says why) */
};
