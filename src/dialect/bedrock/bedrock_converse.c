/* The table of the Bedrock dialect, and its words for kinds of media: see bedrock_converse.h. */
#include "dialect/bedrock/bedrock_converse.h"

#include "dialect/bedrock/bedrock_internal.h"

const char *bedrock_media_word(enum part_kind kind) {
  switch (kind) {
    case PART_IMAGE: return "image";
    case PART_DOCUMENT: return "document";
    case PART_VIDEO: return "video";
    case PART_AUDIO: return "audio";
    default: return NULL;
  }
}

/* The first row of a format is the type it is read as. */
static const struct {
  enum part_kind kind;
  struct str mime, format;
} formats[] = {
    {PART_IMAGE, STR("image/png"), STR("png")},
    {PART_IMAGE, STR("image/jpeg"), STR("jpeg")},
    {PART_IMAGE, STR("image/jpg"), STR("jpeg")},
    {PART_IMAGE, STR("image/gif"), STR("gif")},
    {PART_IMAGE, STR("image/webp"), STR("webp")},
    {PART_DOCUMENT, STR("application/pdf"), STR("pdf")},
    {PART_DOCUMENT, STR("text/plain"), STR("txt")},
    {PART_DOCUMENT, STR("text/markdown"), STR("md")},
    {PART_DOCUMENT, STR("text/html"), STR("html")},
    {PART_DOCUMENT, STR("text/csv"), STR("csv")},
    {PART_DOCUMENT, STR("application/msword"), STR("doc")},
    {PART_DOCUMENT, STR("application/vnd.openxmlformats-officedocument.wordprocessingml.document"), STR("docx")},
    {PART_DOCUMENT, STR("application/vnd.ms-excel"), STR("xls")},
    {PART_DOCUMENT, STR("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), STR("xlsx")},
    {PART_VIDEO, STR("video/mp4"), STR("mp4")},
    {PART_VIDEO, STR("video/quicktime"), STR("mov")},
    {PART_VIDEO, STR("video/mov"), STR("mov")},
    {PART_VIDEO, STR("video/x-matroska"), STR("mkv")},
    {PART_VIDEO, STR("video/webm"), STR("webm")},
    {PART_VIDEO, STR("video/x-flv"), STR("flv")},
    {PART_VIDEO, STR("video/mpeg"), STR("mpeg")},
    {PART_VIDEO, STR("video/mpg"), STR("mpg")},
    {PART_VIDEO, STR("video/x-ms-wmv"), STR("wmv")},
    {PART_VIDEO, STR("video/wmv"), STR("wmv")},
    {PART_VIDEO, STR("video/3gpp"), STR("three_gp")},
    {PART_AUDIO, STR("audio/mpeg"), STR("mp3")},
    {PART_AUDIO, STR("audio/mp3"), STR("mp3")},
    {PART_AUDIO, STR("audio/wav"), STR("wav")},
    {PART_AUDIO, STR("audio/x-wav"), STR("wav")},
    {PART_AUDIO, STR("audio/flac"), STR("flac")},
    {PART_AUDIO, STR("audio/ogg"), STR("ogg")},
    {PART_AUDIO, STR("audio/opus"), STR("opus")},
    {PART_AUDIO, STR("audio/aac"), STR("aac")},
    {PART_AUDIO, STR("audio/mp4"), STR("m4a")},
};

struct str bedrock_format_of(enum part_kind kind, struct str mime) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (formats[i].kind == kind && str_eq_nocase(formats[i].mime, mime)) return formats[i].format;
  return STR_NONE;
}

struct str bedrock_mime_of(enum part_kind kind, struct str format) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (formats[i].kind == kind && str_eq(formats[i].format, format)) return formats[i].mime;
  return STR_NONE;
}

const struct dialect dialect_bedrock_converse = {
    .name = STR("bedrock_converse"),
    .words = {.list = "messages", .system = "system", .content = "content", .tools = "toolConfig.tools"},
    .caps = CAP_BIT(IMAGE_DATA) | CAP_BIT(DOCUMENT_DATA) | CAP_BIT(DOCUMENT_TEXT) | CAP_BIT(VIDEO_DATA) |
            CAP_BIT(AUDIO_DATA) | CAP_BIT(TOOLS) | CAP_BIT(TOOL_STRICT) | CAP_BIT(TOOL_CHOICE_NONE) |
            CAP_BIT(TOOL_CHOICE_REQUIRED) | CAP_BIT(TOOL_CHOICE_NAMED) | CAP_BIT(RESULT_RICH) | CAP_BIT(RESULT_ERROR) |
            CAP_BIT(REASONING_EFFORT) | CAP_BIT(REASONING_BUDGET) | CAP_BIT(REASONING_OFF) | CAP_BIT(CACHE_MARKER) |
            CAP_BIT(FORMAT_JSON_SCHEMA) | CAP_BIT(TEMPERATURE) | CAP_BIT(TOP_P) | CAP_BIT(TOP_K) | CAP_BIT(STOP) |
            CAP_BIT(SERVICE_TIER) | CAP_BIT(DEVELOPER_ROLE),
    .pairs_calls = true,
    .framing = FRAMING_AWS,
    .content_type_stream = STR("application/vnd.amazon.eventstream"),
    .decode_request = bedrock_decode_request,
    .encode_request = bedrock_encode_request,
    .decode_reply = bedrock_decode_reply,
    .decoder_bytes = BEDROCK_READER_BYTES,
    .decode_frame = bedrock_decode_frame,
    .decode_end = bedrock_decode_end,
};
