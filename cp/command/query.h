/* The questions about the virtual machine, apart from the table of all questions. */
#pragma once
#include "cp/command/command.h"

unsigned query_virtual(struct call *); /* what follows VIRTUAL */
unsigned query_virtual_storage(struct call *);
unsigned query_console(struct call *);
unsigned query_cpus(struct call *);
unsigned query_dasd(struct call *);
unsigned query_isa(struct call *);   /* devices granted beside the usual */
unsigned query_lines(struct call *); /* those that DIAL reaches; message 040 when there is none */
unsigned query_device(struct call *, unsigned vdev); /* message 040 when there is none */

/* Those of the spool (query_spool.c). They refuse what follows themselves, since they may go on in steps. */
unsigned query_rdr(struct call *);
unsigned query_prt(struct call *);
unsigned query_pun(struct call *);
unsigned query_files(struct call *);
unsigned query_tag(struct call *);
unsigned query_ur(struct call *);                        /* what SPOOL says of the devices */
bool query_ur_device(struct call *, unsigned vdev);      /* false: none has this number */
