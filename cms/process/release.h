/* Which Linux programs are told they run on: glibc refuses to start where the release is too old. */
#pragma once
#define LINUX_RELEASE "6.1.0-vmn"
#define LINUX_NODE "VMN"
#define LINUX_VERSION "#1 VM/N CMS"
