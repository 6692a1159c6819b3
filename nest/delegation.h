/* How things stand with a virtual VMX but for its VMCSs: struct vmcs_delegation, which a nest is told and tells. */
#pragma once
#include "nest/active.h"

bool nest_standing_same(const struct vmcs_delegation *, const struct vmcs_delegation *);
struct vmcs_delegation nest_standing(const struct nest *nest);
/* Makes things stand so. All of it is a guest's. false: no frames for the current VMCS.
 * @pre nothing is active; L1's state is loaded */
bool nest_stand(struct nest *nest, const struct vmcs_delegation *);
/* Every VMCS and page is L1's alone again. */
void nest_let_go(struct nest *nest);
