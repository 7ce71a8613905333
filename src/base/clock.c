/* Time: see clock.h. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

uint64_t clock_deadline_after(uint64_t from_us, uint64_t ms) {
  if (ms == 0 || ms > (DEADLINE_NONE - from_us) / 1000u) return DEADLINE_NONE;
  return from_us + ms * 1000u;
}

uint64_t clock_deadline_ms(uint64_t ms) { return clock_deadline_after(ms ? clock_mono_us() : 0, ms); }

void clock_timespec_in(clockid_t clock, uint32_t ms, struct timespec *out) {
  clock_gettime(clock, out);
  out->tv_nsec += (long)(ms % 1000) * 1000000;
  out->tv_sec += (time_t)(ms / 1000) + out->tv_nsec / 1000000000;
  out->tv_nsec %= 1000000000;
}

void clock_inject(uint64_t (*mono_us)(void), int64_t (*wall_us)(void)) {
  mono = mono_us ? mono_us : system_mono_us;
  wall = wall_us ? wall_us : system_wall_us;
}

/* "2026-11-20T12:34:56." of a second of the years 0 to 9999. */
static void format_second(int64_t second, char out[20]) {
  time_t whole = (time_t)second;
  struct tm t = {0};
  char text[21];
  gmtime_r(&whole, &t);
  /* the masks change nothing; they show the compiler that the text fits */
  snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.", (unsigned)(t.tm_year + 1900) % 10000,
           (unsigned)(t.tm_mon + 1) % 100, (unsigned)t.tm_mday % 100, (unsigned)t.tm_hour % 100,
           (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
  memcpy(out, text, 20);
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
  /* Log lines and stream events ask for the same second thousands of times. */
  static _Thread_local struct {
    int64_t second;
    char text[20];
    bool is_set;
  } last;
  if (!last.is_set || last.second != seconds) format_second(seconds, last.text);
  last.second = seconds;
  last.is_set = true;
  unsigned ms = (unsigned)(us / 1000);
  memcpy(out, last.text, 20);
  out[20] = (char)('0' + ms / 100);
  out[21] = (char)('0' + ms / 10 % 10);
  out[22] = (char)('0' + ms % 10);
  memcpy(out + 23, "Z", 2);
}

/* A number of exactly n digits at *at, which moves on. */
static bool take_digits(struct str text, size_t *at, size_t n, unsigned min, unsigned max, int *out) {
  uint64_t v;
  if (text.n < *at + n || !str_to_u64(str_sub(text, *at, *at + n), &v) || v < min || v > max) return false;
  *at += n;
  *out = (int)v;
  return true;
}

static bool take_char(struct str text, size_t *at, char a, char b) {
  if (*at >= text.n || (text.p[*at] != a && text.p[*at] != b)) return false;
  ++*at;
  return true;
}

/* ".345": microseconds; digits beyond are left out. */
static bool take_fraction(struct str text, size_t *at, int64_t *us) {
  int64_t scale = 100000;
  *us = 0;
  if (!take_char(text, at, '.', ',')) return true;
  size_t from = *at;
  for (; *at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9'; ++*at, scale /= 10)
    *us += (text.p[*at] - '0') * scale;
  return *at > from;
}

static bool take_offset(struct str text, size_t *at, int64_t *seconds) {
  int hours, minutes;
  *seconds = 0;
  if (*at == text.n || take_char(text, at, 'Z', 'z')) return true;
  bool is_west = text.p[*at] == '-';
  if (!take_char(text, at, '+', '-') || !take_digits(text, at, 2, 0, 23, &hours)) return false;
  take_char(text, at, ':', ':');
  if (!take_digits(text, at, 2, 0, 59, &minutes)) return false;
  *seconds = (is_west ? -60 : 60) * ((int64_t)hours * 60 + minutes);
  return true;
}

bool clock_parse_time(struct str text, int64_t *wall_us) {
  struct tm t = {0};
  int64_t us = 0, offset_s = 0;
  size_t at = 0;
  int year, month;
  if (!take_digits(text, &at, 4, 1, 9999, &year) || !take_char(text, &at, '-', '-') ||
      !take_digits(text, &at, 2, 1, 12, &month) || !take_char(text, &at, '-', '-') ||
      !take_digits(text, &at, 2, 1, 31, &t.tm_mday))
    return false;
  if (at < text.n) {
    bool is_sound = (take_char(text, &at, 'T', 't') || take_char(text, &at, ' ', ' ')) &&
                    take_digits(text, &at, 2, 0, 23, &t.tm_hour) && take_char(text, &at, ':', ':') &&
                    take_digits(text, &at, 2, 0, 59, &t.tm_min);
    if (is_sound && take_char(text, &at, ':', ':')) is_sound = take_digits(text, &at, 2, 0, 59, &t.tm_sec);
    if (!is_sound || !take_fraction(text, &at, &us) || !take_offset(text, &at, &offset_s)) return false;
  }
  t.tm_year = year - 1900;
  t.tm_mon = month - 1;
  int day = t.tm_mday;
  time_t s = timegm(&t);
  if (at != text.n || t.tm_mday != day) return false; /* the 30th of February became March's */
  *wall_us = ((int64_t)s - offset_s) * 1000000 + us;
  return true;
}
