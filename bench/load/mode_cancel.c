/* Client gone: see modes.h. One process is both ends: the client of the proxy, and the upstream behind it that stays
 * silent after the request (or after one event, for streams). So both instants come from one clock, and the time
 * between the client's close and the upstream's EOF is exact. Trials run one after another, each bounded. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hist.h"
#include "modes.h"

#define STEP_MS 3000 /* the most any one step may take before the trial counts as failed */
#define HOLD_MS 20   /* the silence before the client leaves a request that has no stream */

static const char stream_start[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char stream_event[] =
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,"
    "\"delta\":{\"role\":\"assistant\",\"content\":\"0 \"},\"finish_reason\":null}]}\n\n";

static int listen_on(uint16_t port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 64) != 0) {
    perror("load: listen");
    exit(1);
  }
  return fd;
}

static int dial(uint16_t port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static bool readable_within(int fd, int ms) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, ms) > 0;
}

static bool send_all(int fd, const char *data, size_t length) {
  while (length) {
    ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
    if (n <= 0) return false;
    data += n;
    length -= (size_t)n;
  }
  return true;
}

/* Reads until text has been seen; false at EOF or after STEP_MS of silence. */
static bool read_until(int fd, const char *text) {
  char seen[8192];
  size_t length = 0;
  while (length < sizeof(seen) - 1 && readable_within(fd, STEP_MS)) {
    ssize_t n = recv(fd, seen + length, sizeof(seen) - 1 - length, 0);
    if (n <= 0) return false;
    length += (size_t)n;
    if (memmem(seen, length, text, strlen(text))) return true;
  }
  return false;
}

/* Waits for EOF or reset; whatever else comes is read away. */
static bool wait_closed(int fd) {
  char drain[4096];
  while (readable_within(fd, STEP_MS))
    if (recv(fd, drain, sizeof(drain), 0) <= 0) return true;
  return false;
}

static bool send_event(int fd) {
  char chunk[sizeof(stream_start) + sizeof(stream_event) + 32];
  int length = snprintf(chunk, sizeof(chunk), "%s%zx\r\n%s\r\n", stream_start, sizeof(stream_event) - 1, stream_event);
  return send_all(fd, chunk, (size_t)length);
}

/* One trial; returns the nanoseconds until the upstream's side was closed, or 0 when something did not happen. */
static uint64_t trial(const struct options *options, int listener, const char *request, size_t request_length) {
  uint64_t took = 0;
  int upstream = -1;
  int client = dial(options->port);
  if (client < 0) return 0;
  if (!send_all(client, request, request_length)) goto out;
  if (!readable_within(listener, STEP_MS)) goto out;
  upstream = accept(listener, NULL, NULL);
  /* The end of our small body tells that the whole request came, however it is framed. */
  if (upstream < 0 || !read_until(upstream, options->is_stream ? "\"stream\":true" : "\"stream\":false")) goto out;
  if (options->is_stream) {
    if (!send_event(upstream) || !read_until(client, "\"content\":\"0 \"")) goto out;
  } else {
    usleep(HOLD_MS * 1000);
  }
  if (readable_within(upstream, 0) && wait_closed(upstream)) goto out; /* closed before the client left */
  uint64_t left = options_now_ns();
  close(client);
  client = -1;
  if (wait_closed(upstream)) took = options_now_ns() - left;
out:
  if (client >= 0) close(client);
  if (upstream >= 0) close(upstream);
  return took;
}

int mode_cancel(const struct options *options) {
  static struct hist hist;
  size_t length;
  unsigned missed = 0;
  char *request = options_request(options, &length);
  int listener = listen_on(options->listen_port);
  for (unsigned i = 0; i < options->trials && !modes_stop; i++) {
    uint64_t took = trial(options, listener, request, length);
    if (took) {
      hist_add(&hist, took);
    } else if (++missed >= 5) {
      break; /* it does not cancel at all; no need to wait for every trial */
    }
  }
  printf("trials=%llu missed=%u p50_us=%.1f p99_us=%.1f max_us=%.1f\n", (unsigned long long)hist.count, missed,
         (double)hist_quantile_ns(&hist, .5) / 1e3, (double)hist_quantile_ns(&hist, .99) / 1e3,
         (double)hist.max_ns / 1e3);
  close(listener);
  free(request);
  return 0;
}
