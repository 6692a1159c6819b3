/* What users are told of their snapshots. */
#pragma once
#include <stdbool.h>

struct snapshot;
/* As snapshot_lost (cp/snapshot/snapshot.h): a line for whose they were, if they are logged on. */
void snapshot_tell_lost(const char *owner, unsigned vdev, const struct snapshot *, bool failed);
