/* The smallest program: linked statically it starts without the dynamic linker. */
int main(void) { return 0; }
