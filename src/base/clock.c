/* Time: see clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t system_mono_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static int64_t system_wall_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t (*mono)(void) = system_mono_us;
static int64_t (*wall)(void) = system_wall_us;

uint64_t clock_mono_us(void) { return mono(); }
int64_t clock_wall_us(void) { return wall(); }

uint64_t clock_deadline_ms(uint64_t ms) {
  uint64_t now = clock_mono_us();
  if (ms == 0 || ms > (DEADLINE_NONE - now) / 1000u) return DEADLINE_NONE;
  return now + ms * 1000u;
}

void clock_inject(uint64_t (*mono_us)(void), int64_t (*wall_us)(void)) {
  mono = mono_us ? mono_us : system_mono_us;
  wall = wall_us ? wall_us : system_wall_us;
}

void clock_format_rfc3339(int64_t wall_us, char out[25]) {
  time_t seconds = (time_t)(wall_us / 1000000);
  int ms = (int)(wall_us % 1000000 / 1000);
  struct tm t;
  gmtime_r(&seconds, &t);
  size_t n = strftime(out, 25, "%Y-%m-%dT%H:%M:%S", &t);
  snprintf(out + n, 25 - n, ".%03dZ", ms);
}
