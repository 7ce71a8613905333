/* Judgements on one string of a configuration: NULL when it is fine, else the reason as text for people. Pure; named in
 * options.def and used by the provider and context readers. No reason repeats the value, which may be a secret. */
#ifndef MAESTRO_STATE_CONFIG_CHECK_H
#define MAESTRO_STATE_CONFIG_CHECK_H

#include "base/str.h"

const char *config_check_host(struct str s);      /* to listen on: numeric, or localhost */
const char *config_check_host_name(struct str s); /* name, address or [address], perhaps with :port */
const char *config_check_network(struct str s);   /* address or address/prefix */
const char *config_check_origin(struct str s);    /* https://host[:port] */
const char *config_check_key(struct str s);       /* visible ASCII without a comma */
/* http or https, no user, query or fragment, an unambiguous host. */
const char *config_check_url(struct str s);
const char *config_check_variable(struct str s); /* name of an environment variable */
const char *config_check_provider_id(struct str s);
const char *config_check_code(struct str s);
const char *config_check_header_name(struct str s); /* also: not one that the client sends itself */
const char *config_check_header_value(struct str s);

#endif
