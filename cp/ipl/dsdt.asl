// What a kernel that knows ACPI cannot find by probing: the PCI host bridge and its wires, the devices of the ISA bus,
// power off ("ACPI Specification" 6.4, "ACPI Source Language Reference"; PNP numbers are Microsoft's). All of it is in
// the device tree too (cp/ipl/tree.h); ipl_acpi_test holds the one against the other. What differs from machine to
// machine is in the SSDT (cp/ipl/firmware_acpi.c): \UART, how many UARTs there are.

DefinitionBlock ("dsdt.aml", "DSDT", 2, "VMN", "MACHINE", 1)
{
    External (\UART, IntObj)

    Name (\_S5, Package () { 0, 0 }) // any type written with SLP_EN is off
    Name (APIC, 0)
    Method (\_PIC, 1) { APIC = Arg0 }

    Scope (\_SB)
    {
        Device (CPU0) { Name (_HID, "ACPI0007") Name (_UID, 0) }

        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_BBN, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
                IO (Decode16, 0xCF8, 0xCF8, 1, 8) // configuration
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0, 0xCF7, 0, 0xCF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0xD00, 0xFFFF, 0, 0xF300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                             0, 0xE0000000, 0xEFFFFFFF, 0, 0x10000000)
            })

// INTA of a slot; a function that had other pins would need more
#define WIRE(slot, gsi) Package () { (slot << 16) | 0xFFFF, 0, 0, gsi },
#define FOUR(slot, a, b, c, d) WIRE (slot, a) WIRE (slot + 1, b) WIRE (slot + 2, c) WIRE (slot + 3, d)
#define ALL(a, b, c, d) FOUR (0, a, b, c, d) FOUR (4, a, b, c, d) FOUR (8, a, b, c, d) FOUR (12, a, b, c, d) \
                        FOUR (16, a, b, c, d) FOUR (20, a, b, c, d) FOUR (24, a, b, c, d) FOUR (28, a, b, c, d)
            Name (PINS, Package () { ALL (16, 17, 18, 19) })
            Name (ISAS, Package () { ALL (11, 10, 11, 10) })
            Method (_PRT)
            {
                If (APIC) { Return (PINS) }
                Return (ISAS)
            }

            Device (ISA)
            {
                Name (_ADR, 0x001F0000) // where a PC's is; there is no function

#define FIXED(name, id, ...) Device (name) { Name (_HID, EisaId (id)) Name (_CRS, ResourceTemplate () { __VA_ARGS__ }) }
#define PORTS(first, count) IO (Decode16, first, first, 1, count)
                FIXED (PIC, "PNP0000", PORTS (0x20, 2) PORTS (0xA0, 2) IRQNoFlags () { 2 })
                FIXED (TMR, "PNP0100", PORTS (0x40, 4) IRQNoFlags () { 0 })
                FIXED (RTC, "PNP0B00", PORTS (0x70, 2) IRQNoFlags () { 8 })
                FIXED (KBD, "PNP0303", PORTS (0x60, 1) PORTS (0x64, 1) IRQNoFlags () { 1 })
                FIXED (FPU, "PNP0C04", PORTS (0xF0, 1) IRQNoFlags () { 13 })
                FIXED (PWR, "PNP0C02", PORTS (0x600, 12) PORTS (0xB004, 2) PORTS (0x92, 1))

#define SERIAL(name, uid, port, irq) \
                Device (name) { \
                    Name (_HID, EisaId ("PNP0501")) \
                    Name (_UID, uid) \
                    Name (_CRS, ResourceTemplate () { PORTS (port, 8) IRQNoFlags () { irq } }) \
                    Method (_STA) { If (\UART >= uid) { Return (0xF) } Return (0) } \
                }
                SERIAL (COM1, 1, 0x3F8, 4)
                SERIAL (COM2, 2, 0x2F8, 3)
                SERIAL (COM3, 3, 0x3E8, 4)
                SERIAL (COM4, 4, 0x2E8, 3)
            }
        }
    }
}
