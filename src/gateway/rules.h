/* The snapshot's section of who may call: authentication and CORS rules, made from the configuration and the principals
 * of the same snapshot. */
#ifndef MAESTRO_GATEWAY_RULES_H
#define MAESTRO_GATEWAY_RULES_H

#include "policy/auth.h"
#include "policy/cors.h"
#include "policy/sessions.h"
#include "state/snapshot.h"

struct rules {
  struct arena arena;
  struct auth_rules *auth;
  struct sessions_rules sessions;
  struct cors_rules cors;
};

/* The key that was generated at first start, used while no person set one; copied. Before the first build. */
void rules_set_generated_key(struct str key);
/* The administrator's password that was made for a configuration without one; copied. Before the first build. */
void rules_set_admin_password(struct str password);
/* The port that is listened on, where the configuration leaves it open. Before the first build. */
void rules_set_port(uint16_t port);
extern const struct snapshot_section rules_section;

#endif
