/* CP's numbered messages. Numbers and texts below 9000 are z/VM's where it has the message; those from 9000 are VM/N's
 * own. */
#include "cp/message/message.h"

#include <stddef.h>
#include <string.h>

static const struct message table[] = {
    {1, 'E', "Unknown CP command: {1 command}", "There is no such command. HELP lists those you may use."},
    {2, 'E', "Invalid operand - {1 operand}", "The command does not have this operand. HELP shows its format."},
    {3, 'E', "Invalid option - command contains extra option(s) starting with {1 option}",
     "Leave out what is too much."},
    {4, 'E', "Invalid hexloc - {1 hexloc}", "Give an address in hexadecimal digits."},
    {5, 'E', "Invalid hexdata - {1 hexdata}", "Give pairs of hexadecimal digits, at most 16."},
    {6, 'E', "Invalid device type - {1 device}", "Name RDR, PRT or PUN."},
    {9, 'E', "Invalid range - {1 range}",
     "An address, and behind it - and the last, or . and the number of bytes, at most\n"
     "1000 (hexadecimal)."},
    {15, 'E', "Command not valid before LOGON: {1 command}", "Enter LOGON and your user ID first."},
    {20, 'E', "Userid missing or invalid",
     "Name the user the command is about: 1 to 8 characters of A-Z 0-9 @ # $ _ - ; *\n"
     "is you."},
    {22, 'E', "A virtual device number was not supplied or it was invalid", "Give 1 to 4 hexadecimal digits."},
    {25, 'E', "Storage missing or invalid - {1 storage}", "Give a number and M or G, for example 64M."},
    {26, 'E', "Operand missing or invalid", "HELP shows the command's format."},
    {27, 'E', "Spoolid missing or invalid",
     "Give the number of a file, 1 to 9999, or ALL, or CLASS and a class. QUERY RDR,\n"
     "PRT and PUN show the files there are."},
    {28, 'E', "Class missing or invalid", "A class is one character, A to Z or 0 to 9; of a reader also *, any."},
    {29, 'E', "Filename missing or invalid", "Give a name and a type of 1 to 8 characters each."},
    {30, 'E', "Copies missing or invalid", "Give a number from 1 to 255."},
    {40, 'E', "Device {1 vdev} does not exist", "QUERY VIRTUAL shows the devices your machine has."},
    {42, 'E', "Spoolid {1 spoolid} does not exist", "QUERY RDR, PRT and PUN show the files there are."},
    {45, 'E', "{1 userid} not logged on",
     "QUERY NAMES shows who is. After QUERY any word that is none of its operands is\n"
     "taken for a user ID: HELP QUERY lists them."},
    {50, 'E', "LOGON unsuccessful--incorrect userid and/or password",
     "Try again. Every wrong password makes the next wait longer."},
    {53, 'E', "{1 userid} not in CP directory", "Check how the user ID is spelled."},
    {54, 'E', "Already logged on {1 where}", "LOGON userid HERE moves the session to this terminal."},
    {55, 'E', "Line(s) not available on {1 userid}",
     "The user is not logged on, has no such line, or no program in the machine takes\n"
     "calls there; or all lines are busy."},
    {56, 'E', "Line {1 line} busy on {2 userid}",
     "Another terminal has dialed it. DIAL without the line takes one that is free."},
    {57, 'I', "{1 userid} not receiving; {2 reason}",
     "The user is disconnected, has SET MSG, WNG or SMSG OFF, or the words of others\n"
     "wait there still; or you sent too many. SEND CP does not wait."},
    {94, 'E', "Storage size ({1 size}) exceeds allowed maximum ({2 maximum})",
     "The directory says how much you may define."},
    {101, 'W', "DASD {1 vdev} forced R/O; R/W by {2 userid}", "Another user writes on it; you can only read."},
    {102, 'W', "DASD {1 vdev} forced R/O; R/O by {2 userid}",
     "Other users read it; with mode WR you can then only read. Mode MR would let you\n"
     "write."},
    {103, 'E', "{1 userid} {2 vdev} not linked; R/O by {3 userid}",
     "Other users read it, and the mode you asked for allows no others."},
    {104, 'E', "{1 userid} {2 vdev} not linked; R/W by {3 userid}",
     "Another user writes on it. Mode RR links it for reading anyhow."},
    {107, 'E', "{1 userid} {2 vdev} not linked; not in CP directory", "The user has no such minidisk."},
    {108, 'E', "{1 userid} {2 vdev} not linked; volid not mounted", "CP has no disk that holds this minidisk."},
    {109, 'E', "{1 userid} {2 vdev} not linked; mode {3 mode} is not supported", "Use R RR W WR M MR or MW."},
    {110, 'E', "{1 userid} {2 vdev} not linked; {3 vdev} already defined",
     "Your machine has a device of that number. Choose another, or DETACH it."},
    {111, 'E', "{1 userid} {2 vdev} not linked; no read password",
     "The owner's directory entry lets nobody else read it."},
    {112, 'E', "{1 userid} {2 vdev} not linked; no write password",
     "The owner's directory entry lets nobody else write it."},
    {113, 'E', "{1 userid} {2 vdev} not linked; no multiple password",
     "The owner's directory entry lets nobody else write it while others have it."},
    {115, 'E', "LINK invalid; excessive incorrect passwords",
     "LINK with a password is closed to you until you log on again."},
    {160, 'E', "Hexloc {1 hexloc} exceeds storage", "QUERY VIRTUAL STORAGE shows how much there is."},
    {298, 'E', "{1 userid} {2 vdev} not linked; password incorrect", "Ask the owner for the password."},
    {361, 'E', "LOGOFF/FORCE pending for user {1 userid}", "The user is leaving already."},
    {440, 'I', "Named Saved System (NSS) {1 name} was successfully {2 done}",
     "Defined: SAVESYS saves what your machine then is. Saved: IPL brings every\n"
     "machine there. Purged: nobody can IPL it any more."},
    {450, 'W', "CP entered; disabled wait at {1 address}",
     "The machine halted with interrupts off and cannot go on. IPL starts it anew."},
    {451, 'W', "CP entered; invalid machine state at {1 address}",
     "The CPU cannot run in the state it was put in. IPL starts the machine anew."},
    {453, 'W', "CP entered; triple fault at {1 address}",
     "A fault while a double fault was being delivered: the CPU shut down. IPL starts\n"
     "it anew."},
    {908, 'I', "SYSTEM FAILURE: {1 reason}",
     "CP has found a fault of its own and stopped, with all machines. Please report\n"
     "what it shows; start it again."},
    {951, 'E', "CP cannot start: {1 reason}",
     "The PC or the loader does not give CP what it needs."},
    {2629, 'I', "The virtual machine is placed in CP mode due to a power off",
     "The system in the machine has ended. IPL starts one."},
    {6011, 'E', "You are not authorized to COUPLE to {1 owner} {2 name}",
     "Your directory entry says to which LANs each of your NICs may be coupled."},
    {9001, 'W', "CP entered; the machine has no storage at the address it uses, at {1 address}",
     "The program left its storage, or BEGIN found none loaded, as after a reset. IPL\n"
     "starts one."},
    {9002, 'W', "CP entered; CP has no page frames left for this machine, at {1 address}",
     "Its storage is kept for DISPLAY; it goes back with LOGOFF, IPL or SYSTEM CLEAR,\n"
     "or when others need it. INDICATE LOAD tells how full CP is, class E's INDICATE\n"
     "USER userid who has how much. DEFINE STORAGE smaller."},
    {9003, 'W', "CP entered; exit {2 reason} cannot be emulated at {1 address}",
     "The program did what this CP does not support. Please report the number."},
    {9004, 'I', "CP entered; the test device was written with {2 value}",
     "The program ended itself through the debug-exit device."},
    {9005, 'W', "CP entered; VMX abort at {1 address}",
     "The hypervisor in the machine left its VMCS in a state no CPU can return from."},
    {9006, 'I', "The machine was reset by its program; the system is IPLed again",
     "A reset through a port or an INIT."},
    {9007, 'W', "CP entered; the hardware failed under the machine, at {1 address}",
     "A machine check that its program cannot survive. IPL starts it anew; the\n"
     "operator was told more (message 9050)."},
    {9008, 'W', "CP entered; CP refused to run the control block it had made "
     "for the machine: check {2 number}, at {1 address}",
     "A fault of CP's own: nothing ran. Please report the number; IPL starts the\n"
     "machine anew."},
    {9009, 'W', "CP entered; others lacked page frames: the storage of this machine, which held most, is cleared",
     "It held more than its share, an equal part for each machine. IPL starts it\n"
     "anew."},
    {9010, 'E', "{1 userid} {2 vdev} not linked; no room for another device", "DETACH a device first."},
    {9011, 'E', "{1 system} cannot be IPLed: {2 reason}", "The image is not one this CP can start."},
    {9012, 'E', "Storage not changed; CP cannot give {1 size}", "Ask for less."},
    {9013, 'E', "No system has been IPLed", "Use IPL first."},
    {9014, 'E', "Named saved system {1 name} does not exist", "QUERY NSS lists the systems that can be IPLed by name."},
    {9015, 'E', "Nothing to run: no system has been IPLed since the machine was reset",
     "IPL starts one; QUERY NSS lists them. BEGIN goes on with what was running."},
    {9016, 'E', "{1 command} is for privilege class {2 X}",
     "Your directory entry does not give you the class. HELP lists the commands you\n"
     "may use."},
    {9017, 'E', "After the user ID LOGON takes HERE and NOIPL only; the password is asked for",
     "Enter LOGON and your user ID, and the password when CP asks: then nobody sees\n"
     "it."},
    {9018, 'E', "NESTED {1 mode} exceeds what your directory entry allows ({2 mode})",
     "OFF, TRAP, SHADOW, MEMORY and CHAIN each offer more than the one before. Choose\n"
     "one up to yours."},
    {9020, 'E', "Too many unsuccessful LOGONs; this terminal is quiet for a minute", "Wait, then try again."},
    {9021, 'W', "{1 number} unsuccessful attempt{3 s} to log on as {2 userid} since the last LOGON",
     "If it was not you, tell your administrator."},
    {9022, 'E', "LOGON unsuccessful--CP has no storage for the machine of {1 userid}",
     "Or there are as many users as CP serves at once. Try again when others have\n"
     "left."},
    {9023, 'E', "{1 userid} is already logged on", "XAUTOLOG starts only users who are not there."},
    {9024, 'E', "You are not authorized to XAUTOLOG {1 userid}", "Its directory entry must name you."},
    {9025, 'E', "CP has no room for another session", "Try again when others have left."},
    {9026, 'E', "There is no help for {1 operand}; HELP lists the commands",
     "HELP command tells about one; HELP number explains a message."},
    {9027, 'E', "Command not valid without a terminal: {1 command}",
     "It was issued by a machine that is disconnected."},
    {9028, 'E', "Not stored; a machine cannot change its own {1 register} by a call",
     "The call's results would be written over it. Use the console."},
    {9029, 'E', "{1 command} is not valid now; {2 reason}",
     "DIAL is for a terminal at which nobody is logged on. What it connects ends with\n"
     "UNDIAL: before that, nobody can log on to this CP."},
    {9030, 'W', "Directory slot {1 slot} is not used: {2 reason}",
     "The other slot, or the built-in directory, serves instead."},
    {9031, 'W', "{1 path} {2 reason}",
     "A fault in the directory, by path and reason. Correct the source and replace\n"
     "the directory with DIRECTXA, or with mkimage."},
    {9032, 'W', "No directory can be used; the built-in one serves: OPERATOR only",
     "Correct the directory with mkimage --replace-directory."},
    {9033, 'W', "No CP volume: {1 reason}", "Make one with mkimage. Until then no user has minidisks."},
    {9034, 'W', "System {1 system} is not offered: {2 reason}",
     "A module that CP was started with cannot be IPLed by its name. QUERY NSS lists\n"
     "those that can."},
    {9035, 'E', "Directory not replaced; what is wrong with it: {1 number}",
     "The messages before say what, the first sixteen of them. The directory in force\n"
     "is as it was."},
    {9036, 'E', "{1 userid} is logged on, and not in the new directory",
     "Who leaves the directory must have logged off before: FORCE."},
    {9037, 'E', "Minidisk {1 userid} {2 vdev} is linked by {3 userid}, and is not where it was",
     "In the new directory it is gone, moved or of another size. It must be DETACHed\n"
     "by all who have it before."},
    {9038, 'E', "Area {1 name} is in use, and is not where it was",
     "An area can be given another place only while CP does not run: mkimage\n"
     "--replace-directory."},
    {9039, 'E', "Directory not replaced: {1 reason}",
     "The directory in force is as it was. After a failure of the volume the next\n"
     "start may find either of the two."},
    {9040, 'I', "{1 rule}; field {2 field}",
     "The machine's program failed at VMX: the rule it broke, and the VMCS field.\n"
     "TRACE VMX OFF ends this."},
    {9041, 'I', "{1 number} further failures at VMX were not shown", "They came faster than a person reads."},
    {9042, 'I', "The machine is ended, and the one that began it goes on", "SYSTEM END was its user's."},
    {9043, 'E', "No other machine of yours waits for the end of this one",
     "SYSTEM END is for a machine that a program in another one began."},
    {9045, 'E', "Line too long: {1 number} bytes; the limit is {2 limit}",
     "Nothing of the line was done. What was typed beyond the limit was not kept; a\n"
     "bell rang there."},
    {9046, 'E', "{1 userid} is at a terminal",
     "SEND is for those who are disconnected. MESSAGE reaches the others."},
    {9047, 'E', "Your machine has no line that DIAL reaches",
     "The property `lines` of a directory entry gives the machine some."},
    {9050, 'W', "Machine check: {1 error}; {2 outcome}",
     "The processor reported a hardware error: the bank and its status are explained\n"
     "in the processor's manual."},
    {9060, 'W', "Volume {1 volid}: {2 what} failed",
     "The disk of the machine CP runs on reported an error: its host has no room\n"
     "left, or its medium fails. The machine that asked was told, and goes on. A\n"
     "further one of its kind is not told before one has worked."},
    {9070, 'W', "Audit log: no record can be kept",
     "The disk of the machine CP runs on reported an error. What happens is noted in\n"
     "storage, as far as there is room, and written as soon as that works again."},
    {9071, 'W', "Audit log: its last page is damaged, and a new log begins",
     "What stood there was altered, or its medium fails. The pages before may be\n"
     "looked at with build/auditlog."},
    {9072, 'E', "Audit log: the chain is broken behind record {1 number}",
     "What follows is not what was written behind it: records were altered, or taken\n"
     "out, or the medium fails."},
    {9073, 'E', "There is no audit log",
     "The directory names no area for it, or the volume cannot be read."},
    {9080, 'E', "There is no spool: {1 reason}",
     "Readers, punches and printers need an area of the CP volume: areas/spool in the\n"
     "directory."},
    {9081, 'E', "{1 userid} takes no files from you",
     "Its directory entry lets only its group send files, or those it names."},
    {9082, 'E', "Spool file {1 spoolid} cannot be read: a block of it is damaged",
     "The volume does not hold what was written. The rest of the file is lost; other\n"
     "files are not touched. PURGE it."},
    {9083, 'E', "Not kept: the volume failed",
     "What was asked for is lost if CP ends now. The operator was told what failed."},
    {9084, 'W', "{1 number} entries of the spool's table were damaged and dropped",
     "Files that could not be told from anything else on the volume are gone; all\n"
     "others are there."},
    {9085, 'E', "Spool file {1 spoolid} is being read", "CLOSE RDR ends that."},
    {9086, 'E', "The spool is full, or {1 userid} has as much of it as is left for others",
     "Purge or take back files: TRANSFER RDR ALL FROM userid."},
    {9087, 'E', "The host's request is not valid: {1 reason}",
     "What came on the host's line is not what scripts/vmn-spool sends."},
    {9088, 'E', "{1 userid} {2 vdev} not linked; the directory was replaced while the password was checked",
     "It may be another password now: LINK again."},
    {9090, 'W', "Nothing was typed here for {1 time}; in another minute you are disconnected",
     "Your directory entry says after how long; type something, and you stay. QUERY\n"
     "SET shows the minutes."},
    {9091, 'I', "Disconnected, since nothing was typed for {1 time}",
     "Your machine runs on. LOGON brings you back to it."},
    {9092, 'I', "Nobody has logged on here for {1 time}; the connection ends",
     "Lines are for those who work. Connect again when you want to log on."},
    {9100, 'E', "Named saved system {1 name} not {2 done}: {3 reason}",
     "All is as before. QUERY NSS shows the systems there are, and their classes."},
    {9101, 'E', "Named saved system {1 name} is not defined", "DEFSYS says which pages SAVESYS is to save."},
    {9102, 'W', "Named saved system {1 name} is lost: {2 reason}",
     "It is on the volume and cannot be IPLed. PURGE NSS takes it away; all others\n"
     "are there."},
    {9110, 'E', "{1 vdev} has no snapshots: {2 reason}",
     "Snapshots are of a minidisk that is yours, and to which the directory gives an\n"
     "area of the volume (snapshots). If what the area holds is damaged, SNAPSHOT\n"
     "DELETE vdev ALL makes it usable again; the minidisk itself is as it was."},
    {9111, 'E', "Snapshot name or number missing or invalid - {1 name}",
     "A name is 1 to 8 characters of A-Z 0-9 @ # $ _ - and begins with no digit; ALL\n"
     "and EDITED are none. Else give a number, or a date as 11/29/26."},
    {9112, 'E', "{1 vdev} has no snapshot {2 name}", "SNAPSHOT LIST shows those there are."},
    {9113, 'E', "{1 vdev}: nothing was done, {2 reason}",
     "If the volume failed, SNAPSHOT LIST shows what there is. DELETE makes room."},
    {9114, 'W', "{1 vdev}: snapshot {2 number} is lost, {3 reason}",
     "The minidisk itself is as it should be. SNAPSHOT LIST shows what is left."},
    {9120, 'E', "LAN {1 owner} {2 name} does not exist",
     "QUERY LAN shows those you may couple to. A user's LAN is there while its owner\n"
     "is logged on and has defined it."},
    {9121, 'E', "NIC {1 vdev} is not coupled", "QUERY NIC shows to which LAN each is coupled."},
    {9122, 'E', "NIC {1 vdev} is coupled already",
     "UNCOUPLE takes it off the LAN it is coupled to; QUERY NIC shows which."},
    {9123, 'E', "NIC {1 vdev} is not coupled to {2 owner} {3 name}: {4 reason}",
     "Ask who looks after the directory, or the LAN's owner."},
    {9124, 'E', "LAN {1 name} is not created: {2 reason}",
     "The directory says how many LANs you may define. QUERY LAN shows them."},
    {9125, 'E', "LAN name missing or invalid - {1 name}", "A name is 1 to 8 characters of A-Z 0-9 @ # $ _ -."},
    {9126, 'W', "Your machine has not all its NICs: CP has no storage", "Log on again when others have left."},
    {9127, 'E', "There is no LAN for you",
     "Your directory entry says to which LANs your NICs may be coupled, if any."},
    {0, 'E', "{1 text} {2 text} {3 text} {4 text}", NULL},
};

const struct message *message_lookup(unsigned number)
{
    for (const struct message *m = table; m->number; m++)
        if (m->number == number)
            return m;
    return NULL;
}

const struct message *message_find(unsigned number)
{
    const struct message *m = message_lookup(number);
    return m ? m : &table[sizeof table / sizeof *table - 1];
}

/* What stands for "{1 userid}", which ends at `end`. */
static const char *value(const char *place, const char *end, const char *const texts[MESSAGE_TEXTS], size_t *length)
{
    const char *is = texts ? texts[place[1] - '1'] : place + 3;

    *length = !texts ? (size_t)(end - is) : is ? strlen(is) : 0;
    return is;
}

void message_text(char *out, size_t size, const struct message *m, const char *const texts[MESSAGE_TEXTS])
{
    size_t at = 0, length;

    for (const char *text = m->text; *text && at < size - 1; text++) {
        const char *from = text, *end = *text == '{' ? strchr(text, '}') : NULL;
        length = 1;
        if (end) {
            from = value(text, end, texts, &length);
            text = end;
        }
        if (length > size - 1 - at)
            length = size - 1 - at;
        memcpy(out + at, length ? from : "", length);
        at += length;
    }
    out[at] = 0;
}
