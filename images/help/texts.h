/* The HELP files that VM/N brings: of the texts that stand beside CMS' commands, PIPE's stages and the messages. */
#pragma once

/* Hands over one file after the other: its text in lines, each ended by a newline. All have their own names. */
typedef void help_file_taker(void *context, const char *name, const char *type, const char *text);
void help_texts(help_file_taker *take, void *context);
