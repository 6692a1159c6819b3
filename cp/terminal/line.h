/* A line with a terminal at its other end, whatever carries it (uart.h, virtio_console.h). Output is buffered and
 * drains by interrupt; nothing is lost, since the writer asks for room first. Input goes byte by byte to a callback.
 * All callbacks run in the driver's interrupt function or in line_resume(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { LINE_OUTPUT_BYTES = 4096 };

struct line;

/* What a driver does for its lines. */
struct line_driver {
    void (*send)(struct line *);   /* bytes were queued: see that they go out */
    void (*drain)(struct line *);  /* waits, not for ever, until all of them are out */
    void (*resume)(struct line *); /* hand on the held input; NULL: this driver never holds any */
    /* Hand on what has come, whether its interrupt was served or not; NULL: what comes has room, however long that
     * takes. */
    void (*look)(struct line *);
    /* Lets go of whoever called, when all has gone out to them; NULL: it cannot. @pre called */
    void (*hang_up)(struct line *);
};

struct line {
    const struct line_driver *driver; /* NULL: nobody carries it, and it takes nothing */
    void (*input)(struct line *, uint8_t byte); /* may be NULL: bytes are dropped */
    /* How many bytes input() would take now; NULL: any number. A driver that can make the other end wait calls
     * input() no more often, and `held` is set until the rest was handed on. */
    uint32_t (*ready)(struct line *);
    void (*room)(struct line *); /* may be NULL: output has drained to half or less */
    /* may be NULL: somebody came to the other end, or left it. Where a driver cannot know it never calls this, and
     * somebody is there. */
    void (*carrier)(struct line *, bool there);
    /* may be NULL: the terminal at the other end is so many columns wide and rows high; 0: not known */
    void (*size)(struct line *, unsigned columns, unsigned rows);
    void *owner; /* for the callbacks */
    bool held;
    bool called; /* somebody came since the driver began, by a modem that can hang up, and is there */
    uint32_t head, tail; /* free-running; bytes queued = head - tail */
    uint8_t output[LINE_OUTPUT_BYTES];
};

uint32_t line_room(const struct line *); /* bytes that line_write would take now */

/* Queues up to `count` bytes and has them sent; returns how many were taken (less than count: no more room). */
uint32_t line_write(struct line *, const void *bytes, uint32_t count);

/* Who came is to be let go of, when what is queued has gone out: the carrier goes then. False: it is a line where
 * nobody calls. */
bool line_hang_up(struct line *);

/* In the middle of long work: what the line cannot keep for long is taken now. */
void line_look(struct line *);

/* There is room for input again: hands on what was held, as far as it goes. */
void line_resume(struct line *);

/* Sends everything queued, busy-waiting: only for the last words before power off, or of an assert. */
void line_drain(struct line *);

/* ---- for drivers ------------------------------------------------------------------------------ */

uint32_t line_queued(const struct line *);
/* The queued bytes that follow one another in memory, from the oldest; how many. */
uint32_t line_oldest(const struct line *, const uint8_t **bytes);
void line_sent(struct line *, uint32_t count); /* so many of the oldest are out */
void line_cut(struct line *, uint32_t keep); /* forgets what is queued but for so many of the oldest */
/* From the interrupt function: `before` bytes were queued; calls room() if the queue has become half empty since. */
void line_tell_room(struct line *, uint32_t before);
