/* Operands that commands of the spool share. */
#pragma once
#include "cp/command/command.h"
#include "cp/spool/unit.h"

bool spool_device(struct word, enum spool_queue *); /* RDR READER PRT PRINTER PUN PUNCH */
bool spool_unit(struct word, enum spool_queue *);   /* or by its virtual device number: C, D, E */
/* Each reads the next word, or answers with a message; 0: well. */
unsigned call_device(struct call *, const char *module, enum spool_queue *);
unsigned call_unit(struct call *, const char *module, enum spool_queue *);
unsigned call_class(struct call *, const char *module, bool any, char *class); /* `any`: * will do */
unsigned call_copies(struct call *, const char *module, uint8_t *copies);
/* Of a file; not given: there is no word. */
unsigned call_name(struct call *, const char *module, char name[9], bool *given);
/* A user whom the caller may send files to. */
unsigned call_receiver(struct call *, const char *module, char id[DIRECTORY_NAME + 1]);
/* Whose files: the caller's, or, for class D, those of the user whom the next word names, unless that is a word of the
 * command's own. Who is not in the directory any more may still have some. */
unsigned call_owner(struct call *, const char *module, bool word_is_own, char owner[DIRECTORY_NAME + 1]);
unsigned call_spool(struct call *, const char *module); /* reads nothing: there is a spool */
/* HOLD or NOHOLD into *hold, KEEP or NOKEEP into *keep. False: it is another word. */
bool spool_holds(struct word, int *hold, int *keep);
/* What a step answers that waits for something to be kept. True: it was the last. */
bool spool_wait(struct call *, const char *module, enum spool_outcome, unsigned *code);
