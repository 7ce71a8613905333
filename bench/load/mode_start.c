/* Start-up time and readiness: see modes.h. The command is started and asked over a new connection every 200 µs until
 * it answers 200; then it is told to stop. Bounded by --seconds. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "modes.h"

#define RETRY_US 200

/* The status of one GET, or 0 when nothing answers. */
static int get_status(const struct options *options, int wait_ms) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options->port)};
  char text[1024];
  int status = 0;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0) return 0;
  int length = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n",
                        options->path ? options->path : "/", options->port);
  if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && send(fd, text, (size_t)length, MSG_NOSIGNAL) == length &&
      poll(&p, 1, wait_ms) > 0) {
    ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    if (n >= 12 && strncmp(text, "HTTP/1.", 7) == 0) status = atoi(text + 9);
  }
  close(fd);
  return status;
}

int mode_probe(const struct options *options) {
  uint64_t until = options_now_ns() + (uint64_t)(options->seconds * 1e9);
  while (!modes_stop && options_now_ns() < until) {
    int status = get_status(options, 500);
    if (status) {
      printf("status=%d\n", status);
      return 0;
    }
    usleep(5000);
  }
  return 1;
}

static void stop(pid_t pid) {
  kill(pid, SIGTERM);
  for (int i = 0; i < 1000; i++) {
    if (waitpid(pid, NULL, WNOHANG) != 0) return;
    usleep(5000);
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
}

int mode_start(const struct options *options) {
  uint64_t began = options_now_ns();
  uint64_t until = began + (uint64_t)(options->seconds * 1e9);
  int status = 0;
  pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    execvp(options->command[0], options->command);
    perror("load: start");
    _exit(127);
  }
  while (!modes_stop && status != 200 && options_now_ns() < until) {
    if (waitpid(pid, NULL, WNOHANG) == pid) {
      fprintf(stderr, "load: %s ended before it answered\n", options->command[0]);
      return 1;
    }
    status = get_status(options, 500);
    if (status != 200) usleep(RETRY_US);
  }
  uint64_t took = options_now_ns() - began;
  stop(pid);
  if (status != 200) return 1;
  printf("start_ms=%.2f\n", (double)took / 1e6);
  return 0;
}
