/* What is to happen at a time: a list in order of time, to be run by whoever knows what time it is. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct deadline {
    uint64_t at; /* ns, as cms_wait_now() has them; 0: not set */
    void (*due)(struct deadline *); /* may set it anew */
    struct deadline *next;
};
void deadline_set(struct deadline *, uint64_t at); /* moves it if it is set */
void deadline_cancel(struct deadline *);
uint64_t deadline_first(void); /* 0: none */
void deadline_run(uint64_t now);
void deadline_forget_all(void);
