/* The synthetic telescope, for cli/: it runs in one process without rights, so there is nothing to wire. */
#pragma once
#include "simulate/simulate.h"
