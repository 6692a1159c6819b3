/* Files that begin with "#!": the path of an interpreter, and one argument for it. */
#pragma once
#include <stddef.h>

enum { ELF_SCRIPT_LINE = 256, ELF_SCRIPTS_NESTED = 4 };

struct elf_script {
    char interpreter[ELF_SCRIPT_LINE];
    char argument[ELF_SCRIPT_LINE]; /* "": none; with the blanks that are in it */
};
/* 0, or -ENOEXEC: it is no script, or names no interpreter, or the name does not end within ELF_SCRIPT_LINE bytes. */
int elf_script_judge(const void *first, size_t bytes, struct elf_script *);
