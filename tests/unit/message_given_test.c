/* Every message of CP is given by a command line here, or another test that is named has it said: a new one fails until
 * it is either. What the console shows is asked for whole, and so is HELP for it. */
#include "tests/unit/message_given_scene.h"

#include <regex.h>

#include "cp/message/message.h"
#include "tests/unit/sources.h"

struct step {
    const char *who;  /* a user, whose machine asks; "#1": what is typed at that terminal */
    const char *line;
    const char *text; /* the message, whole; NULL: none is asked for */
    void (*before)(void);
};

static bool seen[10000]; /* numbers */
static char given[512][8]; /* "MFS45" */
static unsigned givens;

#define EXTRA "Invalid option - command contains extra option(s) starting with "
#define STEP(who, line, text)          {who, line, text, NULL}
#define AFTER(before, who, line, text) {who, line, text, before}
static const struct step steps[] = {
    /* ---- any command ---- */
    STEP("BOB", "frobnicate", "HCPCMD001E Unknown CP command: FROBNICATE"),
    STEP("BOB", "SHUTDOWN", "HCPCMD9016E SHUTDOWN is for privilege class A"),
    STEP("BOB", "HELP FROBNICATE", "HCPHLP9026E There is no help for FROBNICATE; HELP lists the commands"),
    STEP("BOB", "HELP 45 X", "HCPHLP003E " EXTRA "X"),
    /* ---- the machine ---- */
    STEP("BOB", "IPL", "HCPVMI026E Operand missing or invalid"),
    STEP("BOB", "IPL NONE", "HCPNSS9014E Named saved system NONE does not exist"),
    STEP("BOB", "IPL TEST CLEAR X", "HCPVMI003E " EXTRA "X"),
    STEP("#1", "IPL BAD", "HCPVMI9011E BAD cannot be IPLed: The image has no multiboot header in its first 8 KiB"),
    STEP("#1", "BEGIN ZZ", "HCPBEG004E Invalid hexloc - ZZ"),
    STEP("#1", "BEGIN 0 X", "HCPBEG003E " EXTRA "X"),
    STEP("#1", "BEGIN", "HCPBEG9015E Nothing to run: no system has been IPLed since the machine was reset"),
    STEP("BOB", "STOP X", "HCPSTP003E " EXTRA "X"),
    STEP("BOB", "SYSTEM", "HCPSYS026E Operand missing or invalid"),
    STEP("BOB", "SYSTEM SIDEWAYS", "HCPSYS002E Invalid operand - SIDEWAYS"),
    STEP("BOB", "SYSTEM CLEAR X", "HCPSYS003E " EXTRA "X"),
    STEP("BOB", "SYSTEM RESTART", "HCPSYS9013E No system has been IPLed"),
    STEP("BOB", "SYSTEM END", "HCPSYS9043E No other machine of yours waits for the end of this one"),
    STEP("BOB", "RESET X", "HCPRST002E Invalid operand - X"),
    STEP("BOB", "RESET SYSTEM X", "HCPRST003E " EXTRA "X"),
    STEP("OPERATOR", "DEFSYS", "HCPDFS026E Operand missing or invalid"),
    STEP("OPERATOR", "DEFSYS TOOLONGNAME 0-3F EW", "HCPDFS002E Invalid operand - TOOLONGNAME"),
    STEP("OPERATOR", "SAVESYS TOOLONGNAME", "HCPNSS002E Invalid operand - TOOLONGNAME"),
    STEP("OPERATOR", "DEFSYS POINT 3F-0 EW", "HCPDFS009E Invalid range - 3F-0"),
    STEP("OPERATOR", "DEFSYS POINT 0-3F SW", "HCPDFS002E Invalid operand - SW"),
    STEP("OPERATOR", "DEFSYS POINT 0-3F EW MINSIZE=XK", "HCPDFS025E Storage missing or invalid - XK"),
    STEP("OPERATOR", "DEFSYS P 0-3 EW 3 EW", "HCPDFS9100E Named saved system P not defined: ranges overlap"),
    STEP("OPERATOR", "SAVESYS P X", "HCPNSS003E " EXTRA "X"),
    STEP("OPERATOR", "SAVESYS P", "HCPNSS9101E Named saved system P is not defined"),
    STEP("OPERATOR", "DEFSYS P 0-FFFF EW", "HCPNSD440I Named Saved System (NSS) P was successfully defined"),
    STEP("#2", "SAVESYS P", "HCPNSS9100E Named saved system P not saved: the machine's storage ends below its pages"),
    STEP("OPERATOR", "PURGE NSS P", "HCPNSS440I Named Saved System (NSS) P was successfully purged"),
    STEP("BOB", "DEFINE", "HCPDEF026E Operand missing or invalid"),
    STEP("BOB", "DEFINE CPU 2", "HCPDEF002E Invalid operand - CPU"),
    STEP("BOB", "DEFINE STORAGE", "HCPDST026E Operand missing or invalid"),
    STEP("BOB", "DEFINE STORAGE XM", "HCPDST025E Storage missing or invalid - XM"),
    STEP("BOB", "DEFINE STORAGE 8M", "HCPDST094E Storage size (8M) exceeds allowed maximum (4M)"),
    STEP("BOB", "DEFINE STORAGE 4M X", "HCPDST003E " EXTRA "X"),
    AFTER(lack_storage, "#1", "DEFINE STORAGE 4M", "HCPDST9012E Storage not changed; CP cannot give 4M"),
    STEP("BOB", "SLEEP X", "HCPSLP002E Invalid operand - X"),
    STEP("BOB", "SLEEP 1 SEC X", "HCPSLP003E " EXTRA "X"),
    STEP("BOB", "DISPLAY", "HCPCDB026E Operand missing or invalid"),
    STEP("BOB", "DISPLAY ZZ", "HCPCDB004E Invalid hexloc - ZZ"),
    STEP("BOB", "DISPLAY 0.1001", "HCPCDB009E Invalid range - 0.1001"),
    STEP("BOB", "DISPLAY 200000", "HCPCDB160E Hexloc 200000 exceeds storage"),
    STEP("BOB", "STORE 0", "HCPCDS026E Operand missing or invalid"),
    STEP("BOB", "STORE ZZ 00", "HCPCDS004E Invalid hexloc - ZZ"),
    STEP("BOB", "STORE 1000 123", "HCPCDS005E Invalid hexdata - 123"),
    STEP("BOB", "STORE 200000 00", "HCPCDS160E Hexloc 200000 exceeds storage"),
    STEP("BOB", "STORE RAX 1", "HCPCDS9028E Not stored; a machine cannot change its own RAX by a call"),
    STEP("BOB", "TRACE", "HCPTRC026E Operand missing or invalid"),
    STEP("BOB", "TRACE ALL ON", "HCPTRC002E Invalid operand - ALL"),
    STEP("BOB", "TRACE VMX ON X", "HCPTRC003E " EXTRA "X"),
    /* ---- shares ---- */
    STEP("BOB", "SET SHARE BOB RELATIVE 200", "HCPSHR9016E SET SHARE is for privilege class A"),
    STEP("BOB", "QUERY SHARE OPERATOR", "HCPSHR9016E QUERY SHARE for another user is for privilege class A or E"),
    STEP("OPERATOR", "SET SHARE", "HCPSHR020E Userid missing or invalid"),
    STEP("OPERATOR", "SET SHARE NOBODY RELATIVE 200", "HCPSHR045E NOBODY not logged on"),
    STEP("OPERATOR", "SET SHARE BOB", "HCPSHR026E Operand missing or invalid"),
    STEP("OPERATOR", "SET SHARE BOB RELATIVE 0", "HCPSHR002E Invalid operand - RELATIVE 0"),
    /* ---- the audit log ---- */
    STEP("BOB", "QUERY AUDIT", "HCPAUD9016E QUERY AUDIT is for privilege class C"),
    STEP("OPERATOR", "QUERY AUDIT NONE", "HCPAUD002E Invalid operand - NONE"),
    STEP("OPERATOR", "QUERY AUDIT 5 X", "HCPAUD003E " EXTRA "X"),
    /* ---- questions and settings ---- */
    STEP("BOB", "QUERY", "HCPCQR026E Operand missing or invalid"),
    STEP("BOB", "QUERY TIME X", "HCPCQR003E " EXTRA "X"),
    STEP("BOB", "QUERY PROCESSORS", "HCPCQU003E " EXTRA "PROCESSORS"),
    STEP("BOB", "QUERY NOBODY", "HCPQSU045E NOBODY not logged on"),
    STEP("BOB", "QUERY VIRTUAL 500", "HCPCQV040E Device 0500 does not exist"),
    STEP("BOB", "QUERY VIRTUAL NONSENSE", "HCPCQV002E Invalid operand - NONSENSE"),
    STEP("BOB", "QUERY LINES", "HCPCQV9047E Your machine has no line that DIAL reaches"),
    STEP("BOB", "QUERY LINKS", "HCPQLK022E A virtual device number was not supplied or it was invalid"),
    STEP("BOB", "QUERY LINKS 500", "HCPQLK040E Device 0500 does not exist"),
    STEP("BOB", "INDICATE LOAD X", "HCPIDL003E " EXTRA "X"),
    STEP("BOB", "INDICATE NOTHING", "HCPIDL002E Invalid operand - NOTHING"),
    STEP("BOB", "INDICATE USER ?", "HCPIDU020E Userid missing or invalid"),
    STEP("BOB", "INDICATE USER BOB X", "HCPIDU003E " EXTRA "X"),
    STEP("BOB", "INDICATE USER ALICE", "HCPIDU9016E INDICATE for another user is for privilege class E"),
    AFTER(add_class_e, "OPERATOR", "INDICATE USER MAINT", "HCPIDU045E MAINT not logged on"),
    STEP("BOB", "SET", "HCPCFS026E Operand missing or invalid"),
    STEP("BOB", "SET MSG MAYBE", "HCPCFS002E Invalid operand - MAYBE"),
    STEP("BOB", "SET MSG ON X", "HCPCFS003E " EXTRA "X"),
    AFTER(limit_nesting, "BOB", "SET NESTED MEMORY",
          "HCPCFS9018E NESTED MEMORY exceeds what your directory entry allows (TRAP)"),
    STEP("BOB", "TERMINAL LINESIZE", "HCPTRM026E Operand missing or invalid"),
    STEP("BOB", "TERMINAL LINESIZE 5", "HCPTRM002E Invalid operand - 5"),
    STEP("BOB", "TERMINAL LINESIZE 80 X", "HCPTRM003E " EXTRA "X"),
    /* ---- minidisks ---- */
    STEP("BOB", "DETACH", "HCPDTV022E A virtual device number was not supplied or it was invalid"),
    STEP("BOB", "DETACH 500", "HCPDTV040E Device 0500 does not exist"),
    STEP("OPERATOR", "DIRECTORY", "HCPDIR026E Operand missing or invalid"),
    STEP("OPERATOR", "DIRECTORY X", "HCPDIR002E Invalid operand - X"),
    STEP("OPERATOR", "DIRECTORY CHECK X", "HCPDIR003E " EXTRA "X"),
    STEP("BOB", "SNAPSHOT", "HCPSNP026E Operand missing or invalid"),
    STEP("BOB", "SNAPSHOT WHAT", "HCPSNP002E Invalid operand - WHAT"),
    STEP("BOB", "SNAPSHOT LIST", "HCPSNP022E A virtual device number was not supplied or it was invalid"),
    STEP("BOB", "SNAPSHOT LIST 191 X", "HCPSNP003E " EXTRA "X"),
    STEP("BOB", "SNAPSHOT TAKE 191 1ST", "HCPSNP9111E Snapshot name or number missing or invalid - 1ST"),
    STEP("ALICE", "SNAPSHOT LIST 191", "HCPSNP9110E 0191 has no snapshots: the directory gives it no room for them"),
    STEP("BOB", "SNAPSHOT LIST 190", "HCPSNP9110E 0190 has no snapshots: it is no minidisk of yours"),
    STEP("BOB", "SNAPSHOT DELETE 191 11/29/26", "HCPSNP9112E 0191 has no snapshot 11/29/26"),
    STEP("BOB", "SNAPSHOT TAKE 191 A", NULL),
    STEP("BOB", "SNAPSHOT TAKE 191 A", "HCPSNP9113E 0191: nothing was done, there is one of that name"),
    STEP("BOB", "SNAPSHOT LINK 191 A AS 391", NULL),
    STEP("BOB", "SNAPSHOT DELETE 191 A", "HCPSNP9113E 0191: nothing was done, the snapshot is LINKed; DETACH it first"),
    STEP("BOB", "DETACH 391", NULL),
    STEP("BOB", "LINK", "HCPLNM020E Userid missing or invalid"),
    STEP("BOB", "LINK MAINT", "HCPLNM022E A virtual device number was not supplied or it was invalid"),
    STEP("BOB", "LINK MAINT 190 292 RR x y", "HCPLNM003E " EXTRA "Y"),
    STEP("BOB", "LINK NOBODY 190 291", "HCPLNM053E NOBODY not in CP directory"),
    STEP("BOB", "LINK MAINT 999 291", "HCPLNM107E MAINT 0999 not linked; not in CP directory"),
    AFTER(take_volume, "BOB", "LINK MAINT 190 291 RR", "HCPLNM108E MAINT 0190 not linked; volid not mounted"),
    AFTER(put_volume, "BOB", "LINK MAINT 190 291 SR", "HCPLNM109E MAINT 0190 not linked; mode SR is not supported"),
    STEP("BOB", "LINK MAINT 190 190 RR", "HCPLNM110E MAINT 0190 not linked; 0190 already defined"),
    AFTER(fill_devices, "BOB", "LINK MAINT 190 500 RR",
          "HCPLNM9010E MAINT 0190 not linked; no room for another device"),
    AFTER(empty_devices, "BOB", "LINK ALICE 191 291 RR", "HCPLNM111E ALICE 0191 not linked; no read password"),
    STEP("BOB", "LINK ALICE 191 291 W", "HCPLNM112E ALICE 0191 not linked; no write password"),
    STEP("BOB", "LINK ALICE 191 291 MW", "HCPLNM113E ALICE 0191 not linked; no multiple password"),
    STEP("BOB", "LINK MAINT 190 291 W secret", "HCPLNM103E MAINT 0190 not linked; R/O by 2 users"),
    STEP("BOB", "LINK MAINT 190 291 WR secret", "HCPLNM102W DASD 0291 forced R/O; R/O by ALICE"),
    STEP("BOB", "DETACH 190 291", NULL),
    STEP("ALICE", "DETACH 190", NULL),
    STEP("ALICE", "LINK MAINT 190 190 W secret", NULL),
    STEP("BOB", "LINK MAINT 190 190 R", "HCPLNM104E MAINT 0190 not linked; R/W by ALICE"),
    STEP("BOB", "LINK MAINT 190 190 WR secret", "HCPLNM101W DASD 0190 forced R/O; R/W by ALICE"),
    STEP("BOB", "LINK MAINT 190 291 W wrong", "HCPLNM298E MAINT 0190 not linked; password incorrect"),
    STEP("BOB", "LINK MAINT 190 291 W wrong", NULL),
    STEP("BOB", "LINK MAINT 190 291 W wrong", NULL),
    STEP("BOB", "LINK MAINT 190 291 W secret", "HCPLNM115E LINK invalid; excessive incorrect passwords"),
    /* ---- networks ---- */
    STEP("OPERATOR", "QUERY NIC", "HCPQNI040E Device NIC does not exist"),
    STEP("OPERATOR", "COUPLE 600 TO SYSTEM NET1", "HCPCPL040E Device 0600 does not exist"),
    STEP("BOB", "COUPLE", "HCPCPL022E A virtual device number was not supplied or it was invalid"),
    STEP("BOB", "COUPLE 600 TO", "HCPCPL020E Userid missing or invalid"),
    STEP("BOB", "COUPLE 600 TO SYSTEM", "HCPCPL9125E LAN name missing or invalid - "),
    STEP("BOB", "COUPLE 600 TO SYSTEM NET1 X", "HCPCPL003E " EXTRA "X"),
    STEP("BOB", "COUPLE 600 TO SYSTEM NET2", "HCPCPL6011E You are not authorized to COUPLE to SYSTEM NET2"),
    STEP("BOB", "COUPLE 600 TO SYSTEM NET1", "HCPCPL9122E NIC 0600 is coupled already"),
    STEP("BOB", "UNCOUPLE 600 X", "HCPCPL003E " EXTRA "X"),
    STEP("BOB", "UNCOUPLE 600", NULL),
    STEP("BOB", "UNCOUPLE 600", "HCPCPL9121E NIC 0600 is not coupled"),
    STEP("BOB", "COUPLE 600 TO ALICE PLAY", "HCPCPL9120E LAN ALICE PLAY does not exist"),
    STEP("BOB", "UNCOUPLE 601", NULL),
    STEP("BOB", "COUPLE 601 TO SYSTEM NET1",
         "HCPCPL9123E NIC 0601 is not coupled to SYSTEM NET1: the address is another's there"),
    STEP("BOB", "DEFINE LAN PLAY", "HCPDEF9124E LAN PLAY is not created: your directory entry allows none"),
    STEP("BOB", "DEFINE LAN", "HCPDEF9125E LAN name missing or invalid - "),
    STEP("BOB", "DEFINE LAN A B", "HCPDEF003E " EXTRA "B"),
    STEP("BOB", "DETACH LAN PLAY", "HCPDTV9120E LAN BOB PLAY does not exist"),
    STEP("BOB", "DETACH LAN ?", "HCPDTV9125E LAN name missing or invalid - ?"),
    STEP("BOB", "DETACH LAN A B", "HCPDTV003E " EXTRA "B"),
    STEP("BOB", "QUERY LAN TOOLONGNAME", "HCPQLN9125E LAN name missing or invalid - TOOLONGNAME"),
    STEP("BOB", "QUERY LAN NONE", "HCPQLN9127E There is no LAN for you"),
    STEP("BOB", "QUERY NIC ZZ", "HCPQNI022E A virtual device number was not supplied or it was invalid"),
    /* ---- the spool ---- */
    STEP("BOB", "SPOOL", "HCPCSP026E Operand missing or invalid"),
    STEP("BOB", "SPOOL TAPE", "HCPCSP006E Invalid device type - TAPE"),
    STEP("BOB", "SPOOL PUN WHAT", "HCPCSP002E Invalid operand - WHAT"),
    STEP("BOB", "SPOOL PUN CLASS *", "HCPCSP028E Class missing or invalid"),
    STEP("BOB", "SPOOL PUN COPY 256", "HCPCSP030E Copies missing or invalid"),
    STEP("BOB", "SPOOL PUN TO ?", "HCPCSP020E Userid missing or invalid"),
    STEP("BOB", "SPOOL PUN TO NOBODY", "HCPCSP053E NOBODY not in CP directory"),
    AFTER(close_maint, "BOB", "SPOOL PUN TO MAINT", "HCPCSP9081E MAINT takes no files from you"),
    STEP("BOB", "CLOSE PUN WHAT", "HCPCSP002E Invalid operand - WHAT"),
    STEP("BOB", "CLOSE PUN NAME", "HCPCSP029E Filename missing or invalid"),
    STEP("BOB", "CLOSE PUN NAME A B X", "HCPCSP003E " EXTRA "X"),
    STEP("BOB", "TAG", "HCPCST026E Operand missing or invalid"),
    STEP("BOB", "TAG WHAT", "HCPCST002E Invalid operand - WHAT"),
    STEP("BOB", "TAG FILE X", "HCPCST027E Spoolid missing or invalid"),
    STEP("BOB", "TAG FILE 99", "HCPCST042E Spoolid 0099 does not exist"),
    STEP("BOB", "TAG QUERY DEV PUN X", "HCPCST003E " EXTRA "X"),
    STEP("BOB", "PURGE RDR", "HCPCSU027E Spoolid missing or invalid"),
    STEP("BOB", "PURGE RDR 99", "HCPCSU042E Spoolid 0099 does not exist"),
    STEP("BOB", "PURGE RDR ALL X", "HCPCSU003E " EXTRA "X"),
    STEP("BOB", "CHANGE RDR ALL", "HCPCSU026E Operand missing or invalid"),
    STEP("BOB", "CHANGE RDR ALL WHAT", "HCPCSU002E Invalid operand - WHAT"),
    STEP("BOB", "CHANGE RDR ALL NAME", "HCPCSU029E Filename missing or invalid"),
    STEP("BOB", "TRANSFER RDR ALL FROM NOBODY", "HCPCSU053E NOBODY not in CP directory"),
    STEP("BOB", "TRANSFER RDR ALL TO BOB", "HCPCSU020E Userid missing or invalid"),
    STEP("BOB", "PURGE ALICE RDR ALL", "HCPCSU006E Invalid device type - ALICE"),
    STEP("BOB", "QUERY RDR ALICE", "HCPCQS003E " EXTRA "ALICE"),
    STEP("BOB", "QUERY UR X", "HCPCQR003E " EXTRA "X"),
    STEP("BOB", "QUERY FILES X", "HCPCQS003E " EXTRA "X"),
    STEP("BOB", "QUERY TAG DEV PUN X", "HCPCST003E " EXTRA "X"),
    AFTER(add_class_d, "OPERATOR", "QUERY RDR NOBODY", "HCPCQS053E NOBODY not in CP directory"),
    STEP("OPERATOR", "QUERY RDR ?", "HCPCQS020E Userid missing or invalid"),
    STEP("OPERATOR", "TRANSFER BOB RDR ALL FROM ALICE", "HCPCSU053E FROM not in CP directory"),
    STEP("BOB", "QUERY RDR ALL X", "HCPCQS003E " EXTRA "X"),
    AFTER(take_spool, "BOB", "QUERY RDR", "HCPCQS9080E There is no spool: the directory gives it no area of a volume"),
    AFTER(put_spool, "BOB", "QUERY RDR", NULL),
    AFTER(send_file, "BOB", "QUERY RDR", NULL),
    AFTER(open_file, "BOB", "PURGE RDR 1", "HCPCSU9085E Spool file 0001 is being read"),
    STEP("BOB", "CLOSE RDR KEEP", NULL),
    AFTER(break_volume, "BOB", "CHANGE RDR 1 HOLD", "HCPCSU9083E Not kept: the volume failed"),
    AFTER(mend_volume, "BOB", "PURGE RDR 1", NULL),
    /* ---- words to others ---- */
    STEP("BOB", "MESSAGE", "HCPMFS020E Userid missing or invalid"),
    STEP("BOB", "MESSAGE ALICE", "HCPMFS026E Operand missing or invalid"),
    STEP("BOB", "MESSAGE MAINT x", "HCPMFS045E MAINT not logged on"),
    STEP("BOB", "MESSAGE ALL x", "HCPMFS9016E MESSAGE ALL is for privilege class A, B or C"),
    STEP("ALICE", "SET MSG OFF", NULL),
    STEP("BOB", "MESSAGE ALICE x", "HCPMFS057I ALICE not receiving; MSG OFF"),
    STEP("BOB", "SMSG", "HCPMFS020E Userid missing or invalid"),
    STEP("BOB", "SMSG ALICE x", "HCPMFS057I ALICE not receiving; SMSG OFF"),
    STEP("OPERATOR", "SEND", "HCPSND020E Userid missing or invalid"),
    STEP("OPERATOR", "SEND MAINT x", "HCPSND045E MAINT not logged on"),
    STEP("OPERATOR", "SEND ALICE x", "HCPSND9046E ALICE is at a terminal"),
    /* ---- coming and going ---- */
    STEP("BOB", "LOGON", "HCPLGA020E Userid missing or invalid"),
    STEP("BOB", "LOGON BOB secret",
          "HCPLGA9017E After the user ID LOGON takes HERE and NOIPL only; the password is asked for"),
    STEP("BOB", "LOGON BOB", "HCPLGA054E Already logged on L0002"),
    STEP("BOB", "LOGOFF X", "HCPLOG003E " EXTRA "X"),
    STEP("BOB", "DISCONNECT X", "HCPDIS003E " EXTRA "X"),
    STEP("OPERATOR", "FORCE", "HCPFRC020E Userid missing or invalid"),
    STEP("OPERATOR", "FORCE BOB X", "HCPFRC003E " EXTRA "X"),
    STEP("OPERATOR", "FORCE MAINT", "HCPFRC045E MAINT not logged on"),
    STEP("OPERATOR", "SHUTDOWN X", "HCPSHU003E " EXTRA "X"),
    STEP("BOB", "XAUTOLOG", "HCPXAL020E Userid missing or invalid"),
    STEP("BOB", "XAUTOLOG MAINT X", "HCPXAL003E " EXTRA "X"),
    STEP("BOB", "XAUTOLOG NOBODY", "HCPXAL053E NOBODY not in CP directory"),
    STEP("BOB", "XAUTOLOG MAINT", "HCPXAL9024E You are not authorized to XAUTOLOG MAINT"),
    STEP("OPERATOR", "XAUTOLOG BOB", "HCPXAL9023E BOB is already logged on"),
    AFTER(fill_sessions, "OPERATOR", "XAUTOLOG MAINT", "HCPXAL9025E CP has no room for another session"),
    AFTER(lack_room, "#2", "XAUTOLOG MAINT",
          "HCPXAL9022E LOGON unsuccessful--CP has no storage for the machine of MAINT"),
    STEP("OPERATOR", "FORCE ALICE", NULL),
    STEP("OPERATOR", "FORCE ALICE", "HCPFRC361E LOGOFF/FORCE pending for user ALICE"),
    STEP("#1", "DISCONNECT", NULL),
    STEP("BOB", "DISCONNECT", "HCPDIS9027E Command not valid without a terminal: DISCONNECT"),
    /* ---- before LOGON ---- */
    STEP("#0", "QUERY NAMES", "HCPCFC015E Command not valid before LOGON: QUERY"),
    STEP("#0", "MESSAGE ALICE x", "HCPMFS015E Command not valid before LOGON: MSG"),
    STEP("#0", "DIAL", "HCPDIA020E Userid missing or invalid"),
    STEP("#0", "DIAL BOB ZZ", "HCPDIA022E A virtual device number was not supplied or it was invalid"),
    STEP("#0", "DIAL BOB 2F8 X", "HCPDIA003E " EXTRA "X"),
    STEP("#0", "DIAL BOB", "HCPDIA055E Line(s) not available on BOB"),
    STEP("#0", "UNDIAL", "HCPCFC9029E UNDIAL is not valid now; the terminal is not dialed to a machine"),
    AFTER(take_calls, "#0", "DIAL BOB", NULL),
    STEP("#1", "DIAL BOB 2F8", "HCPDIA056E Line 02F8 busy on BOB"),
    STEP("#0", "#CP UNDIAL X", "HCPUND003E " EXTRA "X"),
    STEP("#0", "#CP UNDIAL", NULL),
    STEP("BOB", "RESET 2F9", "HCPRST040E Device 2F9 does not exist"),
    AFTER(wait_long, "#0", "LOGON ALICE\rwrong", "HCPLGA050E LOGON unsuccessful--incorrect userid and/or password"),
    AFTER(wait_long, "#0", "LOGON ALICE\rvmn",
          "HCPLGA9021W 1 unsuccessful attempt to log on as ALICE since the last LOGON"),
    STEP("#0", "#CP LOGOFF", NULL),
    AFTER(lack_machine, "#0", "LOGON ALICE\rvmn",
          "HCPLGA9022E LOGON unsuccessful--CP has no storage for the machine of ALICE"),
};

/* Messages no command line of the scene gives, and the test that has them said. */
static const struct {
    const char *module;
    unsigned number;
    const char *test;
} elsewhere[] = {
    /* a machine that stops */
    {"GIR", 450, "tests/unit/session_life_test.c"},  {"GIR", 451, "tests/unit/session_life_test.c"},
    {"GIR", 453, "tests/unit/session_life_test.c"},  {"GIR", 2629, "tests/unit/session_life_test.c"},
    {"GIR", 9001, "tests/unit/session_life_test.c"}, {"GIR", 9002, "tests/unit/session_life_test.c"},
    {"GIR", 9003, "tests/unit/session_life_test.c"}, {"GIR", 9004, "tests/unit/session_life_test.c"},
    {"GIR", 9005, "tests/unit/session_life_test.c"}, {"GIR", 9006, "tests/unit/session_life_test.c"},
    {"GIR", 9007, "tests/unit/session_life_test.c"}, {"GIR", 9008, "tests/unit/session_life_test.c"},
    {"GIR", 9009, "tests/unit/session_life_test.c"},
    /* a machine upon another */
    {"GIR", 9042, "tests/unit/session_stack_test.c"}, {"SYS", 9042, "tests/unit/session_stack_test.c"},
    /* the audit log, whose disk the test has for itself */
    {"AUD", 9070, "tests/unit/command_audit_test.c"}, {"AUD", 9071, "tests/unit/command_audit_test.c"},
    {"AUD", 9072, "tests/unit/command_audit_test.c"}, {"AUD", 9073, "tests/unit/command_audit_test.c"},
    {"NSS", 9102, "tests/system/test_savesys.py"},
    {"SNP", 9114, "tests/system/test_snapshot.py"},
    /* a machine without storage for its NICs */
    {"CPL", 9126, "tests/unit/command_lan_test.c"},
    /* a line that is too long */
    {"CFC", 9045, "tests/unit/session_typing_test.c"},
    /* a line that is entered at another's console */
    {"SND", 57, "tests/unit/session_sent_test.c"}, {"SND", 361, "tests/unit/session_sent_test.c"},
    /* a terminal after too many wrong passwords */
    {"LGA", 9020, "tests/unit/session_life_test.c"},
    {"LGA", 53, "tests/unit/session_visitor_test.c"},
    /* a terminal where nothing is typed */
    {"TMO", 9090, "tests/unit/session_visitor_test.c"}, {"TMO", 9091, "tests/unit/session_visitor_test.c"},
    {"TMO", 9092, "tests/unit/session_visitor_test.c"},
    /* a directory or volume that is not as it should be, at CP's start */
    {"DIR", 9030, "tests/unit/session_start_test.c"}, {"DIR", 9031, "tests/unit/session_start_test.c"},
    {"DIR", 9032, "tests/unit/session_start_test.c"}, {"DIR", 9033, "tests/unit/session_start_test.c"},
    /* a directory that is replaced, and a password that was being hashed meanwhile */
    {"DIR", 9035, "tests/unit/session_replace_test.c"}, {"DIR", 9036, "tests/unit/session_replace_test.c"},
    {"DIR", 9037, "tests/unit/session_replace_test.c"}, {"DIR", 9038, "tests/unit/session_replace_test.c"},
    {"DIR", 9039, "tests/unit/session_replace_test.c"}, {"LNM", 9088, "tests/unit/session_replace_test.c"},
    /* a system that is offered already, and a disk that fails */
    {"ISU", 9034, "tests/system/test_hosts.py"}, {"ERP", 9060, "tests/unit/session_operator_test.c"},
    /* a CP that ends, or does not begin */
    {"DMP", 908, "tests/system/test_machine_check.py"}, {"ISU", 951, "tests/system/test_hosts.py"},
    /* a program that fails at VMX */
    {"VMX", 9040, "tests/unit/command_text_test.c"},  {"VMX", 9041, "tests/unit/command_text_test.c"},
    /* a processor that reports errors */
    {"MCK", 9050, "tests/system/test_machine_check.py"},
    /* the host's line */
    {"HST", 27, "tests/unit/host_request_test.c"}, {"HST", 28, "tests/unit/host_request_test.c"},
    {"HST", 29, "tests/unit/host_request_test.c"}, {"HST", 42, "tests/unit/host_request_test.c"},
    {"HST", 53, "tests/unit/host_request_test.c"}, {"HST", 9080, "tests/unit/host_request_test.c"},
    {"HST", 9082, "tests/unit/host_request_test.c"}, {"HST", 9083, "tests/unit/host_request_test.c"},
    {"HST", 9085, "tests/unit/host_request_test.c"}, {"HST", 9086, "tests/unit/host_request_test.c"},
    {"HST", 9087, "tests/unit/host_request_test.c"},
    /* a spool that is not what it was */
    {"SPL", 9082, "tests/unit/diagnose_spool_test.c"}, {"SPL", 9084, "tests/unit/session_start_test.c"},
};

static void note_given(const char *module, unsigned number)
{
    assert_true(givens < sizeof given / sizeof *given && number < 10000);
    seen[number] = true;
    snprintf(given[givens++], sizeof *given, "%.3s%u", module, number);
}

static bool is_given(const char *module, unsigned number)
{
    char text[8];
    snprintf(text, sizeof text, "%.3s%u", module, number);
    for (unsigned i = 0; i < givens; i++)
        if (!strcmp(given[i], text))
            return true;
    return false;
}

static void note_texts(const char *shows)
{
    regmatch_t found[3];
    regex_t message;
    assert_int_equal(regcomp(&message, "HCP([A-Z]{3})([0-9]{3,4})[IWE] ", REG_EXTENDED), 0);
    for (; !regexec(&message, shows, 3, found, 0); shows += found[0].rm_eo)
        note_given(shows + found[1].rm_so, (unsigned)strtoul(shows + found[2].rm_so, NULL, 10));
    regfree(&message);
}

/* False: it does not give its message. */
static bool take_step(const struct step *s)
{
    const char *shows = answer;
    char line[64], whole[160];
    if (s->before)
        s->before();
    snprintf(line, sizeof line, "%s\r", s->line);
    if (*s->who == '#')
        type((unsigned)s->who[1] - '0', line), wait_long(), shows = shown((unsigned)s->who[1] - '0');
    else
        run(s->who, s->line);
    snprintf(whole, sizeof whole, "%s%s\n", s->text ? s->text : "", *s->who == '#' ? "\r" : "");
    note_texts(shows);
    bool is_shown = !s->text || strstr(shows, whole);
    if (!is_shown)
        print_error("%s: expected \"%s\", it shows:\n%s\n", s->line, s->text, shows);
    return is_shown;
}

static void each_command_line_gives_its_message(void **state)
{
    bool all = true;
    (void)state;
    for (const struct step *s = steps; s < steps + sizeof steps / sizeof *steps; s++)
        all &= take_step(s);
    assert_true(all);
}

static void what_no_command_line_gives_is_asked_for_by_another_test(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        char code[16];
        const struct message *m = message_find(elsewhere[i].number);
        snprintf(code, sizeof code, "HCP%s%03u%c", elsewhere[i].module, m->number, m->severity);
        sources_read(elsewhere[i].test);
        if (!strstr(sources, code))
            fail_msg("%s has no %s", elsewhere[i].test, code);
        sources_forget(NULL);
        if (is_given(elsewhere[i].module, m->number))
            fail_msg("%s is given here", code);
        note_given(elsewhere[i].module, m->number);
    }
}

static void every_message_of_the_table_is_given(void **state)
{
    (void)state;
    for (unsigned number = 1; number < 10000; number++)
        if (message_lookup(number) && !seen[number])
            fail_msg("nothing gives message %u", number);
}

/* Where a module gives a message by its number; a module that reads operands gives what their readers do. */
static void every_module_gives_all_its_messages(void **state)
{
    static const struct {
        const char *pattern;
        unsigned number; /* 0: as matched */
    } ways[] = {
        {"(FAIL\\(|error\\()[^\"]*\"([A-Z]{3})\", ([0-9]+)[,)]", 0}, {"(call_end)\\([a-z&]+, \"([A-Z]{3})\"\\)()", 3},
        {"(call_userid)\\([a-z]+, \"([A-Z]{3})\"()", 20},            {"(call_vdev)\\([a-z]+, \"([A-Z]{3})\"()", 22},
    };
    static const char *const ends[] = {".c", NULL};
    unsigned pairs = 0, missing = 0;
    (void)state;
    sources_read_all("cp", true, "", ends, NULL);
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        regmatch_t found[4];
        regex_t way;
        assert_int_equal(regcomp(&way, ways[i].pattern, REG_EXTENDED), 0);
        for (const char *at = sources; !regexec(&way, at, 4, found, 0); at += found[0].rm_eo, pairs++) {
            unsigned number = ways[i].number ? ways[i].number : (unsigned)strtoul(at + found[3].rm_so, NULL, 10);
            if (is_given(at + found[2].rm_so, number))
                continue;
            print_error("%.*s: no step has this message\n", (int)(found[0].rm_eo - found[0].rm_so),
                        at + found[0].rm_so);
            missing++;
        }
        regfree(&way);
    }
    sources_forget(NULL);
    assert_int_equal(missing, 0);
    assert_true(pairs > 100);
}

/* Under the code that was shown, without the module, and by its number alone. */
static void every_message_has_help_under_its_code(void **state)
{
    static const char *const forms[] = {"HELP HCPXXX%03u%c", "HELP HCP%03u%c", "HELP %u%c", "HELP %u"};
    everybody(state);
    for (unsigned number = 1; number < 10000; number++)
        for (unsigned i = 0; message_lookup(number) && i < sizeof forms / sizeof *forms; i++) {
            const struct message *m = message_lookup(number);
            char line[32], head[16];
            snprintf(line, sizeof line, forms[i], number, m->severity);
            snprintf(head, sizeof head, "HCP...%03u%c ", number, m->severity);
            assert_answer("BOB", line, 0, head);
            assert_ptr_equal(strstr(answer, head), answer);
            assert_non_null(strstr(answer, m->help));
            if (sources_width(m->help) > 79)
                fail_msg("the help of %u is wider than a terminal", number);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_command_line_gives_its_message, everybody),
        cmocka_unit_test(what_no_command_line_gives_is_asked_for_by_another_test),
        cmocka_unit_test(every_message_of_the_table_is_given),
        cmocka_unit_test(every_module_gives_all_its_messages),
        cmocka_unit_test(every_message_has_help_under_its_code),
    };
    scene_snapshots = scene_nics = true;
    scene_begin();
    system_register("BAD", "no system", 9);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
