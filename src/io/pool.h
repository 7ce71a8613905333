/* The thread pool's lanes. All lanes share libuv's pool (sized at start) but have their own permits and queues, so slow
 * work in one never starves another: dns 4 at a time, file 2, cpu as many as processors (at least 2), slow 1, store 1;
 * 256 waiting, slow 16. A lane is served in order, whichever worker asks. Jobs are reached through fiber_await
 * (io/fiber.h). */
#ifndef MAESTRO_IO_POOL_H
#define MAESTRO_IO_POOL_H

enum pool_lane {
  POOL_DNS,   /* getaddrinfo */
  POOL_FILE,  /* reads and writes of configuration and data files */
  POOL_CPU,   /* decoding, hashing or counting beyond 256 KB */
  POOL_STORE, /* the store's one writer: a change after another, in order */
  POOL_SLOW,  /* password hashing: 1 at a time, 16 waiting */
  POOL_LANE_COUNT
};

/* Sizes libuv's pool; call once before any loop exists. */
void pool_init(void);

#endif
