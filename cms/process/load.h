/* Bringing an ELF file into an address space. */
#pragma once
#include "cms/elf/elf_image.h"
#include "cms/process/process.h"

enum { LOAD_FIRST = 4096 };
struct load_file {
    struct file *file;
    uint64_t size;
    size_t first_bytes;
    char first[LOAD_FIRST]; /* with a NUL where it is shorter */
    struct elf_image image;
};

/* Opens what may be executed and reads its first bytes: -EACCES, -ENOENT and so on. */
int load_open(const struct vfs_from *, const char *path, unsigned at_flags, struct load_file *);
void load_close(struct load_file *);
/* The path of its interpreter, "" if it has none; -ENOEXEC. */
int load_interpreter(struct load_file *, char path[ELF_INTERPRETER_MAX]);
/* Maps its segments; a relocatable one goes to `where`, 0: anywhere. *bias is what its addresses are off by. */
int load_map(struct load_file *, struct space *, uint64_t where, uint64_t *bias);
