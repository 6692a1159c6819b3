/* A buffer that a call of a machine names. */
#pragma once
#include "cp/diagnose.h"
#include "cp/vcpu/vm.h"

bool diagnose_in_ram(struct vm *, uint64_t at, uint64_t bytes); /* wholly */
enum diagnose_status diagnose_of_access(enum guest_access);
/* Brings every page of the buffer in now: after what is to be answered has happened is too late to fail. */
enum guest_access diagnose_touch(struct vm *, uint64_t at, uint64_t bytes);
void diagnose_pad(char *out, unsigned size, const char *text); /* with blanks */
