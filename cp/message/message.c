/* CP's numbered messages. Numbers and texts below 9000 are z/VM's where it has the message; those from 9000 are VM/N's
 * own. */
#include "cp/message/message.h"

#include <stddef.h>

static const struct message table[] = {
    {1, 'E', "Unknown CP command: %1",
     "There is no such command, or your privilege classes do not include it. HELP lists yours."},
    {2, 'E', "Invalid operand - %1", "The command does not have this operand. HELP shows its format."},
    {3, 'E', "Invalid option - command contains extra option(s) starting with %1", "Leave out what is too much."},
    {4, 'E', "Invalid hexloc - %1", "Give an address in hexadecimal digits."},
    {5, 'E', "Invalid hexdata - %1", "Give pairs of hexadecimal digits, at most 16."},
    {7, 'E', "Invalid userid - %1", "A user ID is 1 to 8 characters of A-Z 0-9 @ # $ _ -."},
    {9, 'E', "Invalid range - %1",
     "An address, and behind it - and the last, or . and the number of bytes, at most 1000 (hexadecimal)."},
    {15, 'E', "Command not valid before LOGON: %1", "Enter LOGON and your user ID first."},
    {20, 'E', "Userid missing or invalid", "Name the user the command is about."},
    {22, 'E', "A virtual device number was not supplied or it was invalid", "Give 1 to 4 hexadecimal digits."},
    {25, 'E', "Storage missing or invalid - %1", "Give a number and M or G, for example 64M."},
    {26, 'E', "Operand missing or invalid", "HELP shows the command's format."},
    {40, 'E', "Device %1 does not exist", "QUERY VIRTUAL shows the devices your machine has."},
    {45, 'E', "%1 not logged on", "QUERY NAMES shows who is."},
    {50, 'E', "LOGON unsuccessful--incorrect userid and/or password",
     "Try again. Every wrong password makes the next wait longer."},
    {53, 'E', "%1 not in CP directory", "Check how the user ID is spelled."},
    {54, 'E', "Already logged on %1", "LOGON userid HERE moves the session to this terminal."},
    {57, 'I', "%1 not receiving; %2", "The user is disconnected, has SET MSG or WNG OFF, or reads others still; or you sent too many."},
    {94, 'E', "Storage size (%1) exceeds allowed maximum (%2)", "The directory says how much you may define."},
    {101, 'W', "DASD %1 forced R/O; R/W by %2", "Another user writes on it; you can only read."},
    {102, 'W', "DASD %1 forced R/O; R/O by %2",
     "Other users read it; with mode WR you can then only read. Mode MR would let you write."},
    {103, 'E', "%1 %2 not linked; R/O by %3", "Other users read it, and the mode you asked for allows no others."},
    {104, 'E', "%1 %2 not linked; R/W by %3", "Another user writes on it. Mode RR links it for reading anyhow."},
    {107, 'E', "%1 %2 not linked; not in CP directory", "The user has no such minidisk."},
    {108, 'E', "%1 %2 not linked; volid not mounted", "CP has no disk that holds this minidisk."},
    {109, 'E', "%1 %2 not linked; mode %3 is not supported", "Use R RR W WR M MR or MW."},
    {110, 'E', "%1 %2 not linked; %3 already defined",
     "Your machine has a device of that number. Choose another, or DETACH it."},
    {111, 'E', "%1 %2 not linked; no read password", "The owner's directory entry lets nobody else read it."},
    {112, 'E', "%1 %2 not linked; no write password", "The owner's directory entry lets nobody else write it."},
    {113, 'E', "%1 %2 not linked; no multiple password",
     "The owner's directory entry lets nobody else write it while others have it."},
    {115, 'E', "LINK invalid; excessive incorrect passwords",
     "LINK with a password is closed to you until you log on again."},
    {160, 'E', "Hexloc %1 exceeds storage", "QUERY VIRTUAL STORAGE shows how much there is."},
    {298, 'E', "%1 %2 not linked; password incorrect", "Ask the owner for the password."},
    {361, 'E', "LOGOFF/FORCE pending for user %1", "The user is leaving already."},
    {450, 'W', "CP entered; disabled wait at %1",
     "The machine halted with interrupts off and cannot go on. IPL starts it anew."},
    {451, 'W', "CP entered; invalid machine state at %1",
     "The CPU cannot run in the state it was put in. IPL starts the machine anew."},
    {453, 'W', "CP entered; triple fault at %1",
     "A fault while a double fault was being delivered: the CPU shut down. IPL starts it anew."},
    {2629, 'I', "The virtual machine is placed in CP mode due to a power off",
     "The system in the machine has ended. IPL starts one."},
    {9001, 'W', "CP entered; the machine has no storage at the address it uses, at %1",
     "The program left its storage, or BEGIN found none loaded, as after a reset. IPL starts one."},
    {9002, 'W', "CP entered; CP has no page frames left for this machine, at %1",
     "Its storage is kept for DISPLAY; it goes back with LOGOFF, IPL or SYSTEM CLEAR, or when others\n"
     "need it. INDICATE LOAD tells how full CP is, class E's INDICATE USER userid who has how much. DEFINE STORAGE smaller."},
    {9003, 'W', "CP entered; exit %2 cannot be emulated at %1",
     "The program did what this CP does not support. Please report the number."},
    {9004, 'I', "CP entered; the test device was written with %2",
     "The program ended itself through the debug-exit device."},
    {9005, 'W', "CP entered; VMX abort at %1",
     "The hypervisor in the machine left its VMCS in a state no CPU can return from."},
    {9006, 'I', "The machine was reset by its program; the system is IPLed again",
     "A reset through a port or an INIT."},
    {9007, 'W', "CP entered; the hardware failed under the machine, at %1",
     "A machine check that its program cannot survive. IPL starts it anew; the operator was told more (message 9050)."},
    {9008, 'W', "CP entered; CP refused to run the control block it had made for the machine: check %2, at %1",
     "A fault of CP's own: nothing ran. Please report the number; IPL starts the machine anew."},
    {9009, 'W', "CP entered; others lacked page frames: the storage of this machine, which held most, is cleared",
     "It held more than its share, an equal part for each machine. IPL starts it anew."},
    {9010, 'E', "%1 %2 not linked; no room for another device", "DETACH a device first."},
    {9011, 'E', "%1 cannot be IPLed: %2", "The image is not one this CP can start."},
    {9012, 'E', "Storage not changed; CP cannot give %1", "Ask for less."},
    {9013, 'E', "No system has been IPLed", "Use IPL first."},
    {9014, 'E', "Named saved system %1 does not exist", "QUERY NSS lists the systems that can be IPLed by name."},
    {9020, 'E', "Too many unsuccessful LOGONs; this terminal is quiet for a minute", "Wait, then try again."},
    {9021, 'W', "%1 unsuccessful attempts to log on as %2 since the last LOGON",
     "If it was not you, tell your administrator."},
    {9022, 'E', "LOGON unsuccessful--CP has no storage for the machine of %1", "Try again when others have left."},
    {9023, 'E', "%1 is already logged on", "XAUTOLOG starts only users who are not there."},
    {9024, 'E', "You are not authorized to XAUTOLOG %1", "Its directory entry must name you."},
    {9025, 'E', "CP has no room for another session", "Try again when others have left."},
    {9026, 'E', "There is no help for %1", "HELP alone lists the commands; HELP number explains a message."},
    {9027, 'E', "Command not valid without a terminal: %1", "It was issued by a machine that is disconnected."},
    {9028, 'E', "Not stored; a machine cannot change its own %1 by a call", "The call's results would be written over it. Use the console."},
    {9030, 'W', "Directory slot %1 is not used: %2", "The other slot, or the built-in directory, serves instead."},
    {9031, 'W', "%1 %2",
     "A fault in the directory, by path and reason. Correct the source and replace the directory with mkimage."},
    {9032, 'W', "No directory can be used; the built-in one serves: OPERATOR only",
     "Correct the directory with mkimage --replace-directory."},
    {9033, 'W', "No CP volume: %1", "Make one with mkimage. Until then no user has minidisks."},
    {9040, 'I', "%1; field %2", "The machine's program failed at VMX: the rule it broke, and the VMCS field. TRACE VMX OFF ends this."},
    {9041, 'I', "%1 further failures at VMX were not shown", "They came faster than a person reads."},
    {9050, 'W', "Machine check: %1; %2",
     "The processor reported a hardware error: the bank and its status are explained in the processor's manual."},
    {0, 'E', "%1 %2 %3 %4", NULL},
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
