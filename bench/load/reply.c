/* The reply parser: see reply.h. Only what a proxy may answer to us matters here, so unknown headers are skipped. */
#include "reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void reply_reset(struct reply *reply) {
  reply->state = REPLY_HEAD;
  reply->status = 0;
  reply->is_closing = false;
  reply->line_has_text = false;
  reply->left = 0;
  reply->body_bytes = 0;
  reply->head_length = 0;
}

static const char *header_value(const char *head, const char *name) {
  size_t length = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
      line += length + 1;
      while (*line == ' ') line++;
      return line;
    }
  }
  return NULL;
}

/* The head is complete and NUL-terminated in reply->head. */
static int read_head(struct reply *reply) {
  const char *value;
  if (strncmp(reply->head, "HTTP/1.", 7) != 0 || strlen(reply->head) < 12) return -1;
  reply->status = atoi(reply->head + 9);
  if (reply->status < 100 || reply->status > 599) return -1;
  value = header_value(reply->head, "connection");
  reply->is_closing = value && strncasecmp(value, "close", 5) == 0;
  if (reply->status == 204 || reply->status == 304) {
    reply->state = REPLY_DONE;
    return 0;
  }
  value = header_value(reply->head, "transfer-encoding");
  if (value && strncasecmp(value, "chunked", 7) == 0) {
    reply->state = REPLY_CHUNK_SIZE;
    return 0;
  }
  value = header_value(reply->head, "content-length");
  if (value) {
    reply->left = strtoull(value, NULL, 10);
    reply->state = reply->left ? REPLY_LENGTH : REPLY_DONE;
    return 0;
  }
  reply->is_closing = true;
  reply->state = REPLY_UNTIL_CLOSE;
  return 0;
}

static ssize_t feed_head(struct reply *reply, const char *data, size_t length) {
  size_t before = reply->head_length;
  size_t room = sizeof(reply->head) - 1 - before;
  size_t take = length < room ? length : room;
  memcpy(reply->head + before, data, take);
  reply->head[before + take] = '\0';
  char *from = reply->head + (before > 3 ? before - 3 : 0);
  char *end = strstr(from, "\r\n\r\n");
  if (!end) {
    reply->head_length += take;
    return take == room ? -1 : (ssize_t)take;
  }
  end[2] = '\0';
  size_t total = (size_t)(end - reply->head) + 4;
  reply->head_length = total;
  if (read_head(reply) < 0) return -1;
  return (ssize_t)(total - before);
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* One byte of a chunk-size line, of the line end after a chunk, or of the trailer. */
static int feed_framing(struct reply *reply, char c) {
  if (reply->state == REPLY_CHUNK_END) {
    if (c == '\n') reply->state = REPLY_CHUNK_SIZE;
    return c == '\n' || c == '\r' ? 0 : -1;
  }
  if (reply->state == REPLY_TRAILER) {
    if (c == '\n') {
      if (!reply->line_has_text) reply->state = REPLY_DONE;
      reply->line_has_text = false;
    } else if (c != '\r') {
      reply->line_has_text = true;
    }
    return 0;
  }
  if (c == '\n') {
    reply->line_has_text = false;
    reply->state = reply->left ? REPLY_CHUNK_DATA : REPLY_TRAILER;
  } else if (c == ';') {
    reply->line_has_text = true; /* an extension: its characters are no digits */
  } else if (c != '\r' && !reply->line_has_text) {
    int digit = hex_digit(c);
    if (digit < 0 || reply->left > (UINT64_MAX >> 5)) return -1;
    reply->left = reply->left * 16 + (uint64_t)digit;
  }
  return 0;
}

static size_t feed_body(struct reply *reply, const char *data, size_t length, reply_sink *sink, void *context) {
  size_t take = length;
  if (reply->state != REPLY_UNTIL_CLOSE && take > reply->left) take = (size_t)reply->left;
  reply->body_bytes += take;
  if (sink) sink(context, data, take);
  if (reply->state == REPLY_UNTIL_CLOSE) return take;
  reply->left -= take;
  if (reply->left == 0) reply->state = reply->state == REPLY_LENGTH ? REPLY_DONE : REPLY_CHUNK_END;
  return take;
}

ssize_t reply_feed(struct reply *reply, const char *data, size_t length, reply_sink *sink, void *context) {
  size_t at = 0;
  while (at < length && reply->state != REPLY_DONE) {
    switch (reply->state) {
      case REPLY_HEAD: {
        ssize_t took = feed_head(reply, data + at, length - at);
        if (took < 0) return -1;
        at += (size_t)took;
        break;
      }
      case REPLY_LENGTH:
      case REPLY_CHUNK_DATA:
      case REPLY_UNTIL_CLOSE: at += feed_body(reply, data + at, length - at, sink, context); break;
      case REPLY_CHUNK_SIZE:
      case REPLY_CHUNK_END:
      case REPLY_TRAILER:
        if (feed_framing(reply, data[at++]) < 0) return -1;
        break;
      case REPLY_DONE: break;
    }
  }
  return (ssize_t)at;
}

bool reply_at_close(struct reply *reply) {
  if (reply->state == REPLY_UNTIL_CLOSE) reply->state = REPLY_DONE;
  return reply->state == REPLY_DONE;
}
