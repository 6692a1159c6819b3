/* Signals: sending them, and what a thread that goes back to its program makes of those that came. */
#pragma once
#include "cms/process/thread.h"

/* To a process: any of its threads takes it. False: there was no room for a real-time signal. */
bool signal_send(struct process *, const struct signal_info *);
/* To one thread. */
bool signal_send_thread(struct thread *, const struct signal_info *);
/* From the kernel (CODE_KERNEL), where there is nothing to say. */
void signal_raise(struct process *, int number);
/* What an instruction of the thread caused: comes at once, also where it is blocked or ignored, and then ends it. */
void signal_force(struct thread *, const struct signal_info *);
/* How many of the group (there must be none, or one, of CMS' own) could be sent it. */
unsigned signal_send_group(int group, const struct signal_info *);

/* Takes the first of `set` that waits for the thread or its process; 0: none. */
int signal_take(struct thread *, signal_set set, struct signal_info *);
signal_set signal_pending(const struct thread *);
/* What is blocked from now on; sees to what waits and no longer is. SIGKILL and SIGSTOP never are. */
void signal_block(struct thread *, signal_set);
/* The same until the next handler has been entered: sigsuspend, pselect, ppoll. */
void signal_block_meanwhile(struct thread *, signal_set);
/* An action was set: what waits and is now ignored goes. */
void signal_action_changed(struct process *, int number);

/* Puts a handler's frame on the thread's stack, and has it begin there: -EFAULT where there is no storage. */
int signal_frame_push(struct thread *, const struct signal_info *, const struct signal_action *);
/* rt_sigreturn(2): the registers that the frame at the stack pointer has, judged; -EFAULT, -EINVAL. */
int signal_frame_pop(struct thread *);
/* The first of the bytes that a handler's stack must have: AT_MINSIGSTKSZ. */
uint64_t signal_frame_most(void);
/* Whether the stack pointer is on the thread's alternate stack. */
bool signal_on_alternate(const struct thread *, uint64_t rsp);
/* sigaltstack(2): 0, -EINVAL, -ENOMEM. @pre the thread is not on the one it has */
int signal_set_alternate(struct thread *, const struct signal_stack *);
