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
  const int64_t first_s = -62167219200, last_s = 253402300799; /* 0000-01-01T00:00:00, 9999-12-31T23:59:59 */
  int64_t seconds = wall_us / 1000000, us = wall_us % 1000000;
  if (us < 0) {
    seconds--;
    us += 1000000;
  }
  if (seconds < first_s || seconds > last_s) {
    us = seconds < first_s ? 0 : 999999;
    seconds = seconds < first_s ? first_s : last_s;
  }
  time_t whole = (time_t)seconds;
  struct tm t = {0};
  gmtime_r(&whole, &t);
  /* the masks change nothing; they show the compiler that the text fits */
  snprintf(out, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(t.tm_year + 1900) % 10000,
           (unsigned)(t.tm_mon + 1) % 100, (unsigned)t.tm_mday % 100, (unsigned)t.tm_hour % 100,
           (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100, (unsigned)(us / 1000));
}
