/* The processor beneath address spaces. */
#pragma once

extern unsigned fake_space_forgotten, fake_space_left;
