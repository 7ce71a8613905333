/* Stacks of fibers: mapping with a guard below, trimming, the first frame, and the message on overflow. Called by
 * fiber.c and loop.c. A stack belongs to one struct fiber from its mapping until its loop is closed.
 * Invariant: the guard is never readable, so running over the end faults instead of reaching a neighbour. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/fiber_internal.h"

#if FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Wider than a page: our code probes every page (-fstack-clash-protection), the libraries' may not. */
enum { GUARD_BYTES = 64 * 1024, ALTSTACK_BYTES = 64 * 1024 };

void fiber_die(const char *why) {
  static const char prefix[] = "fiber: ";
  ssize_t ignored = write(STDERR_FILENO, prefix, sizeof prefix - 1);
  ignored += write(STDERR_FILENO, why, strlen(why));
  ignored += write(STDERR_FILENO, "\n", 1);
  (void)ignored;
  abort();
}

bool fiber_stack_map(struct fiber_stack *stack, size_t stack_bytes) {
  size_t bytes = GUARD_BYTES + stack_bytes;
  char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (map == MAP_FAILED) return false;
  /* Neighbouring stacks merge into one mapping, which must not become huge pages: 2 MiB for 8 KiB used. */
  madvise(map, bytes, MADV_NOHUGEPAGE);
  /* Guard markers (Linux 6.13) keep that one mapping; a protected range costs two per stack, and their number is
   * limited (vm.max_map_count). */
  if (madvise(map, GUARD_BYTES, MADV_GUARD_INSTALL) != 0 && mprotect(map, GUARD_BYTES, PROT_NONE) != 0) {
    munmap(map, bytes);
    return false;
  }
  *stack = (struct fiber_stack){map, bytes, GUARD_BYTES};
#if FIBER_ASAN
  __lsan_register_root_region(map + GUARD_BYTES, stack_bytes);
#endif
  return true;
}

void fiber_stack_unmap(struct fiber_stack *stack) {
  if (!stack->map) return;
  fiber_stack_unpoison(stack);
#if FIBER_ASAN
  __lsan_unregister_root_region(stack->map + stack->guard_bytes, stack->map_bytes - stack->guard_bytes);
#endif
  munmap(stack->map, stack->map_bytes);
  *stack = (struct fiber_stack){0};
}

void fiber_stack_trim(struct fiber_stack *stack) {
  fiber_stack_unpoison(stack);
  madvise(stack->map + stack->guard_bytes, stack->map_bytes - stack->guard_bytes, MADV_DONTNEED);
}

void fiber_stack_unpoison(struct fiber_stack *stack) {
#if FIBER_ASAN
  __asan_unpoison_memory_region(stack->map + stack->guard_bytes, stack->map_bytes - stack->guard_bytes);
#else
  (void)stack;
#endif
}

void *fiber_frame_init(struct fiber_stack *stack, uint32_t color, void (*main)(void *), void *arg) {
  /* Without the shift the hot frames of all fibers would compete for the same few cache sets. */
  char *top = stack->map + stack->map_bytes - (size_t)(color % 16) * 128;
#if defined(__x86_64__)
  uint64_t *sp = (uint64_t *)(void *)(top - 64);
  sp[0] = 0x1f80u | (uint64_t)0x037f << 32; /* mxcsr, x87 control word: the defaults of the ABI */
  sp[1] = sp[2] = 0;
  sp[3] = (uint64_t)(uintptr_t)arg;  /* r13 */
  sp[4] = (uint64_t)(uintptr_t)main; /* r12 */
  sp[5] = sp[6] = 0;                 /* rbx, rbp */
  sp[7] = (uint64_t)(uintptr_t)fiber_entry;
#elif defined(__aarch64__)
  uint64_t *sp = (uint64_t *)(void *)(top - 176);
  memset(sp, 0, 176);
  sp[1] = (uint64_t)(uintptr_t)fiber_entry; /* x30 */
  sp[2] = (uint64_t)(uintptr_t)main;        /* x19 */
  sp[3] = (uint64_t)(uintptr_t)arg;         /* x20 */
#else
#error "fibers need a stack switch for this processor: fiber_switch_<arch>.S and a frame here"
#endif
  return sp;
}

/* Names the cause, then lets the fault happen again with the default action (core dump as usual). Any other fault
 * goes the same way without the line. */
static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  struct loop *l = loop_of_thread;
  const char *at = info->si_addr;
  if (l && l->current) {
    const struct fiber_stack *stack = &l->current->stack;
    if (at >= stack->map && at < stack->map + stack->guard_bytes) {
      static const char text[] = "stack overflow in a fiber\n";
      ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
      (void)ignored;
    }
  }
  signal(number, SIG_DFL);
}

static void install_handler(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK}, old;
  sigemptyset(&action.sa_mask);
  /* Somebody else's handler (a debugger's preload, a sanitizer) knows better. */
  if (sigaction(SIGSEGV, NULL, &old) == 0 && old.sa_handler == SIG_DFL) sigaction(SIGSEGV, &action, NULL);
}

bool fiber_guard_thread_init(struct loop *l) {
  if (FIBER_ASAN || FIBER_TSAN) return true; /* they bring their own alternate stack and report */
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_handler);
  l->altstack = malloc(ALTSTACK_BYTES);
  if (!l->altstack) return false;
  stack_t stack = {.ss_sp = l->altstack, .ss_size = ALTSTACK_BYTES};
  l->is_altstack_set = sigaltstack(&stack, NULL) == 0;
  return true;
}

void fiber_guard_thread_clear(struct loop *l) {
  stack_t off = {.ss_flags = SS_DISABLE};
  if (l->is_altstack_set) sigaltstack(&off, NULL);
  free(l->altstack);
  l->altstack = NULL;
  l->is_altstack_set = false;
}
