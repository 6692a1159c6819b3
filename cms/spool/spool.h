/* What the spool commands share: records to a punch or printer, records from a file in the reader. */
#pragma once
#include "cms/file/file.h"
#include "cms/kernel/spool.h"

enum { CARD = 80 };

/* The message for a status other than CMS_SPOOL_OK, and its return code. */
int cms_spool_failed(const char *module, enum cms_spool_status status);
/* A CP command, whose answer is shown only if it fails. Its return code; what CP says is a message already. */
int cms_spool_command(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- to a device ------------------------------------------------------------------------------------------------- */

struct spool_sink {
    const char *module;
    enum cms_device device;
    size_t used;
    uint8_t *records; /* CMS_SPOOL_CALL bytes */
};

int cms_spool_begin(struct spool_sink *, const char *module, enum cms_device);
/* A record of at most CMS_SPOOL_RECORD bytes; one shorter than `least` is filled with blanks. */
int cms_spool_put(struct spool_sink *, const void *record, size_t length, size_t least);
/* Ends the file as CLOSE with these operands does; with `rc` not 0 it is forgotten. 0, or the return code. */
int cms_spool_end(struct spool_sink *, int rc, const char *operands);

/* ---- from the reader --------------------------------------------------------------------------------------------- */

struct spool_source {
    const char *module;
    struct cms_spool_read read;
    size_t at;
    uint8_t *records; /* CMS_SPOOL_CALL bytes */
};

int cms_spool_open(struct spool_source *, const char *module, unsigned spoolid);
/* The next record, until the next call; *record NULL: there is none. 0, or the return code of a message. */
int cms_spool_next(struct spool_source *, const uint8_t **record, size_t *length);

/* The file of that number in the reader, which may be held; false: there is none. */
bool cms_spool_find(unsigned spoolid, struct cms_spool_file *);

/* ---- into a file ------------------------------------------------------------------------------------------------- */

struct spool_target {
    const char *module;
    struct file_id id;
    char text[FILE_ID_MAX];
    struct mode *mode;
    char recfm; /* 'F' or 'V' */
    uint32_t lrecl;
    struct edf_date date; /* year 0: the moment */
    enum edf_replace replace;
    struct edf_writer *writer;
    uint8_t *record;
};

/* Looks whether the file may be made. 0, or the return code of a message. */
int cms_spool_target(struct spool_target *);
int cms_spool_store(struct spool_target *, const uint8_t *record, size_t length);
/* Makes the file true, or, with `rc` not 0, forgets it. */
int cms_spool_stored(struct spool_target *, int rc);

/* ---- to other users ---------------------------------------------------------------------------------------------- */

struct receivers;
/* Can something be sent to each? It is to be asked first. 0, or the return code of a message. */
int cms_spool_send_ready(const char *module, const struct receivers *);
/* Sends a file to each as SENDFILE does, and tells so. 0, or the return code of the message that ended it. */
int cms_spool_send(const char *module, const struct file_found *, const struct receivers *, bool ack);
struct netdata_in;
/* Acknowledges what was read of NETDATA to its sender, and tells so, or CP why not. */
void cms_spool_acknowledge(const struct netdata_in *, const char *userid);

/* ---- the commands ------------------------------------------------------------------------------------------------ */
int cms_spool_punch(const struct arguments *);
int cms_spool_print(const struct arguments *);
int cms_spool_sendfile(const struct arguments *);
int cms_spool_names(const struct arguments *);
int cms_spool_note(const struct arguments *);
int cms_spool_tell(const struct arguments *);
int cms_spool_readcard(const struct arguments *);
int cms_spool_receive(const struct arguments *);
int cms_spool_peek(const struct arguments *);
int cms_spool_rdrlist(const struct arguments *);
extern const struct file_option *const cms_spool_punch_options, *const cms_spool_receive_options,
    *const cms_spool_peek_options, *const cms_spool_sendfile_options;
