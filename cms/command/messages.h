/* Every CMS message: number, severity (I W E S R T), return code, format.
 * Numbers, texts and return codes are those of z/VM CMS where it has the message.  A row here is all a message needs;
 * what HELP says of it beyond the text is in cms/command/message.c. */
#pragma once

/* clang-format off */
#define MESSAGE_FILE_NOT_FOUND          2, 'E', 28, "File %s not found"
#define MESSAGE_INVALID_OPTION          3, 'E', 24, "Invalid option: %s"
#define MESSAGE_NO_DEVICE_ADDRESS       5, 'E', 24, "No virtual device address specified"
#define MESSAGE_NOT_WRITABLE            6, 'E', 36, "No read/write filemode accessed"
#define MESSAGE_INVALID_PARAMETER      14, 'E', 24, "Invalid keyword or parameter %s"
#define MESSAGE_INVALID_DEVICE         17, 'E', 24, "Invalid virtual device address %s"
#define MESSAGE_IDENTICAL_FILEIDS      19, 'E', 24, "Identical fileids"
#define MESSAGE_NO_FILETYPE            23, 'E', 24, "No filetype specified"
#define MESSAGE_FILE_EXISTS            24, 'E', 28, "File %s already exists"
#define MESSAGE_INVALID_RECORD         29, 'E', 24, "Invalid parameter %s in the option %s field"
#define MESSAGE_READ_ONLY              37, 'E', 36, "Filemode %s is accessed as read/only"
#define MESSAGE_NO_FILENAME            42, 'E', 24, "No fileid(s) specified"
#define MESSAGE_NO_OPERANDS            47, 'E', 24, "No function specified"
#define MESSAGE_INVALID_MODE           48, 'E', 24, "Invalid filemode %s"
#define MESSAGE_INVALID_NUMBER         50, 'E', 24, "Parameter missing after %s"
#define MESSAGE_INCOMPLETE_FILEID      54, 'E', 24, "Incomplete fileid specified"
#define MESSAGE_NO_FILENAME_FOUND      62, 'E', 20, "Invalid character in fileid %s"
#define MESSAGE_OPTION_TWICE           65, 'E', 24, "%s option specified twice"
#define MESSAGE_CONFLICTING_OPTIONS    66, 'E', 24, "%s and %s are conflicting options"
#define MESSAGE_MODE_NOT_ACCESSED      69, 'E', 36, "Filemode %s not accessed"
#define MESSAGE_INVALID_OPERAND        70, 'E', 24, "Invalid parameter %s"
#define MESSAGE_INPUT_ERROR           104, 'S', 100, "Error %d reading file %s from disk or directory"
#define MESSAGE_OUTPUT_ERROR          105, 'S', 100, "Error %d writing file %s on disk or directory"
#define MESSAGE_DISK_FULL             107, 'S', 13, "Disk %s is full"
#define MESSAGE_NOT_ATTACHED          113, 'S', 100, "%s(%s) not attached"
#define MESSAGE_UNKNOWN_COMMAND        -3, 'E', -3, "Unknown CP/CMS command"
