/* What signals and errors are called in messages. */
#pragma once

const char *program_signal_name(int signal); /* SIGSEGV */
const char *program_error_text(int error);   /* of a negative errno, in small letters */
