/* What users are told of the spool. */
#pragma once
struct session;
struct spool_file;
struct spool_journey;

/* For spool_start: whoever waits looks again, and, once the table is read, the operator is told what of it was dropped;
 * who has a file now, and who sent it. */
void spool_tell_news(void);
void spool_tell_arrival(const struct spool_file *, const struct spool_journey *);

void spool_tell_files(struct session *); /* LOGON: how many there are, if there are some */
/* "0001 RDR,   NO PRT,   NO PUN" */
enum { SPOOL_COUNTS = 48 };
const char *spool_counts(char text[SPOOL_COUNTS], const char *userid);
extern const char *const spool_queue_names[];
