/*
 * `touch MEBIBYTES`: writes to so much memory once, in large pages where there are some. What a virtual machine has not used
 * before, or not for long, it is only given by its host then, and that takes twenty times as long as anything after it.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  const size_t size = strtoul(argv[1], NULL, 10) << 20, page = sysconf(_SC_PAGESIZE);
  volatile char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  madvise((void *)memory, size, MADV_HUGEPAGE);
  for (size_t at = 0; at < size; at += page) memory[at] = 1;
  return 0;
}
