/* OpenSSH public keys, as a line of an authorized_keys file has them. */
#pragma once
#include <stdbool.h>

/* Why the text is none that CP's directory may hold: a kind of key sshd knows, the key in base 64, and perhaps a
 * comment behind a blank; no options. The key inside is of that kind too, and as long as it is. NULL: it is one. */
const char *ssh_key_fault(const char *text);
