#include "cp/time/debt.h"

struct debt *debtor;
