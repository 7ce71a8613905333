/* Running what must kill the process in a child of its own; the test looks at how it died and at what it said. */
#ifndef MAESTRO_TESTS_IN_CHILD_H
#define MAESTRO_TESTS_IN_CHILD_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* Returns the signal that ended the child, or 0; said gets what it wrote to stderr. */
static inline int in_child(void (*fn)(void), char *said, size_t said_bytes) {
  int pipe_fd[2];
  assert_int_equal(pipe(pipe_fd), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGABRT, SIG_DFL); /* cmocka's handlers would go on with the next test */
    signal(SIGSEGV, SIG_DFL);
    dup2(pipe_fd[1], STDERR_FILENO);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
    fn();
    _exit(0);
  }
  close(pipe_fd[1]);
  size_t n = 0;
  for (ssize_t got; n + 1 < said_bytes && (got = read(pipe_fd[0], said + n, said_bytes - 1 - n)) > 0;) n += (size_t)got;
  said[n] = 0;
  close(pipe_fd[0]);
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#endif
