/* Systems saved by command (DEFSYS, SAVESYS): a machine's CPU and pages as they were at one moment, which every machine
 * that IPLs the system has copy-on-write (cp/storage/share.h). They are in page frames on accounts of their own, at
 * most NSS_PART of all frames together, and on the volume if there is an area for them (nss_store.h).
 *
 *   DEFSYS    -> SKELETON: what is to be saved
 *   SAVESYS   -> SAVING, in slices -> KEEPING, while it goes to the volume -> ACTIVE; one of its name becomes PURGED
 *   PURGE NSS -> PURGED: nobody can IPL it, and it goes with its last user
 *   start     -> READING -> ACTIVE, or DAMAGED */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/ipl/nss_format.h"
#include "cp/storage/share.h"

enum { NSS_ROWS = 40, NSS_PART = 8 };

enum nss_class { NSS_FREE, NSS_SKELETON, NSS_SAVING, NSS_KEEPING, NSS_ACTIVE, NSS_PURGED, NSS_READING, NSS_DAMAGED };

struct nss {
    enum nss_class class;
    struct nss_definition definition;
    char by[9];
    uint64_t serial, saved_us;
    uint32_t pages;               /* kept; those of zeros are not */
    struct guest_storage storage; /* they, in no machine's reach */
    struct nss_head *head;        /* a frame on the same account: the CPU */
    const char *why;              /* DAMAGED: what is wrong */
    /* nss_store.c's */
    int slot;                     /* on the volume; -1: nowhere */
    uint32_t start;
};

struct nss *nss_next(struct nss *at);        /* any row in use; after `at` (NULL: the first); NULL at the end */
struct nss *nss_find(const char *name);      /* that can be IPLed */
struct nss *nss_of_class(const char *name, enum nss_class);

/* A skeleton, in place of one of that name. NULL, or why not. */
const char *nss_define(const struct nss_definition *, const char *by);
/* All of that name: the skeleton if there is one, else what can be IPLed. False: there is none. */
bool nss_purge(const char *name);

/* ---- saving ----------------------------------------------------------------------------------------------------- */

enum nss_outcome { NSS_MORE, NSS_BUSY, NSS_SAVED, NSS_REFUSED };

/* Begins, or goes on, to save what the machine is by now under the name of a skeleton, and answers with what became of
 * it; NSS_REFUSED: *why says why, and all is as before, the skeleton too. NSS_BUSY: another machine is being saved, or
 * the volume still read. What is saved has nothing of the machine's but CPU and pages.
 * @pre the machine is stopped, and stays so until the outcome or nss_save_cancel() */
enum nss_outcome nss_save(struct vm *, const char *name, const char *by, const char **why);
/* Nothing to do when it is not this machine that is being saved. What is on its way to the volume goes on. */
void nss_save_cancel(const struct vm *);

/* ---- for nss_store.c -------------------------------------------------------------------------------------------- */

struct nss *nss_row(void);            /* a free one, with an account for pages; NULL: there is none */
void nss_forget(void);                /* all there are, as after power on */
uint64_t nss_room(void);              /* frames that systems may still take */
void nss_dispose(struct nss *);       /* its frames go back when no machine maps them */
void *nss_page(struct nss *, uint64_t *at); /* the next page from address *at on, which becomes its own; NULL: none */
void nss_end_keeping(struct nss *, bool failed); /* -> ACTIVE, and what it replaces PURGED; or PURGED itself */
extern uint64_t nss_last_serial;
