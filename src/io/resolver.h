/* Host names to addresses: in the pool's dns lane, with a cache (1024 names; answers 60 s, failures 5 s), one flight
 * per name, and the egress policy. Numeric hosts and localhost need no look-up. A resolver that hangs delays only the
 * calls that wait for that name, and no cancel; but four hanging names fill the lane, and further unknown names wait
 * for it. One per process, thread-safe; fibers of all workers share a flight. */
#ifndef MAESTRO_IO_RESOLVER_H
#define MAESTRO_IO_RESOLVER_H

#include <sys/socket.h>

#include "base/err.h"
#include "io/fiber.h"

enum { RESOLVER_ADDRESSES_MAX = 8 };

struct resolver_result {
  struct sockaddr_storage address[RESOLVER_ADDRESSES_MAX]; /* port set */
  unsigned count;
};

/* Link-local, multicast, unspecified and cloud-metadata addresses are never allowed; loopback and private ones only
 * with allow_private. ERR_ADDRESS_FORBIDDEN when none is left, ERR_RESOLVE_FAILED, ERR_TIMEOUT, ERR_CANCELLED; ERR_BUSY
 * when 256 names are waiting for the lane. */
WAIT enum err resolver_lookup(struct str host, uint16_t port, bool allow_private, uint64_t deadline_us,
                              struct resolver_result *out, struct err_info *info);
/* Pure: the policy above for one address. */
bool resolver_address_is_allowed(const struct sockaddr *address, bool allow_private);
/* Pure: false for a host whose address needs no look-up (a number, localhost) and is refused by the policy. What a name
 * stands for is seen when it is called. */
bool resolver_host_is_allowed(struct str host, bool allow_private);
/* Replaces getaddrinfo, for tests (hanging, failing). NULL restores it. Before any lookup. */
void resolver_inject(int (*lookup)(const char *host, struct resolver_result *out));

#endif
