/* The resolver: cache, single flight per name for the whole process, getaddrinfo in the pool's dns lane. Called by the
 * HTTP client before it connects. The table lives as long as the process. A flight runs on the loop of the worker that
 * began it and, once it runs, survives the caller's cancel; a name that hangs holds one of the lane's permits, whoever
 * asks for it.
 * Invariant: an entry with a flight or with waiters is never evicted; a name has at most one flight. */
#include "io/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>

#include "io/pool_internal.h"

enum {
  HOST_MAX = 253,
  ENTRIES_MAX = 1024,
  BUCKETS = 1024,
  POSITIVE_TTL_US = 60 * 1000 * 1000, /* getaddrinfo does not tell the record's own */
  NEGATIVE_TTL_US = 5 * 1000 * 1000,
};

union address { /* what a cache entry keeps of a sockaddr_storage */
  struct sockaddr sa;
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
};

struct addresses {
  union address at[RESOLVER_ADDRESSES_MAX];
  unsigned count;
  int rc; /* 0, or getaddrinfo's failure */
};

/* One waiting fiber. On the heap, as the wake of another worker's fiber may be on its way when that one leaves. */
struct waiter {
  struct waiter *next, *prev; /* in the entry, under the lock */
  bool is_waiting;            /* under the lock */
  struct addresses found;     /* set once is_waiting is false */
  struct loop *loop;
  struct fiber_id id;
  struct loop_post_node post;
  bool is_posted, is_delivered, is_abandoned; /* the last two: waiter's thread */
};

struct entry {
  struct entry *chain;         /* same bucket */
  struct entry *newer, *older; /* by last use */
  struct waiter *waiters;
  struct flight *flight; /* NULL: none */
  uint64_t expires_us;   /* 0: nothing known */
  struct addresses found;
  size_t host_bytes;
  char host[HOST_MAX + 1]; /* lower case */
};

struct flight {
  struct pool_job job;
  struct entry *entry; /* under the lock; NULL: nobody wants it any more */
  struct resolver_result result;
  int rc;
  char host[HOST_MAX + 1];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the table; before the pool's and a loop's post lock */
static struct entry *buckets[BUCKETS], *newest, *oldest;
static unsigned entry_count;

static int lookup_system(const char *host, struct resolver_result *out) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
  int rc = getaddrinfo(host, NULL, &hints, &list);
  if (rc != 0) return rc;
  for (struct addrinfo *a = list; a && out->count < RESOLVER_ADDRESSES_MAX; a = a->ai_next) {
    if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
    memcpy(&out->address[out->count++], a->ai_addr, a->ai_addrlen);
  }
  freeaddrinfo(list);
  return 0;
}

static int (*lookup)(const char *host, struct resolver_result *out) = lookup_system;

/* --- the table, all under the lock --- */

static struct entry **bucket_of(const char *host, size_t host_bytes) {
  return &buckets[str_hash(str_from(host, host_bytes), 0) % BUCKETS];
}

static void unlink_use(struct entry *e) {
  if (e->newer) {
    e->newer->older = e->older;
  } else {
    newest = e->older;
  }
  if (e->older) {
    e->older->newer = e->newer;
  } else {
    oldest = e->newer;
  }
}

static void link_newest(struct entry *e) {
  e->newer = NULL;
  e->older = newest;
  if (newest) {
    newest->newer = e;
  } else {
    oldest = e;
  }
  newest = e;
}

static bool evict_one(void) {
  for (struct entry *e = oldest; e; e = e->newer) {
    if (e->flight || e->waiters) continue;
    struct entry **at = bucket_of(e->host, e->host_bytes);
    while (*at != e) at = &(*at)->chain;
    *at = e->chain;
    unlink_use(e);
    free(e);
    entry_count--;
    return true;
  }
  return false;
}

/* Finds or adds; NULL without memory or room. */
static struct entry *entry_of(const char *host, size_t host_bytes) {
  struct entry **bucket = bucket_of(host, host_bytes);
  for (struct entry *e = *bucket; e; e = e->chain) {
    if (e->host_bytes != host_bytes || memcmp(e->host, host, host_bytes) != 0) continue;
    unlink_use(e);
    link_newest(e);
    return e;
  }
  if (entry_count >= ENTRIES_MAX && !evict_one()) return NULL;
  struct entry *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  memcpy(e->host, host, host_bytes);
  e->host_bytes = host_bytes;
  bucket = bucket_of(host, host_bytes);
  e->chain = *bucket;
  *bucket = e;
  link_newest(e);
  entry_count++;
  return e;
}

static void waiter_unlink(struct entry *e, struct waiter *w) {
  if (w->prev) {
    w->prev->next = w->next;
  } else {
    e->waiters = w->next;
  }
  if (w->next) w->next->prev = w->prev;
  w->is_waiting = false;
}

/* --- a flight --- */

static void fly(struct pool_job *job) {
  struct flight *f = (struct flight *)job;
  f->rc = lookup(f->host, &f->result);
}

static void keep(struct addresses *to, const struct flight *f) {
  *to = (struct addresses){.rc = f->rc};
  if (f->rc != 0) return;
  for (unsigned i = 0; i < f->result.count && i < RESOLVER_ADDRESSES_MAX; i++)
    memcpy(&to->at[to->count++], &f->result.address[i], sizeof to->at[0]);
}

static void deliver(void *arg) {
  struct waiter *w = arg;
  w->is_delivered = true;
  if (w->is_abandoned) {
    free(w);
  } else {
    fiber_wake(w->id);
  }
}

/* Under the lock, which a leaving waiter must take as well: until then its fiber is live and its loop open. */
static void hand_over(struct entry *e, struct waiter *w) {
  waiter_unlink(e, w);
  w->found = e->found;
  w->is_posted = w->loop != loop_of_thread;
  if (w->is_posted) {
    loop_post_node(w->loop, &w->post);
  } else {
    fiber_wake(w->id);
  }
}

static void land(struct pool_job *job, bool has_run) {
  struct flight *f = (struct flight *)job;
  pthread_mutex_lock(&lock);
  struct entry *e = f->entry;
  if (e && has_run) {
    keep(&e->found, f);
    e->flight = NULL;
    e->expires_us = clock_mono_us() + (e->found.count ? POSITIVE_TTL_US : NEGATIVE_TTL_US);
    while (e->waiters) hand_over(e, e->waiters);
  }
  pthread_mutex_unlock(&lock);
  free(f);
}

/* Under the lock. */
static enum err take_off(struct entry *e) {
  struct flight *f = calloc(1, sizeof *f);
  if (!f) return ERR_NO_MEMORY;
  f->job = (struct pool_job){.run = fly, .done = land};
  f->entry = e;
  memcpy(f->host, e->host, e->host_bytes + 1);
  enum err err = pool_submit(POOL_DNS, &f->job);
  if (err != OK) {
    free(f);
    return err;
  }
  e->flight = f;
  return OK;
}

/* Under the lock. A flight that runs is left to land in the cache; one that still waits for a permit would only stand
 * in the way of names that somebody wants. */
static void leave(struct entry *e, struct waiter *w) {
  waiter_unlink(e, w);
  if (e->waiters || !pool_unqueue(&e->flight->job)) return;
  e->flight->entry = NULL;
  e->flight = NULL;
}

/* --- one look-up --- */

/* Waits for the entry's flight; w is in its list. Frees w. */
static enum err wait_for(struct entry *e, struct waiter *w, uint64_t deadline_us, struct addresses *found) {
  enum err err = OK;
  for (;;) {
    err = fiber_park(deadline_us);
    pthread_mutex_lock(&lock);
    bool is_waiting = w->is_waiting;
    if (is_waiting && err != OK) leave(e, w);
    pthread_mutex_unlock(&lock);
    if (!is_waiting) {
      *found = w->found;
      err = OK;
      break;
    }
    if (err != OK) break;
  }
  if (w->is_posted && !w->is_delivered) {
    w->is_abandoned = true; /* deliver() frees it */
  } else {
    free(w);
  }
  return err;
}

static enum err find(const char *host, size_t host_bytes, uint64_t deadline_us, struct addresses *found) {
  struct waiter *w = NULL;
  enum err err = OK;
  pthread_mutex_lock(&lock);
  struct entry *e = entry_of(host, host_bytes);
  if (!e) {
    err = ERR_BUSY;
  } else if (!e->flight && e->expires_us > loop_now_us()) {
    *found = e->found;
  } else if (!(w = calloc(1, sizeof *w))) {
    err = ERR_NO_MEMORY;
  } else if (!e->flight) {
    err = take_off(e);
  }
  if (err == OK && w) {
    w->loop = loop_of_thread;
    w->id = fiber_self();
    w->post = (struct loop_post_node){.fn = deliver, .arg = w};
    w->is_waiting = true;
    w->next = e->waiters;
    if (w->next) w->next->prev = w;
    e->waiters = w;
  }
  pthread_mutex_unlock(&lock);
  if (err != OK) {
    free(w);
    return err;
  }
  return w ? wait_for(e, w, deadline_us, found) : OK;
}

static bool parse_numeric(const char *host, struct addresses *found) {
  union address *at = &found->at[0];
  *found = (struct addresses){.count = 1};
  at->in.sin_family = AF_INET;
  if (inet_pton(AF_INET, host, &at->in.sin_addr) == 1) return true;
  *found = (struct addresses){.count = 1};
  at->in6.sin6_family = AF_INET6;
  return inet_pton(AF_INET6, host, &at->in6.sin6_addr) == 1;
}

/* RFC 6761: the name and everything below it, never asked of DNS. */
static bool is_localhost(const char *host, size_t host_bytes) {
  struct str s = {host, host_bytes};
  if (str_has_suffix(s, STR("."))) s.n--;
  return str_eq(s, STR("localhost")) || str_has_suffix(s, STR(".localhost"));
}

static void set_localhost(struct addresses *found) {
  *found = (struct addresses){.count = 2};
  found->at[0].in.sin_family = AF_INET;
  found->at[0].in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  found->at[1].in6.sin6_family = AF_INET6;
  found->at[1].in6.sin6_addr = in6addr_loopback;
}

/* Lower case into out; false for what cannot be a host's name. */
static bool normalise(struct str host, char out[HOST_MAX + 1]) {
  if (host.n == 0 || host.n > HOST_MAX) return false;
  for (size_t i = 0; i < host.n; i++) {
    char c = host.p[i];
    if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
    bool is_fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':';
    if (!is_fine) return false;
    out[i] = c;
  }
  out[host.n] = 0;
  return true;
}

static enum err apply_policy(const struct addresses *found, uint16_t port, bool allow_private,
                             struct resolver_result *out, struct err_info *info) {
  if (found->count == 0) {
    bool has_reason = found->rc != 0 && found->rc != EAI_SYSTEM;
    return err_set(info, ERR_RESOLVE_FAILED, "the provider's host name could not be resolved: %s",
                   has_reason ? gai_strerror(found->rc) : "no address");
  }
  struct resolver_result result = {.count = 0};
  for (unsigned i = 0; i < found->count; i++) {
    if (!resolver_address_is_allowed(&found->at[i].sa, allow_private)) continue;
    union address address = found->at[i];
    if (address.sa.sa_family == AF_INET) {
      address.in.sin_port = htons(port);
    } else {
      address.in6.sin6_port = htons(port);
    }
    memcpy(&result.address[result.count++], &address, sizeof address);
  }
  if (result.count == 0)
    return err_set(info, ERR_ADDRESS_FORBIDDEN, "the provider's address is not allowed by the egress policy");
  *out = result;
  return OK;
}

enum err resolver_lookup(struct str host, uint16_t port, bool allow_private, uint64_t deadline_us,
                         struct resolver_result *out, struct err_info *info) {
  char name[HOST_MAX + 1];
  struct addresses found;
  enum err e = fiber_check_wait();
  if (e != OK) return e;
  if (!normalise(host, name)) return err_set(info, ERR_RESOLVE_FAILED, "the provider's host name is not valid");
  if (is_localhost(name, host.n)) {
    set_localhost(&found);
  } else if (!parse_numeric(name, &found)) {
    e = find(name, host.n, deadline_us, &found);
    if (e != OK) return e;
  }
  return apply_policy(&found, port, allow_private, out, info);
}

bool resolver_host_is_allowed(struct str host, bool allow_private) {
  char name[HOST_MAX + 1];
  struct addresses found;
  if (!normalise(host, name)) return false;
  if (is_localhost(name, host.n))
    set_localhost(&found);
  else if (!parse_numeric(name, &found))
    return true;
  for (unsigned i = 0; i < found.count; i++)
    if (resolver_address_is_allowed(&found.at[i].sa, allow_private)) return true;
  return false;
}

void resolver_inject(int (*replacement)(const char *host, struct resolver_result *out)) {
  pthread_mutex_lock(&lock);
  lookup = replacement ? replacement : lookup_system;
  while (evict_one()) continue;
  pthread_mutex_unlock(&lock);
}
