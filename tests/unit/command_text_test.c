/* CP's commands: their texts, return codes, classes and abbreviations. */
#include "tests/unit/command_scene.h"

#include "cp/message/message.h"
#include "cp/minidisk/link.h"
#include "nest/nest.h"
#include "tests/unit/sources.h"

static void an_unknown_command_is_told_from_one_of_another_class(void **state)
{
    (void)state;
    assert_answer("BOB", "frobnicate x", 1, "HCPCMD001E Unknown CP command: FROBNICATE\n");
    assert_answer("BOB", "SHUTDOWN", 9016, "HCPCMD9016E SHUTDOWN is for privilege class A\n");
    assert_answer("BOB", "FORCE ALICE", 9016, "HCPCMD9016E FORCE is");
    assert_answer("BOB", "WNG ALICE x", 9016, "HCPCMD9016E WNG is for privilege class A, B or C\n");
    assert_answer("OPERATOR", "SHUTDOW", 1, "HCPCMD001E");
    assert_int_equal(run("BOB", "   "), 0);
    assert_string_equal(answer, "");
}

static void a_comment_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(run("BOB", "* anything"), 0);
    assert_int_equal(run("BOB", "CP *"), 0);
    assert_int_equal(run("BOB", "#CP *LOGOFF"), 0);
    assert_string_equal(answer, "");
    assert_non_null(vm_of("BOB"));
    scene_reset(state);
    type(0, "* before LOGON\r");
    assert_shows(0, "* before LOGON\r\nCP> ");
}

static void before_logon_few_commands_are_valid(void **state)
{
    scene_reset(state);
    type(0, "QUERY NAMES\r");
    assert_shows(0, "HCPCFC015E Command not valid before LOGON: QUERY\r\nCP> ");
    type(0, "LOGON\r");
    assert_shows(0, "HCPLGA020E Userid missing or invalid");
    type(0, "LOGON ALICE vMn\r");
    assert_shows(0, "LOGON ALICE vMn\r\nHCPLGA9017E After the user ID LOGON takes HERE and NOIPL only; the password is "
                    "asked for\r\nCP> ");
    type(0, "LOGON ALICE HERE vMn\r");
    assert_shows(0, "HCPLGA9017E");
    type(0, "HELP SHUTDOWN\r");
    assert_shows(0, "Logs everybody off");
    type(0, "HELP\r");
    assert_shows(0, "LOGON userid [HERE] [NOIPL]");
}

static void abbreviations_are_zvms(void **state)
{
    (void)state;
    assert_answer("BOB", "q userid", 0, "BOB      AT VMN\n");
    assert_answer("BOB", "cp Query UserID", 0, "BOB      AT VMN\n");
    assert_answer("BOB", "#cp q n", 0, "ALICE");
    assert_answer("BOB", "ind u", 0, "USERID=BOB");
    assert_answer("BOB", "DI", 26, "HCPCDB026E"); /* DISPLAY, not DISCONNECT */
    assert_answer("BOB", "FORC X", 1, "HCPCMD001E");
}

static void query_names_time_and_level(void **state)
{
    (void)state;
    assert_answer("BOB", "QUERY NAMES", 0, "ALICE    - L0001");
    assert_answer("BOB", "QUERY NAMES", 0, "BOB      - L0002");
    assert_answer("BOB", "QUERY USERS", 0, "3 USERS, 0 DIALED\n");
    assert_answer("BOB", "QUERY ALICE", 0, "ALICE    - L0001\n");
    assert_answer("BOB", "QUERY MAINT", 45, "HCPQSU045E MAINT not logged on\n");
    assert_answer("BOB", "QUERY NOBODY", 45, "HCPQSU045E NOBODY not logged on\n"); /* no word of QUERY either */
    assert_answer("BOB", "QUERY PROCESSORS", 3, "HCPCQU003E Invalid option");
    assert_answer("BOB", "QUERY TIME", 0, " UTC SATURDAY 11/21/26\nCONNECT= 00:0");
    assert_answer("BOB", "QUERY CPLEVEL", 0,
                  "VM/N Version 1 Release 0, service level 0000 (64-bit)\nIPL at 14:05:31 UTC SATURDAY 11/21/26\n");
    assert_answer("BOB", "QUERY TIME X", 3, "HCPCQR003E");
    assert_answer("BOB", "QUERY", 26, "HCPCQR026E Operand missing or invalid\n");
    assert_answer("BOB", "QUERY NSS", 0, "TEST          36      1      1  A\n");
}

static void query_virtual_shows_the_machine(void **state)
{
    (void)state;
    assert_answer("ALICE", "QUERY VIRTUAL STORAGE", 0, "STORAGE = 2M\n");
    assert_answer("ALICE", "Q V 191", 0, "DASD 0191 9336 VMN001 R/W        800 BLK ALICE 0191\n");
    assert_answer("ALICE", "Q 190", 0, "DASD 0190 9336 VMN001 R/O        800 BLK MAINT 0190\n");
    assert_answer("ALICE", "Q V DASD", 0, "DASD 0190 ");
    assert_answer("ALICE", "Q V CONS", 0, "CONS 03F8 ON L0001     NS16550 TERM START\n");
    vm_of("ALICE")->config.uarts = 3;
    vm_of("ALICE")->machine.uart[2].modem_control = UART_MCR_DTR;
    assert_answer("ALICE", "Q V LINES", 0, "LINE 02F8 DISABLED     NS16550\nLINE 03E8 ENABLED      NS16550\n");
    assert_answer("ALICE", "Q V", 0, "TERM START\nLINE 02F8 DISABLED     NS16550\nLINE 03E8");
    assert_answer("ALICE", "Q LINES X", 3, "HCPCQR003E");
    vm_of("ALICE")->config.uarts = 1;
    assert_answer("ALICE", "Q V CPUS", 0, "CPU 00  ID  ALICE    (BASE) X86-64 RUNNING\n");
    assert_answer("ALICE", "Q V", 0, "STORAGE = 2M\nCPU 00");
    assert_answer("ALICE", "Q V ISA", 40, "HCPCQV040E Device ISA does not exist\n");
    vm_of("ALICE")->config.grants = 1 << GRANT_DEBUG_EXIT;
    assert_answer("ALICE", "Q V ISA", 0, "ISA  00F4 DEBUG-EXIT\nISA  00E9 DEBUG-CONSOLE\n");
    assert_answer("ALICE", "Q V", 0, "BLK ALICE 0191\nRDR  000C");
    assert_answer("ALICE", "Q V", 0, "PRT FOR ALICE\nISA  00F4");
    vm_of("ALICE")->config.grants = 0;
    assert_answer("ALICE", "Q V 500", 40, "HCPCQV040E Device 0500 does not exist\n");
    assert_answer("ALICE", "Q V NONSENSE", 2, "HCPCQV002E Invalid operand - NONSENSE\n");
    assert_answer("ALICE", "Q STOR", 0, "STORAGE = 2M\n");
    assert_answer("OPERATOR", "Q STOR", 0, "STORAGE = 63M FRAMES = 16383 FREE = ");
}

static void settings_are_set_and_shown(void **state)
{
    (void)state;
    assert_answer("BOB", "Q SET", 0, "MSG ON  , WNG ON  , EMSG ON  , IMSG ON  , SMSG OFF , RUN OFF \nNESTED MEMORY");
    assert_int_equal(run("BOB", "SET MSG OFF"), 0);
    assert_int_equal(run("BOB", "SET RUN ON"), 0);
    assert_int_equal(run("BOB", "SET EMSG TEXT"), 0);
    assert_answer("BOB", "Q SET", 0, "MSG OFF , WNG ON  , EMSG TEXT, IMSG ON  , SMSG OFF , RUN ON");
    assert_answer("BOB", "NONE", 1, "Unknown CP command: NONE\n");
    assert_null(strstr(answer, "HCP"));
    run("BOB", "SET EMSG CODE");
    assert_int_equal(run("BOB", "NONE"), 1);
    assert_string_equal(answer, "HCPCMD001E\n");
    run("BOB", "SET EMSG OFF");
    assert_int_equal(run("BOB", "NONE"), 1);
    assert_string_equal(answer, "");
    run("BOB", "SET EMSG ON");
    assert_answer("BOB", "SET MSG MAYBE", 2, "HCPCFS002E Invalid operand - MAYBE\n");
    assert_answer("BOB", "SET NESTED MAYBE", 2, "HCPCFS002E");
    struct user *bob = &session_find("BOB")->own;
    bob->machine.nesting = NEST_TRAP;
    assert_answer("BOB", "SET NESTED MEMORY", 9018,
                  "HCPCFS9018E NESTED MEMORY exceeds what your directory entry allows (TRAP)\n");
    assert_int_equal(run("BOB", "SET NESTED TRAP"), 0);
    bob->machine.nesting = NEST_MEMORY;
    assert_int_equal(run("BOB", "SET NESTED OFF"), 0);
    assert_answer("BOB", "Q SET", 0, "NESTED OFF   ");
    assert_int_equal(vm_of("BOB")->config.nesting, NEST_MEMORY); /* till its next reset */
    type(1, "SYSTEM RESET\r");
    assert_int_equal(vm_of("BOB")->config.nesting, NEST_OFF);
    assert_answer("BOB", "SET", 26, "HCPCFS026E");
}

static void messages_reach_those_who_receive_them(void **state)
{
    (void)state;
    assert_int_equal(run("ALICE", "MSG BOB Hello  World"), 0);
    turn();
    assert_shows(1, "  * MSG FROM ALICE   : Hello  World\r\n");
    assert_answer("OPERATOR", "MSGNOH BOB the answer", 0, "");
    turn();
    assert_shows(1, "the answer\r\n");
    assert_answer("ALICE", "MSGNOH BOB x", 9016, "HCPCMD9016E MSGNOH is for privilege class B\n");
    assert_int_equal(run("ALICE", "MSG OP I need a disk"), 0);
    turn();
    assert_shows(2, "  * MSG FROM ALICE   : I need a disk\r\n");
    assert_answer("ALICE", "M O hi", 45, "HCPMFS045E O not logged on\n");
    assert_answer("ALICE", "M MAINT hi", 45, "HCPMFS045E MAINT not logged on\n");
    assert_answer("ALICE", "M BOB", 26, "HCPMFS026E");
    assert_answer("ALICE", "M toolonguser hi", 20, "HCPMFS020E Userid missing or invalid\n");
    run("BOB", "SET MSG OFF");
    assert_answer("ALICE", "M BOB hi", 57, "HCPMFS057I BOB not receiving; MSG OFF\n");
    assert_int_equal(run("OPERATOR", "WARNING BOB fire"), 0);
    turn();
    assert_shows(1, "  * WNG FROM OPERATOR: fire\r\n");
    assert_int_equal(run("OPERATOR", "MSG ALL all of you"), 0);
    turn();
    assert_shows(0, "all of you");
    assert_answer("ALICE", "M ALL x", 9016, "HCPMFS9016E MESSAGE ALL is for privilege class A, B or C\n");
    type(1, "DISC\r");
    assert_answer("ALICE", "M BOB hi", 57, "HCPMFS057I BOB not receiving; disconnected\n");
}

static void link_follows_zvms_rules(void **state)
{
    (void)state;
    assert_answer("BOB", "LINK MAINT 190 290 RR", 0, "");
    assert_answer("BOB", "Q V 290", 0, "DASD 0290 9336 VMN001 R/O");
    assert_answer("BOB", "LINK TO MAINT 190 AS 290 RR", 110,
                  "HCPLNM110E MAINT 0190 not linked; 0290 already defined\n");
    assert_answer("BOB", "LINK NOBODY 190 291", 53, "HCPLNM053E NOBODY not in CP directory\n");
    assert_answer("BOB", "LINK MAINT 999 291", 107, "HCPLNM107E MAINT 0999 not linked; not in CP directory\n");
    assert_answer("BOB", "LINK MAINT 190 291 SR", 109, "HCPLNM109E MAINT 0190 not linked; mode SR is not supported\n");
    assert_answer("BOB", "LINK ALICE 191 291 RR", 111, "HCPLNM111E ALICE 0191 not linked; no read password\n");
    assert_answer("BOB", "LINK MAINT 190 291 MR", 113, "HCPLNM113E");
    assert_answer("BOB", "LINK MAINT 190 291 W secret", 103, "HCPLNM103E MAINT 0190 not linked; R/O by 3 users\n");
    assert_answer("BOB", "LINK MAINT 190 291 WR PASS=secret", 102, "HCPLNM102W DASD 0291 forced R/O; R/O by ALICE\n");
    assert_answer("BOB", "LINK MAINT 190", 22, "HCPLNM022E");
    assert_answer("BOB", "LINK MAINT 190 292 RR x y", 3, "HCPLNM003E");
    assert_answer("BOB", "DETACH 290 291", 0, "DASD 0290 DETACHED\nDASD 0291 DETACHED\n");
    assert_answer("BOB", "DET 290", 40, "HCPDTV040E Device 0290 does not exist\n");
}

static void a_writer_is_seen_by_others(void **state)
{
    (void)state;
    run("ALICE", "DETACH 190");
    run("BOB", "DETACH 190");
    assert_answer("ALICE", "LINK MAINT 190 190 W secret", 0, "DASD 0190 LINKED R/W\n");
    assert_answer("BOB", "LINK MAINT 190 190 R", 104, "HCPLNM104E MAINT 0190 not linked; R/W by ALICE\n");
    assert_answer("BOB", "LINK MAINT 190 190 RR", 0, "DASD 0190 LINKED R/O; R/W by 1 user\n");
    assert_answer("ALICE", "QUERY LINKS 190", 0, "ALICE    0190 R/W\nBOB      0190 R/O\n");
    assert_answer("ALICE", "QUERY LINKS 555", 40, "HCPQLK040E");
}

static void storage_is_redefined_within_the_maximum(void **state)
{
    (void)state;
    assert_answer("BOB", "DEFINE STORAGE 8M", 94, "HCPDST094E Storage size (8M) exceeds allowed maximum (4M)\n");
    assert_answer("BOB", "DEF STOR XM", 25, "HCPDST025E Storage missing or invalid - XM\n");
    assert_answer("BOB", "DEF STOR 99999999999999999999M", 25, "HCPDST025E");
    assert_answer("BOB", "DEF STOR 4", 25, "HCPDST025E");
    assert_answer("BOB", "DEF CPU 2", 2, "HCPDEF002E");
    type(1, "DEFINE STORAGE 4M\r");
    assert_shows(1, "STORAGE = 4M\r\nStorage cleared - system reset.\r\nCP> ");
    assert_answer("BOB", "Q V STOR", 0, "STORAGE = 4M\n");
}

static void machine_control(void **state)
{
    (void)state;
    assert_answer("BOB", "IPL NONE", 9014, "HCPNSS9014E Named saved system NONE does not exist\n");
    assert_answer("BOB", "IPL", 26, "HCPVMI026E");
    assert_answer("BOB", "IPL TEST CLEAR X", 3, "HCPVMI003E");
    assert_answer("BOB", "SYSTEM RESTART", 9013, "HCPSYS9013E No system has been IPLed\n");
    assert_answer("BOB", "SYSTEM END X", 3, "HCPSYS003E ");
    type(1, "IPL TEST CLEAR PARM one two\r");
    assert_int_equal(vm_of("BOB")->state, VM_RUNNABLE);
    type(1, "#CP SYSTEM RESET\r");
    assert_shows(1, "System reset.\r\nCP> ");
    assert_int_equal(vm_of("BOB")->state, VM_STOPPED);
    type(1, "SYSTEM RESTART\r");
    assert_int_equal(vm_of("BOB")->state, VM_RUNNABLE);
    type(1, "#CP SYSTEM CLEAR\r");
    assert_shows(1, "Storage cleared - system reset.\r\nCP> ");
    type(1, "BEGIN\r");
    assert_shows(1, "HCPBEG9015E Nothing to run: no system has been IPLed since the machine was reset\r\nCP> ");
    assert_int_equal(vm_of("BOB")->state, VM_STOPPED);
    assert_int_equal(vcpu_read(&vm_of("BOB")->vcpu, VMCS_GUEST_CS_BASE), 0xFFFF0000);
    type(1, "BEGIN 1234\r");
    assert_int_equal(vcpu_read(&vm_of("BOB")->vcpu, VMCS_GUEST_RIP), 0x1234);
    assert_int_equal(vcpu_read(&vm_of("BOB")->vcpu, VMCS_GUEST_CS_BASE), 0);
    type(1, "#CP BEGIN XYZ\r");
    assert_shows(1, "HCPBEG004E Invalid hexloc - XYZ");
    type(1, "#CP STOP\r");
    assert_int_equal(vm_of("BOB")->state, VM_STOPPED);
    assert_answer("BOB", "SYSTEM SIDEWAYS", 2, "HCPSYS002E Invalid operand - SIDEWAYS\n");
    assert_answer("BOB", "SLEEP X", 2, "HCPSLP002E");
    assert_answer("BOB", "SLEEP 1 YEAR", 2, "HCPSLP002E");
}

static void a_machine_that_asks_is_changed_only_after_its_call(void **state)
{
    (void)state;
    struct vm *vm = vm_of("ALICE");
    vcpu_write(&vm->vcpu, VMCS_GUEST_RIP, 0x5555);
    assert_int_equal(run("ALICE", "IPL TEST"), 0);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vcpu_read(&vm->vcpu, VMCS_GUEST_RIP), 0x5555);
    turn();
    assert_int_equal(vcpu_read(&vm->vcpu, VMCS_GUEST_RIP), 0x100020);
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_int_equal(run("ALICE", "LOGOFF"), 0);
    assert_ptr_equal(vm_of("ALICE"), vm);
    turn();
    assert_null(vm_of("ALICE"));
}

static void registers_and_storage_are_displayed_and_stored(void **state)
{
    (void)state;
    assert_answer("ALICE", "STORE 1000 48656C6C6F 2C20", 0, "Store complete.\n");
    assert_answer("ALICE", "DISPLAY V1000.5", 0, "V00001000  48656C6C 6F");
    assert_answer("ALICE", "D T1000-1007", 0, "V00001000  48656C6C 6F2C2000                    *Hello, .*\n");
    type(0, "#CP STORE RAX 1234abcd\r");
    assert_shows(0, "Store complete.\r\n");
    assert_answer("ALICE", "D G", 0, "RAX = 000000001234ABCD  RCX = ");
    type(0, "#CP STORE RIP FFFF\r");
    assert_answer("ALICE", "STORE RAX 1", 9028,
                  "HCPCDS9028E Not stored; a machine cannot change its own RAX by a call\n");
    assert_answer("ALICE", "STORE RFLAGS 2", 9028, "HCPCDS9028E");
    assert_answer("ALICE", "D PSW", 0, "RIP    = 000000000000FFFF\nRFLAGS = ");
    assert_answer("ALICE", "D X", 0, "CR0    = ");
    assert_answer("ALICE", "D 200000", 160, "HCPCDB160E Hexloc 200000 exceeds storage\n");
    assert_answer("ALICE", "D FFFFFFFFFFFFFFFF.10", 160, "HCPCDB160E");
    assert_answer("ALICE", "D 0.1001", 9, "HCPCDB009E Invalid range - 0.1001\n");
    assert_answer("ALICE", "D 10-5", 9, "HCPCDB009E");
    assert_answer("ALICE", "D ZZ", 4, "HCPCDB004E Invalid hexloc - ZZ\n");
    assert_answer("ALICE", "ST 1000 123", 5, "HCPCDS005E Invalid hexdata - 123\n");
    assert_answer("ALICE", "ST 1FFFFF 0102", 160, "HCPCDS160E Hexloc 1FFFFF exceeds storage");
    assert_answer("ALICE", "ST 1000", 26, "HCPCDS026E");
}

static void indicate_counts(void **state)
{
    (void)state;
    vm_of("ALICE")->exits[10] = 7;
    assert_answer("ALICE", "INDICATE USER", 0,
                  "USERID=ALICE    MACH=X64 STOR=0002M VIRT=V XSTORE=NONE\nIPLSYS=TEST     DEVNUM=00001\nPAGES: RES=");
    assert_answer("ALICE", "INDICATE USER", 0, "EXITS=7\nTICKS: VIRTUAL=0 TOTAL=0 STEAL=0\n");
    assert_answer("ALICE", "INDICATE USER BOB", 9016,
                  "HCPIDU9016E INDICATE for another user is for privilege class E\n");
    assert_answer("ALICE", "INDICATE", 0, "AVGPROC-000% 01\nSTORAGE-");
    assert_answer("ALICE", "INDICATE NOTHING", 2, "HCPIDL002E");
}

static void indicate_nest_counts_by_reason_and_level(void **state)
{
    (void)state;
    struct vm *vm = vm_of("ALICE");
    vm->exits[EXIT_CPUID] = 7;
    vm->exits[EXIT_VMRESUME] = 5;
    vm->nested_handled[EXIT_EPT_VIOLATION] = 3;
    vm->nested_reflected[EXIT_CPUID] = 2;
    assert_answer("ALICE", "INDICATE NEST", 0,
                  "EXIT REASON                L1 OWN        L1 VMX      L2 BY CP      L2 TO L1\n"
                  "CPUID                           7             0             0             2\n"
                  "VMRESUME                        0             5             0             0\n"
                  "EPT VIOLATION                   0             0             3             0\n"
                  "TOTAL                           7             5             3             2\n");
    assert_answer("ALICE", "INDICATE USER", 0, "EXITS=17\n");
    assert_answer("ALICE", "INDICATE NEST BOB", 9016, "HCPIDU9016E");
    assert_answer("ALICE", "INDICATE NEST * X", 3, "HCPIDU003E");
    assert_answer("ALICE", "HELP INDICATE", 0, "NEST [userid | *]");
}

static void query_nest_tells_what_is_beneath(void **state)
{
    (void)state;
    *fake_below = 0;
    assert_int_equal(run("BOB", "QUERY NEST"), 0);
    assert_string_equal(answer, "LEVEL 1: BOB      AT VMN, VM/N 1.0, NESTED MEMORY\nLEVEL 0: REAL MACHINE, VMX\n");
    strcpy(fake_below, "LEVEL 2: CP3      AT VMN\nLEVEL 1: CP2      AT VMN\nLEVEL 0: REAL\n");
    assert_int_equal(run("BOB", "QUERY NEST"), 0);
    assert_string_equal(answer, "LEVEL 3: BOB      AT VMN, VM/N 1.0, NESTED MEMORY\n"
                                "LEVEL 2: CP3      AT VMN\nLEVEL 1: CP2      AT VMN\nLEVEL 0: REAL\n");
    strcpy(fake_below, "LEVEL 0: REAL\nLEVEL cut of");
    assert_answer("BOB", "QUERY NEST", 0, "LEVEL 0: REAL\n");
    assert_null(strstr(answer, "cut"));
    strcpy(fake_below, "\x1b[2J\n"); /* nothing of it is believed */
    assert_answer("BOB", "QUERY NEST", 0, "LEVEL 0: A CP THAT DOES NOT TELL, VMX\n");
    memset(fake_below, 'x', sizeof fake_below - 1);
    assert_answer("BOB", "QUERY NEST", 0, "LEVEL 1: BOB");
    *fake_below = 0;
    assert_answer("BOB", "QUERY NEST X", 3, "HCPCQR003E");
}

static void query_set_shows_after_how_long_without_a_key_a_user_is_disconnected(void **state)
{
    (void)state;
    assert_answer("BOB", "QUERY SET", 0, ", IDLE OFF");
    struct user *bob = &session_find("BOB")->own;
    bob->idle = 90;
    assert_answer("BOB", "QUERY SET", 0, ", IDLE 90");
    bob->idle = 0;
}

static void trace_vmx_names_rule_and_field_a_few_a_second(void **state)
{
    (void)state;
    struct vm *vm = vm_of("BOB");
    vm->session = session_find("BOB");
    vm_traced(vm, "a rule", VMCS_GUEST_RIP);
    turn();
    assert_null(strstr(shown(1), "a rule"));
    assert_int_equal(run("BOB", "TRACE VMX ON"), 0);
    assert_answer("BOB", "QUERY SET", 0, "TRACE VMX ON");
    vm_traced(vm, "a rule", VMCS_GUEST_RIP);
    assert_shows(1, "HCPVMX9040I a rule; field 681E GUEST_RIP\r\n");
    vm_traced(vm, "another", NEST_NO_FIELD);
    assert_shows(1, "HCPVMX9040I another; field none\r\n");
    for (int i = 0; i < 1000; i++)
        vm_traced(vm, "flood", NEST_NO_FIELD);
    unsigned messages = 0;
    for (const char *at = shown(1); (at = strstr(at, "flood")); at++)
        messages++;
    assert_int_equal(messages, 6);
    fake_clock_advance(2000000000);
    vm_traced(vm, "later", NEST_NO_FIELD);
    assert_shows(1, "HCPVMX9041I 994 further failures at VMX were not shown\r\nHCPVMX9040I later; field none\r\n");
    assert_int_equal(run("BOB", "TRACE VMX OFF"), 0);
    vm_traced(vm, "a rule", VMCS_GUEST_RIP);
    assert_null(strstr(shown(1), "a rule"));
    assert_answer("BOB", "TRACE", 26, "HCPTRC026E");
    assert_answer("BOB", "TRACE ALL ON", 2, "HCPTRC002E Invalid operand - ALL\n");
    assert_answer("BOB", "TRACE VMX", 26, "HCPTRC026E");
    assert_answer("BOB", "TRACE VMX MAYBE", 2, "HCPTRC002E Invalid operand - MAYBE\n");
    assert_answer("BOB", "TRACE VMX ON X", 3, "HCPTRC003E");
}

static void a_message_is_cut_where_there_is_no_room_for_its_texts(void **state)
{
    static const char whole[] = "ALICE  not linked; R/W by BOB";
    const char *const texts[MESSAGE_TEXTS] = {"ALICE", NULL, "BOB"};
    char out[64];
    (void)state;
    for (size_t size = 1; size <= sizeof out; size++) {
        size_t length = size < sizeof whole ? size - 1 : sizeof whole - 1;
        memset(out, '#', sizeof out);
        message_text(out, size, message_find(104), texts);
        assert_int_equal(strlen(out), length);
        assert_memory_equal(out, whole, length);
        assert_true(size == sizeof out || out[size] == '#');
    }
}

static void long_and_hostile_lines_are_bounded(void **state)
{
    char line[241];
    (void)state;
    for (int c = 1; c < 256; c++) {
        memset(line, c, 240);
        line[240] = 0;
        if (c != ' ' && c != '\t' && c != '*')
            assert_true(run("BOB", line) > 0);
        memcpy(line, "QUERY ", 6);
        run("BOB", line);
        memcpy(line, "LINK  ", 6);
        run("BOB", line);
        memcpy(line, "D     ", 6);
        run("BOB", line);
        memcpy(line, "ST 10 ", 6);
        run("BOB", line);
        memcpy(line, "HELP  ", 6);
        run("BOB", line);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, everybody)

static bool one_name_is_in_the_sources(const struct command *of)
{
    struct user everything = {.classes = 0xFF};
    struct session anybody = {.user = &everything};
    for (const struct command *c = NULL; (c = command_next(&anybody, c));)
        if (c->run == of->run && sources_quote(c->name))
            return true;
    return false;
}

/* By one of its names. */
static void the_fuzzer_knows_every_command(void **state)
{
    struct user everything = {.classes = 0xFF};
    struct session anybody = {.user = &everything};
    unsigned seen = 0;
    (void)state;
    sources_read("tests/fuzz/user_phrases.h");
    for (const struct command *c = NULL; (c = command_next(&anybody, c)); seen++)
        if (!one_name_is_in_the_sources(c))
            fail_msg("no phrase has %s", c->name);
    assert_true(seen > 25);
    sources_forget(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_command_is_told_from_one_of_another_class),
        TEST(a_comment_is_nothing),
        TEST(before_logon_few_commands_are_valid),
        TEST(abbreviations_are_zvms),
        TEST(query_names_time_and_level),
        TEST(query_virtual_shows_the_machine),
        TEST(settings_are_set_and_shown),
        TEST(messages_reach_those_who_receive_them),
        TEST(link_follows_zvms_rules),
        TEST(a_writer_is_seen_by_others),
        TEST(storage_is_redefined_within_the_maximum),
        TEST(machine_control),
        TEST(a_machine_that_asks_is_changed_only_after_its_call),
        TEST(registers_and_storage_are_displayed_and_stored),
        TEST(indicate_counts),
        TEST(indicate_nest_counts_by_reason_and_level),
        TEST(query_nest_tells_what_is_beneath),
        TEST(query_set_shows_after_how_long_without_a_key_a_user_is_disconnected),
        TEST(trace_vmx_names_rule_and_field_a_few_a_second),
        TEST(the_fuzzer_knows_every_command),
        TEST(a_message_is_cut_where_there_is_no_room_for_its_texts),
        TEST(long_and_hostile_lines_are_bounded),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
