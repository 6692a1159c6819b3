/* The Differentiated System Description Table: cp/ipl/dsdt.asl as iasl compiled it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

extern const uint8_t acpi_dsdt[];
extern const size_t acpi_dsdt_bytes;
