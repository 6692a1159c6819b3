/* A terminal at one of a machine's further lines. */
#pragma once

/* Joins standard input and output to the pseudo terminal, until the line ends, standard input does, or Ctrl-] q is
 * typed; the exit status. */
int join(const char *line);
