/* Runs a fuzz target over every file of a corpus folder, each whole and cut at every length up to 2 KiB; part of make
 * test. Exit 1 when the folder has no file, so that a lost corpus is noticed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
  DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
  if (!dir) {
    fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  unsigned files = 0, runs = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    FILE *f = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
    if (!f) continue;
    uint8_t *data = malloc(1 << 22);
    size_t size = data ? fread(data, 1, 1 << 22, f) : 0;
    fclose(f);
    files++;
    for (size_t cut = 0; cut < size && cut < 2048; cut++, runs++) {
      uint8_t *copy = malloc(cut ? cut : 1); /* an exact allocation, so that a read past the end is seen */
      for (size_t i = 0; i < cut; i++) copy[i] = data[i];
      LLVMFuzzerTestOneInput(copy, cut);
      free(copy);
    }
    LLVMFuzzerTestOneInput(data, size);
    runs++;
    free(data);
  }
  closedir(dir);
  printf("%u files, %u runs\n", files, runs);
  return files ? 0 : 1;
}
