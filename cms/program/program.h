/* Programs as commands. */
#pragma once

/* Connects processes, files and system calls; once, when the heap stands. */
void program_start(void);
