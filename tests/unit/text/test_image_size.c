/* Headers are made from the formats' specifications; the files behind them are cut at every byte. */
#include "text/image_size.h"

#include "base/base64.h"
#include "unit.h"

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02\0\0\0"
#define GIF "GIF89a\x40\x01\xc8\0\0\0"
#define BMP "BM............\x28\0\0\0\x64\0\0\0\xce\xff\xff\xff" /* 100 x -50: rows from the top */
#define BMP_CORE "BM............\x0c\0\0\0\x07\0\x09\0"
/* A fill byte before the frame header, and a table (DHT, C4), which is none. */
#define JPEG "\xff\xd8\xff\xe0\0\x04JF\xff\xc4\0\x03z\xff\xff\xc2\0\x11\x08\x01\xe0\x02\x80\x03"
#define WEBP "RIFF....WEBPVP8 ....\0\0\0\x9d\x01\x2a\x26\x02\x70\x01"
#define WEBP_LOSSLESS "RIFF....WEBPVP8L....\x2f\x8f\xc1\x4a\0"
#define WEBP_EXTENDED "RIFF....WEBPVP8X....\0\0\0\0\x8f\x01\0\x2b\x01\0"

static struct str encoded(struct buf *out, struct str bytes) {
  buf_reset(out);
  base64_put(out, bytes);
  return buf_str(out);
}

TEST(sizes_are_in_the_headers) {
  static const struct {
    struct str bytes;
    uint32_t width, height;
  } rows[] = {{STR(PNG), 640, 480},           {STR(GIF), 320, 200},          {STR(BMP), 100, 50},
              {STR(BMP_CORE), 7, 9},          {STR(JPEG), 640, 480},         {STR(WEBP), 550, 368},
              {STR(WEBP_LOSSLESS), 400, 300}, {STR(WEBP_EXTENDED), 400, 300}};
  struct buf text;
  buf_init(&text, 0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct image_size size = {0};
    if (!image_size_read(encoded(&text, rows[i].bytes), &size)) print_error("row %zu\n", i);
    assert_int_equal(size.width, rows[i].width);
    assert_int_equal(size.height, rows[i].height);
    /* Cut, it says all or nothing. */
    for (size_t n = 0; n < rows[i].bytes.n; n++) {
      struct image_size cut = {0};
      if (image_size_read(encoded(&text, str_sub(rows[i].bytes, 0, n)), &cut))
        assert_true(cut.width == rows[i].width && cut.height == rows[i].height);
      else
        assert_true(cut.width == 0 && cut.height == 0);
    }
  }
  buf_clear(&text);
}

TEST(what_says_nothing_is_unknown) {
  static const struct str rows[] = {
      STR(""),        STR("iVBORw0KGgo="), STR("!!!!"), STR("aGVsbG8="), STR("R0lGODlhAAAAAA==") /* 0 x 0 */,
      STR("/9j/2gAA") /* data before a frame */};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct image_size size;
    assert_false(image_size_read(rows[i], &size));
  }
}

TEST(pages_are_page_objects) {
  struct buf text;
  buf_init(&text, 0);
  assert_int_equal(image_size_pdf_pages(encoded(&text, STR("%PDF-1.4 <</Type/Pages/Count 3>> <</Type/Page>> "
                                                           "<</Type /Page/Parent 1 0 R>> <</Type\n/Page"))),
                   3);
  assert_int_equal(image_size_pdf_pages(encoded(&text, STR("%PDF-1.4 /Type/PageLabel /Typ/Page /Type/ Page"))), 0);
  assert_int_equal(image_size_pdf_pages(encoded(&text, STR("/Type/Page "))), 0);
  assert_int_equal(image_size_pdf_pages(STR("")), 0);
  buf_clear(&text);
}

TEST(sound_lasts_as_its_header_says) {
  static const char head[] =
      "RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data"; /* 32000 bytes a second */
  struct buf bytes, text;
  buf_init(&bytes, 0);
  buf_init(&text, 0);
  buf_put(&bytes, str_from(head, sizeof head - 1));
  while (bytes.n < 64000) buf_put_char(&bytes, 0);
  assert_int_equal(image_size_wav_deciseconds(encoded(&text, buf_str(&bytes))), 20);
  assert_int_equal(image_size_wav_deciseconds(STR("SUQz")), 0);
  buf_clear(&bytes);
  buf_clear(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes_are_in_the_headers),
      cmocka_unit_test(what_says_nothing_is_unknown),
      cmocka_unit_test(pages_are_page_objects),
      cmocka_unit_test(sound_lasts_as_its_header_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
