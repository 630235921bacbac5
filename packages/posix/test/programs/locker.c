/* Locks a pid file as libvirt does, says so, and waits: FILE TEXT. Or says who has it locked: FILE. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  char text[32] = {0};
  int fd = open(argv[1], O_RDWR | O_CREAT, 0644);
  if (fd < 0) return 1;
  if (argc == 2) {
    if (fcntl(fd, F_GETLK, &lock) < 0 || read(fd, text, sizeof text - 1) < 0) return 2;
    printf("%d %s\n", lock.l_type == F_UNLCK ? 0 : (int)lock.l_pid, text);
    return 0;
  }
  if (fcntl(fd, F_SETLK, &lock) < 0) return 3;
  snprintf(text, sizeof text, "%d", (int)getpid());
  const char *wanted = strcmp(argv[2], "self") == 0 ? text : argv[2];
  if (ftruncate(fd, 0) < 0 || write(fd, wanted, strlen(wanted)) < 0) return 4;
  puts("locked");
  fflush(stdout);
  while (read(0, text, 1) > 0) {
  }
  return 0;
}
