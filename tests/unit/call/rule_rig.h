/* Settings of models for calls of the rig (call_rig.h): one row that governs every model whose name begins with "m". */
#ifndef MAESTRO_TESTS_RULE_RIG_H
#define MAESTRO_TESTS_RULE_RIG_H

#include "call_rig.h"

static struct names_model rule_row;
static struct route_rule rule;
static struct route_names rule_names;

/* After rig_open. What is to be set is put into rule_row and rule before the call. */
static inline void rule_rig_open(void) {
  names_row_init(NAMES_MODEL, &rule_row);
  rule_row.prefix = STR("m");
  rule = (struct route_rule){.row = &rule_row, .prefix = STR("m"), .limits = limits_none};
  rule_names = (struct route_names){.rules = &rule, .rule_count = 1};
  rig.call.names = &rule_names;
}

#endif
