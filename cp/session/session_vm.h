/* What a machine tells the session it belongs to: vm.h's hooks. */
#pragma once
#include <stdint.h>

struct session;
struct vm;

void session_vm_stopped(struct vm *);                                                          /* vm_stopped */
unsigned session_vm_output(struct vm *, unsigned uart, const uint8_t *bytes, unsigned count);  /* vm_output */
void session_vm_size(struct vm *, unsigned *columns, unsigned *rows);                          /* vm_size */
void session_vm_input_room(struct vm *, unsigned uart);                                        /* vm_input_room */

/* Drains the session's output, and tells the machine when there is room for its own again. */
void session_pump(struct session *);
