/* The stream checker: see sse.h. */
#include "sse.h"

#include <stdlib.h>
#include <string.h>

void sse_reset(struct sse *sse, const struct dialect *dialect) {
  sse->dialect = dialect;
  sse->event_count = 0;
  sse->content_count = 0;
  sse->is_done = false;
  sse->is_broken = false;
  sse->line_length = 0;
}

static const char *find(const char *line, size_t length, const char *mark) {
  return memmem(line, length, mark, strlen(mark));
}

/* The number in the text behind `member` (its first run of digits), or -1: `"content":"word 17 "` is 17. */
static long content_number(const char *member, const char *line, const char *end) {
  const char *text = find(line, (size_t)(end - line), member);
  if (!text) return -1;
  for (text += strlen(member); text < end && *text != '"'; text++)
    if (*text >= '0' && *text <= '9') return strtol(text, NULL, 10);
  return -1;
}

/* One line without its end; what follows it in memory is the line's end, so strtol stops there. */
static unsigned take_line(struct sse *sse, const char *line, size_t length) {
  if (length && line[length - 1] == '\r') length--;
  const struct dialect *d = sse->dialect;
  if (length < 6 || (!d->is_lines && memcmp(line, "data:", 5) != 0)) {
    if (length >= 12 && memcmp(line, "event: error", 12) == 0) sse->is_broken = true;
    return 0;
  }
  sse->event_count++;
  if (sse->is_done) sse->is_broken = true;
  if (find(line, length, d->end_mark)) sse->is_done = true;
  if (find(line, length, d->error_mark)) sse->is_broken = true;
  long number = content_number(d->text_member, line, line + length);
  if (number < 0) return 0;
  if (number != (long)sse->content_count) sse->is_broken = true;
  sse->content_count++;
  return 1;
}

unsigned sse_feed(struct sse *sse, const char *data, size_t length) {
  unsigned contents = 0;
  const char *end = data + length;
  while (data < end) {
    const char *stop = memchr(data, '\n', (size_t)(end - data));
    size_t part = (size_t)((stop ? stop : end) - data);
    if (stop && sse->line_length == 0) {
      contents += take_line(sse, data, part);
    } else {
      size_t room = sizeof(sse->line) - 1 - sse->line_length;
      size_t take = part < room ? part : room; /* a longer line keeps its head, which is all we look at */
      memcpy(sse->line + sse->line_length, data, take);
      sse->line_length += take;
      if (stop) {
        sse->line[sse->line_length] = '\0';
        contents += take_line(sse, sse->line, sse->line_length);
        sse->line_length = 0;
      }
    }
    data += part + (stop ? 1 : 0);
  }
  return contents;
}
