/* IRET and the blocking of NMIs: SDM "Handling Multiple NMIs", APM "IRET Intercept". SVM exits before an IRET, and does
 * not say when it is over; NMIs stay blocked until then, whatever exits come in between. */
#pragma once
#include "cp/svm/state.h"

void svm_return_begin(struct svm_state *);   /* the exit was an IRET's: it is executed now */
void svm_return_prepare(struct svm_state *); /* before each entry: RIP or an event may have become another */
/* After each exit, with VMRUN's own RIP: is it over? Then NMIs are unblocked, and RFLAGS are what it loaded. */
bool svm_return_look(struct svm_state *);
