/* What the functions of TAPE share. */
#pragma once
#include "cms/file/tape_unit.h"

/* One TAPE command. */
struct tape {
    struct tape_unit *unit;
    uint32_t marks;    /* read up to so many */
    struct file_id id; /* of the files meant; patterns match */
    bool lists;        /* each file is told */
    bool marks_files;  /* a tape mark behind each file that is dumped */
    uint32_t files;    /* done so far */
};

/* fn ft [fm] behind the function, at most `most` words; without them all files are meant. */
int cms_tape_fileid(const struct arguments *arguments, int most, struct tape *tape);

/* The functions; each answers 0, or the return code of the message given. */
int cms_tape_dump(const struct arguments *arguments, struct tape *tape);
int cms_tape_load(const struct arguments *arguments, struct tape *tape);
int cms_tape_scan(const struct arguments *arguments, struct tape *tape);
int cms_tape_skip(const struct arguments *arguments, struct tape *tape);
int cms_tape_bsf(const struct arguments *arguments, struct tape *tape);
int cms_tape_bsr(const struct arguments *arguments, struct tape *tape);
int cms_tape_fsf(const struct arguments *arguments, struct tape *tape);
int cms_tape_fsr(const struct arguments *arguments, struct tape *tape);
int cms_tape_rew(const struct arguments *arguments, struct tape *tape);
int cms_tape_wtm(const struct arguments *arguments, struct tape *tape);
