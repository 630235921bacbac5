// Where it is root's and setuid, nobody else may signal it. Says its pid, and stays unless it has an argument.
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (setgid(0) != 0 || setuid(0) != 0) return 1;
  printf("%d\n", getpid());
  fflush(stdout);
  if (argc == 1) sleep(60);
}
