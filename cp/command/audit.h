/* QUERY AUDIT. */
#pragma once
#include "cp/command/command.h"

unsigned command_query_audit(struct call *); /* what follows AUDIT: for class C */
