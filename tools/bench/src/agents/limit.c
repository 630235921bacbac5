/*
 * What no library can beat: the same work in C. `limit WAY PROGRAM ARGUMENTS`; for each line on stdin it does the work once
 * and writes how many nanoseconds that took and how many bytes the program wrote.
 *
 * start: everything /dev/null. capture: stdout is a pipe, read into a buffer that grows. stream: read and dropped.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Reads to the end; the number of bytes, or -1. */
static long long drain(int fd, int keep) {
  size_t size = 64 * 1024, length = 0;
  long long total = 0;
  char *buffer = malloc(size);
  for (;;) {
    if (keep && size - length < 64 * 1024) buffer = realloc(buffer, size *= 2);
    if (buffer == NULL) return -1;
    ssize_t count = read(fd, buffer + length, size - length);
    if (count < 0) return -1;
    if (count == 0) break;
    total += count;
    if (keep) length += count;
  }
  free(buffer);
  return total;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const int capture = strcmp(argv[1], "capture") == 0, piped = capture || strcmp(argv[1], "stream") == 0;
  char *line = NULL;
  size_t room = 0;
  posix_spawnattr_t attributes;
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  while (getline(&line, &room, stdin) > 0) {
    posix_spawn_file_actions_t actions;
    int ends[2] = {-1, null}, status;
    long long bytes = 0, begun = now();
    pid_t pid;
    if (piped && pipe2(ends, O_CLOEXEC) != 0) return 1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, null, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, null, 2);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
    if (posix_spawnp(&pid, argv[2], &actions, &attributes, argv + 2, environ) != 0) return 1;
    if (piped) {
      close(ends[1]);
      if ((bytes = drain(ends[0], capture)) < 0) return 1;
      close(ends[0]);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0) return 1;
    posix_spawn_file_actions_destroy(&actions);
    printf("%lld %lld\n", now() - begun, bytes);
    fflush(stdout);
  }
  return 0;
}
