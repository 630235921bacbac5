/*
 * What no library can beat: the same work in C. `limit WAY AMOUNT MEBIBYTES PROGRAM ARGUMENTS`; it fills so much memory, and
 * for each line on stdin it does the work once and answers with JSON: `taken`, in milliseconds, and `bytes`.
 *
 * start: everything /dev/null. block: the same, but only the call is timed. crowd: so many at once. capture: stdout is a
 * pipe, read into a buffer that grows. stream: read and dropped. lines: read and counted. feed: so many bytes to stdin, stdout
 * is the number that it gives. talk: so many small messages, there and back.
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

enum { MESSAGE = 64, CHUNK = 64 * 1024 };

static posix_spawnattr_t attributes;
static int null;
/* Not static, or the compiler would see that nobody needs it. */
char *filled;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* Where `in` or `out` is given there is a pipe, and our end of it is put there. */
static pid_t begin(char **argv, int *in, int *out, double *called) {
  int ins[2] = {null, -1}, outs[2] = {-1, null};
  pid_t pid;
  posix_spawn_file_actions_t actions;
  if (in && pipe2(ins, O_CLOEXEC) != 0) die("pipe2");
  if (out && pipe2(outs, O_CLOEXEC) != 0) die("pipe2");
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ins[0], 0);
  posix_spawn_file_actions_adddup2(&actions, outs[1], 1);
  posix_spawn_file_actions_adddup2(&actions, null, 2);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
  double before = now();
  if (posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ) != 0) die("posix_spawnp");
  if (called) *called = now() - before;
  posix_spawn_file_actions_destroy(&actions);
  if (in) close(ins[0]), *in = ins[1];
  if (out) close(outs[1]), *out = outs[0];
  return pid;
}

static void end(pid_t pid) {
  int status;
  if (waitpid(pid, &status, 0) != pid || status != 0) die("waitpid");
}

/* Reads to the end; the number of bytes. */
static long long drain(int fd, int keep) {
  size_t size = CHUNK, length = 0;
  long long total = 0;
  char *buffer = malloc(size);
  for (;;) {
    if (keep && size - length < CHUNK) buffer = realloc(buffer, size *= 2);
    if (buffer == NULL) die("realloc");
    ssize_t count = read(fd, buffer + length, size - length);
    if (count < 0) die("read");
    if (count == 0) break;
    total += count;
    if (keep) length += count;
  }
  free(buffer);
  return total;
}

static long long count_lines(int fd) {
  FILE *file = fdopen(fd, "r");
  char *line = NULL;
  size_t room = 0;
  long long lines = 0;
  while (getline(&line, &room, file) > 0) lines++;
  free(line);
  fclose(file);
  return lines;
}

static void feed(int fd, const char *input, size_t size) {
  while (size > 0) {
    ssize_t count = write(fd, input, size);
    if (count < 0) die("write");
    input += count, size -= count;
  }
  close(fd);
}

static void talk(int in, int out, long trips) {
  char message[MESSAGE] = {0};
  for (; trips > 0; trips--) {
    if (write(in, message, MESSAGE) != MESSAGE) die("write");
    for (ssize_t got = 0, count; got < MESSAGE; got += count)
      if ((count = read(out, message, MESSAGE - got)) <= 0) die("read");
  }
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  const char *way = argv[1];
  const long amount = atol(argv[2]);
  const size_t held = strtoul(argv[3], NULL, 10) << 20;
  char **command = argv + 4, *line = NULL;
  size_t room = 0;
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  null = open("/dev/null", O_RDWR | O_CLOEXEC);
  char *input = NULL;
  filled = malloc(held + 1);
  if (filled == NULL) die("malloc");
  memset(filled, 1, held + 1);
  if (strcmp(way, "feed") == 0 && (input = malloc(amount)) == NULL) die("malloc");
  if (input) memset(input, 'x', amount);
  while (getline(&line, &room, stdin) > 0) {
    long long bytes = 0;
    int in, out;
    double begun = now(), taken = 0;
    if (strcmp(way, "start") == 0) {
      end(begin(command, NULL, NULL, NULL));
    } else if (strcmp(way, "block") == 0) {
      end(begin(command, NULL, NULL, &taken));
    } else if (strcmp(way, "crowd") == 0) {
      pid_t *pids = calloc(amount, sizeof *pids);
      for (long i = 0; i < amount; i++) pids[i] = begin(command, NULL, NULL, NULL);
      for (long i = 0; i < amount; i++) end(pids[i]);
      free(pids);
    } else if (strcmp(way, "feed") == 0) {
      char text[32] = {0};
      pid_t pid = begin(command, &in, &out, NULL);
      feed(in, input, amount);
      if (read(out, text, sizeof text - 1) < 0) die("read");
      bytes = atoll(text);
      close(out);
      end(pid);
    } else if (strcmp(way, "talk") == 0) {
      pid_t pid = begin(command, &in, &out, NULL);
      talk(in, out, 1);
      begun = now();
      talk(in, out, amount);
      taken = now() - begun;
      close(in);
      close(out);
      end(pid);
    } else {
      pid_t pid = begin(command, NULL, &out, NULL);
      if (strcmp(way, "lines") == 0) {
        bytes = count_lines(out);
      } else {
        bytes = drain(out, strcmp(way, "capture") == 0);
        close(out);
      }
      end(pid);
    }
    if (taken == 0) taken = now() - begun;
    printf("{\"taken\":%.6f,\"bytes\":%lld}\n", taken, bytes);
    fflush(stdout);
  }
  return 0;
}
