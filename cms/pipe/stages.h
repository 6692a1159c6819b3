/* The stages there are, each in the file named. */
#pragma once
#include "cms/pipe/pipe.h"

/* device.c */
extern const struct stage_kind cms_stage_literal, cms_stage_console, cms_stage_command, cms_stage_cp, cms_stage_hole,
                               cms_stage_starmsg;
/* disk.c */
extern const struct stage_kind cms_stage_read, cms_stage_write, cms_stage_append;
/* select.c */
extern const struct stage_kind cms_stage_locate, cms_stage_nlocate, cms_stage_between, cms_stage_take, cms_stage_drop;
/* sort.c */
extern const struct stage_kind cms_stage_sort, cms_stage_unique;
/* change.c */
extern const struct stage_kind cms_stage_change, cms_stage_split, cms_stage_join, cms_stage_xlate;
/* specs.c */
extern const struct stage_kind cms_stage_specs;
/* count.c */
extern const struct stage_kind cms_stage_count;
