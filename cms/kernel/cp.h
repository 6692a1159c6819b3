/* CP as CMS sees it: is it there, who are we, obey this.  The driver room provides it by DIAGNOSE (cp/diagnose.h). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CMS_CP_COMMAND_MAX = 240, CMS_CP_SPECIAL_MAX = 248 }; /* bytes */

struct cms_cp_answer {
    int return_code;  /* CP's: 0, or the number of its message */
    size_t length;    /* bytes of the response */
    bool truncated;
};

/* CP is there and offers commands. */
bool cms_cp_present(void);
/* The user ID, without blanks; "CMSUSER" without CP. */
const char *cms_cp_user(void);
/* The only node there is, as CP's QUERY USERID says. */
static const char CMS_NODE[] __attribute__((unused)) = "VMN";
/* Obeys a CP command, of 1 to CMS_CP_COMMAND_MAX bytes; its response, lines ended by newlines, goes to `response`.
 * False if CP is not there or would not take the call; the answer is then not set. */
bool cms_cp_command(const char *text, size_t length, char *response, size_t size, struct cms_cp_answer *answer);
enum { CMS_CP_FORBIDDEN_MAX = 48, CMS_CP_LINE_MAX = 240 };
/* The execution environments that the directory forbids, with a blank between them; "" without CP. */
void cms_cp_forbidden(char names[CMS_CP_FORBIDDEN_MAX]);

enum cms_cp_machine {
    CMS_MACHINE_ENDED,
    CMS_MACHINE_ABSENT,    /* CP is not there, or does not offer it */
    CMS_MACHINE_FORBIDDEN,
    CMS_MACHINE_NO_ROOM,   /* the user's maximum leaves no storage for it, or too many wait already */
    CMS_MACHINE_REFUSED,   /* image or line are too long, or not plain */
};
/* Has CP run a multiboot image in another machine, upon this one, which stands still till that has ended. *code is then
 * what it ended with: 0, or the number of CP's message. The line is of 1 to CMS_CP_LINE_MAX printable characters. */
enum cms_cp_machine cms_cp_machine(const void *image, size_t bytes, const char *line, uint64_t *code);
/* Takes the oldest special message (SMSG) that waits: who sent it, in 8 characters, and the text behind. Its bytes; 0:
 * none waits. */
size_t cms_cp_special(char message[CMS_CP_SPECIAL_MAX]);
