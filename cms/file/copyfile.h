/* What the parts of COPYFILE share: one command under way. */
#pragma once
#include "cms/file/copy_list.h"
#include "cms/file/file.h"
#include "cms/file/pack.h"

enum copy_option {
    COPY_NEWFILE, COPY_REPLACE, COPY_APPEND, COPY_OVLY, COPY_OLDDATE, COPY_NEWDATE, COPY_TYPE, COPY_NOTYPE, COPY_RECFM,
    COPY_LRECL, COPY_FROM, COPY_FRLABEL, COPY_FOR, COPY_TOLABEL, COPY_TRUNC, COPY_NOTRUNC, COPY_UPCASE, COPY_LOWCASE,
    COPY_FILL, COPY_EBCDIC, COPY_ASCII, COPY_SPECS, COPY_NOSPECS, COPY_TRANS, COPY_PROMPT, COPY_NOPROMPT, COPY_SINGLE,
    COPY_PACK, COPY_UNPACK,
};
enum { COPY_LABEL_MOST = 8 };

struct copy {
    struct file_options options;
    struct file_id inputs[COMMAND_WORDS_MAX / 3], output; /* from the second input on they may have = of the first */
    int input_count;
    struct file_found first; /* the first input file found; its mode is NULL before that */
    char recfm;     /* 0: as the input */
    uint32_t lrecl; /* 0: as the input */
    uint32_t from, count;
    uint8_t fill;
    bool translates;
    uint8_t table[256];           /* what each byte of the input becomes */
    struct copy_specs specs;
    char list[COMMAND_LINE_MAX + 1]; /* the specification list: its text stays here */
    /* the output being written */
    struct edf_writer *writer;
    struct edf_reader *overlaid; /* OVLY: the old file, as far as it has not been overlaid */
    struct file_id to;
    struct mode *to_mode;
    char to_text[FILE_ID_MAX];
    bool to_exists; /* there was one before */
    char to_recfm;
    uint32_t to_lrecl;
    uint64_t copied, offered; /* records written to it, records of its inputs */
    union {
        struct packer packer;
        struct unpacker unpacker;
    } pack;
    uint8_t *record, *built;  /* EDF_LRECL_MAX bytes each; built: NULL if it is the record as it is */
};

static inline bool copy_option(const struct copy *c, enum copy_option row)
{
    return file_option(&c->options, row);
}

/* Operands, options, and the lists that are asked for. 0, or the return code of the message given. */
int cms_copy_read(const struct arguments *arguments, struct copy *copy);
/* The records of one input to the output that is open. */
int cms_copy_records(struct copy *copy, const struct file_found *found, struct edf_reader *reader);
/* PACK: the whole file to the output that is open. */
int cms_copy_packed(struct copy *copy, const struct file_found *found, struct edf_reader *reader);
/* UNPACK: what the file says of its records becomes its facts; then its records to the output that is open. */
int cms_copy_unpack_begin(struct copy *copy, struct file_found *found, struct edf_reader *reader);
int cms_copy_unpacked(struct copy *copy, const struct file_found *found);
/* OVLY: what is left of the file that is overlaid. */
int cms_copy_overlaid(struct copy *copy);
