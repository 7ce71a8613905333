/* Vendors' formulas for media: see media_tokens.h. */
#include "text/media_tokens.h"

#include <math.h>

#include "text/token_family.h"

enum rule {
  RULE_TILES,   /* fit into 2048 x 2048, the short side to 768, then a x tiles of 512 + b; "low" is b */
  RULE_PATCHES, /* patches of 32 x 32, at most a, each b hundredths of a token */
  RULE_VISUAL,  /* patches of 28 x 28, at most a of them, from a picture whose long side is at most b */
  RULE_CROPS,   /* a, or for what is larger than 384 x 384 that for each crop */
  RULE_FIXED    /* a, whatever its size */
};

struct media_rule {
  const char *pattern; /* of the model's name, as token_family_match takes it */
  enum rule rule;
  int32_t a, b;
  int32_t page, audio_second_10, video_second; /* tokens of a document's page; of ten seconds of sound; of film */
};

/* OpenAI: "Images and vision", calculating costs (read 2026-11-28); the multipliers of gpt-5-mini, -nano and of 5.2 and
 * later as billed (developers' measurements in its forum, 2026-03), where the guide's are not. A PDF's page is its text
 * and a picture; sound is a token each 100 ms.
 * Anthropic: "Vision" (read 2026-11-28): one token for each patch of 28 x 28 pixels; up to 1568 px and tokens, from
 * Opus 4.7 on 2576 px and 4784. "PDF support": 1,500 to 3,000 tokens of text a page, beside its picture. Google: "Image
 * understanding", "Media resolution", "Tokens" (read 2026-11-28): 258 a crop, Gemini 3 1120 a picture; pages 258 and
 * 560; sound 32 a second; film 258 or 70 a frame, one each second, and its sound. */
static const struct media_rule rules[] = {
    {"gpt-4o-mini*", RULE_TILES, 5667, 2833, 1500, 100, 0},
    {"gpt-4.1-mini*", RULE_PATCHES, 1536, 162, 1500, 100, 0},
    {"gpt-4.1-nano*", RULE_PATCHES, 1536, 246, 1500, 100, 0},
    {"o4-mini*", RULE_PATCHES, 1536, 172, 1500, 100, 0},
    {"codex-mini*", RULE_PATCHES, 1536, 172, 1500, 100, 0},
    {"gpt-5-mini*", RULE_PATCHES, 1536, 120, 1500, 100, 0},
    {"gpt-5-nano*", RULE_PATCHES, 1536, 150, 1500, 100, 0},
    {"gpt-5.4-mini*", RULE_PATCHES, 1536, 120, 1500, 100, 0},
    {"gpt-5.4-nano*", RULE_PATCHES, 1536, 120, 1500, 100, 0},
    {"gpt-5.[2-3]*", RULE_PATCHES, 1536, 120, 1500, 100, 0},
    {"gpt-5.[4-9]*", RULE_PATCHES, 2500, 120, 1500, 100, 0},
    {"gpt-5*", RULE_TILES, 140, 70, 1500, 100, 0},
    {"o[1-3]*", RULE_TILES, 150, 75, 1500, 100, 0},
    {"computer-use*", RULE_TILES, 129, 65, 1500, 100, 0},
    {"*claude-opus-4[-.][7-9]*", RULE_VISUAL, 4784, 2576, 3500, 0, 0},
    {"*claude-3*", RULE_VISUAL, 1568, 1568, 3500, 0, 0},
    {"*claude-*-4*", RULE_VISUAL, 1568, 1568, 3500, 0, 0},
    {"*claude*", RULE_VISUAL, 4784, 2576, 3500, 0, 0},
    {"gemini-[12]*", RULE_CROPS, 258, 0, 258, 320, 290},
    {"gemini*", RULE_FIXED, 1120, 0, 560, 320, 102},
    {"gemma*", RULE_FIXED, 256, 0, 256, 320, 290},
    {"*", RULE_TILES, 170, 85, 1500, 320, 290},
};

enum {
  PAGE_BYTES = 50000,   /* of a document whose pages are not to be seen */
  AUDIO_BYTES = 16000,  /* a second, as MP3 mostly has it */
  VIDEO_BYTES = 125000, /* a second of film as it is sent to models */
};

static const struct media_rule *rule_of(struct str model) {
  const struct media_rule *r = rules;
  while (!token_family_match(r->pattern, model)) r++; /* the last takes all */
  return r;
}

static double cells(double width, double height, double side) { return ceil(width / side) * ceil(height / side); }

static double tiles(double w, double h) {
  double longer = fmax(w, h), fit = longer > 2048 ? 2048 / longer : 1, shorter = fmin(w, h) * fit;
  if (shorter > 768) fit *= 768 / shorter;
  return cells(floor(w * fit), floor(h * fit), 512);
}

/* Scaled to at most so many patches, then a little more so that one side has whole ones. */
static double patches(double w, double h, double limit) {
  if (cells(w, h, 32) <= limit) return cells(w, h, 32);
  double fit = sqrt(32 * 32 * limit / (w * h)), across = w * fit / 32, down = h * fit / 32;
  double less = fmin(fmax(floor(across), 1) / across, fmax(floor(down), 1) / down);
  return fmin(limit, ceil(across * less - 1e-6) * ceil(down * less - 1e-6));
}

static double visual(double w, double h, double limit, double side) {
  double fit = fmin(1, side / fmax(w, h));
  if (cells(w * fit, h * fit, 28) > limit) fit = fmin(fit, sqrt(28 * 28 * limit / (w * h)));
  return fmin(limit, cells(floor(w * fit), floor(h * fit), 28));
}

static double crops(double w, double h) {
  if (w <= 384 && h <= 384) return 1;
  return cells(w, h, fmin(768, fmax(256, floor(fmin(w, h) / 1.5))));
}

static int64_t at_least_one(double tokens) { return tokens < 1 ? 1 : tokens > 1e12 ? (int64_t)1e12 : (int64_t)tokens; }

int64_t media_tokens_image(struct str model, struct image_size size, struct str detail) {
  enum { SIDE_MAX = 65536 }; /* what is larger is refused by every vendor; sizes are clients' claims */
  const struct media_rule *r = rule_of(model);
  double w = size.width < SIDE_MAX ? size.width : SIDE_MAX, h = size.height < SIDE_MAX ? size.height : SIDE_MAX;
  switch (r->rule) {
    case RULE_TILES: return str_eq(detail, STR("low")) ? r->b : at_least_one(r->b + r->a * tiles(w, h));
    case RULE_PATCHES: return at_least_one(ceil(patches(w, h, r->a) * r->b / 100));
    case RULE_VISUAL: return at_least_one(visual(w, h, r->a, r->b));
    case RULE_CROPS: return at_least_one(r->a * crops(w, h));
    default: return r->a;
  }
}

int64_t media_tokens(struct str model, enum media_kind kind, struct str base64, struct str detail) {
  struct image_size size = {1024, 1024};
  const struct media_rule *r = rule_of(model);
  double bytes = (double)base64.n * 3 / 4, tenths;
  switch (kind) {
    case MEDIA_IMAGE: image_size_read(base64, &size); return media_tokens_image(model, size, detail);
    case MEDIA_DOCUMENT: {
      uint32_t pages = image_size_pdf_pages(base64);
      return at_least_one(r->page * (pages ? pages : ceil(bytes / PAGE_BYTES)));
    }
    case MEDIA_AUDIO:
      tenths = (double)image_size_wav_deciseconds(base64);
      return at_least_one(r->audio_second_10 * (tenths > 0 ? tenths / 100 : bytes / AUDIO_BYTES / 10));
    default: return at_least_one(r->video_second * ceil(bytes / VIDEO_BYTES));
  }
}
