/* A curl multi handle driven by libuv: sockets become polls, curl's one timer a uv timer. Used by http_client_curl.c
 * only. curl's callbacks store and wake, nothing else; every entry into curl is bracketed (loop_enter_callback), so a
 * fiber can never be parked inside curl. Polls and sockets belong to this file from open to close.
 * Invariant: after each entry curl's due work was driven and its finished transfers were reported and removed. */
#ifndef MAESTRO_IO_CURL_LOOP_H
#define MAESTRO_IO_CURL_LOOP_H

#include <curl/curl.h>

#include "base/err.h"
#include "io/loop.h"

struct curl_loop_socket;

struct curl_loop {
  CURLM *multi;
  uv_loop_t *uv;
  uv_timer_t *timer;
  struct curl_loop_socket **socket; /* by file descriptor; NULL where it is not ours */
  size_t sockets;
  uint32_t open;
  bool timeout_due;
  void (*on_done)(CURL *easy, CURLcode result); /* outside of curl; the handle has just been removed */
  /* Asked when a transfer leaves its connection alone: true if it has ended (and is not just paused) and nothing may
   * come on the connection until it is used again, which holds without TLS. Then the first stray byte ends it. */
  bool (*is_silent)(CURL *easy);
};

enum err curl_loop_init(struct curl_loop *l, struct loop *loop, void (*on_done)(CURL *, CURLcode),
                        bool (*is_silent)(CURL *), struct err_info *info) MUST_CHECK;
/* No transfer may be left. The uv handles close in the loop's next turns. */
void curl_loop_clear(struct curl_loop *l);

/* Adds and starts at once. on_done may have been called when it returns. */
enum err curl_loop_add(struct curl_loop *l, CURL *easy) MUST_CHECK;
/* Takes an unfinished transfer out; its connection closes. */
void curl_loop_remove(struct curl_loop *l, CURL *easy);
/* curl_easy_pause(easy, CURLPAUSE_CONT): the write callback may run inside. */
void curl_loop_unpause(struct curl_loop *l, CURL *easy);

/* Runs every transfer once: curl 7.88 gives up a slow address without a timer to begin with the next one. */
void curl_loop_nudge(struct curl_loop *l);

/* For CURLOPT_OPENSOCKETFUNCTION (called by the client's own, which counts) and CURLOPT_CLOSESOCKETFUNCTION. */
curl_socket_t curl_loop_open(struct curl_loop *l, const struct curl_sockaddr *address);
int curl_loop_close(void *l, curl_socket_t fd);

#endif
