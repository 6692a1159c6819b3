/* What threads ask of the command level. The room above provides it; unit tests bring a fake. */
#pragma once

/* Obeys a line as if it had been typed: its return code. Runs on the command level's stack. */
int process_command(const char *line);
