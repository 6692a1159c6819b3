/* The life of a virtual machine: made, reset, begun, destroyed. What it is: cp/vcpu/vm.h. */
#pragma once
#include "cp/vcpu/vm.h"

extern struct vm *vm_list;
extern bool vm_stops_unseen; /* some machine's stop_unseen is set */

/* These are asserted to come from the event loop, not from within a machine's turn, whose exit may
 * be a call for a command. NULL: no storage for it, or for what it is promised. The machine exists,
 * stopped and reset, with no disks. */
struct vm *vm_create(const struct machine_config *);
/* One more machine of a user's, on the account of that one, which stands still and outlives it: together they have had
 * and may have what one has. */
struct vm *vm_create_upon(const struct machine_config *, struct vm *waiting);
/* What one of the two has had, which is the other's from now on: processor time, and its share. */
void vm_hand_over(const struct vm *from, struct vm *to);
/* Frees all it had, in mid-nesting too: its storage a little at a time, as a grave, and not before disk requests that
 * are in flight and write into it are done. */
void vm_destroy(struct vm *);
void vm_reset(struct vm *); /* SYSTEM RESET: CPU and devices, storage kept; stopped */
/* SYSTEM CLEAR with a new size; stopped. 0, -ENOMEM, or -EBUSY: disk requests are in flight, and nothing was
 * changed. */
int vm_define_storage(struct vm *, uint64_t bytes);

void vm_begin(struct vm *); /* STOPPED -> RUNNABLE */
/* Something is under way that may wake it though its console is silent: a disk request, a timer, one of its own for a
 * guest of its that halts. */
bool vm_is_busy(const struct vm *);
/* Is its CPU where a reset leaves it, in the last 16 bytes below 4 GiB, where no machine has storage but for firmware
 * (but a machine of its own may)? */
bool vm_is_at_reset(struct vm *);
/* BEGIN address. From there it goes as by the first far jump of a program: in real mode the address is as said. */
void vm_go_to(struct vm *, uint64_t address);

/* Called when a machine stopped by itself (cp/session shows it). Set by cp/session. */
extern void (*vm_stopped)(struct vm *);
/* Console output of a machine; see machine_host.output. Set by cp/session. */
extern unsigned (*vm_output)(struct vm *, unsigned uart, const uint8_t *bytes, unsigned count);
/* UART `uart` of a machine has read all it had: it takes input again. Set by cp/session. */
extern void (*vm_input_room)(struct vm *, unsigned uart);
/* UART `uart` of a machine lets go whoever called there. Set by cp/session. */
extern void (*vm_hung_up)(struct vm *, unsigned uart);
/* How large the console's terminal is, 0: not known. Set by cp/session. */
extern void (*vm_size)(struct vm *, unsigned *columns, unsigned *rows);
