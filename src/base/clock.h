/* Time. Monotonic microseconds for deadlines and durations, wall-clock microseconds for records. Tests may put their
 * own clock in place of the system's; the functions are thread-safe. */
#ifndef MAESTRO_BASE_CLOCK_H
#define MAESTRO_BASE_CLOCK_H

#include <time.h>

#include "base/str.h"

#define DEADLINE_NONE UINT64_MAX

uint64_t clock_mono_us(void); /* CLOCK_MONOTONIC */
int64_t clock_wall_us(void);  /* microseconds since 1970-01-01 UTC */
/* So long after `from_us` (of clock_mono_us) as a deadline, saturating at DEADLINE_NONE; ms of 0 means no deadline. */
uint64_t clock_deadline_after(uint64_t from_us, uint64_t ms);
uint64_t clock_deadline_ms(uint64_t ms); /* after now */
/* That system clock in so many ms, for waits with a deadline; tests' clocks do not count here. */
void clock_timespec_in(clockid_t clock, uint32_t ms, struct timespec *out);
/* Replaces both clocks (NULL restores the system's). Call before any other thread runs. */
void clock_inject(uint64_t (*mono_us)(void), int64_t (*wall_us)(void));
/* "2026-11-20" (its midnight, UTC) or RFC 3339's date and time, "2026-11-20T10:11:12.345+01:00"; without an offset it
 * is UTC, and a space may stand for the T. False for anything else. */
bool clock_parse_time(struct str text, int64_t *wall_us);
/* RFC 3339 with milliseconds, "2026-11-20T10:11:12.345Z", into out (25 bytes with the NUL). Clamped to the
 * years 0 to 9999. */
void clock_format_rfc3339(int64_t wall_us, char out[25]);

#endif
