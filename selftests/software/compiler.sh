# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A build, in the directory that it is started in: a static and a shared library, and a program that
# is linked with them.
set -eu
export TMPDIR="$PWD/tmp"
mkdir -p tmp src

cat >src/sum.c <<'EOF'
int sum(const int *v, int n)
{
	int s = 0;

	while (n--)
		s += v[n];
	return s;
}
EOF
cat >src/say.c <<'EOF'
#include <stdarg.h>
#include <stdio.h>

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}
EOF
cat >src/main.c <<'EOF'
#include <stdlib.h>
#include "libs.h"

int main(void)
{
	int v[] = { 1, 2, 3, 4 };

	say("sum %d\n", sum(v, 4));
	return sum(v, 4) == 10 ? 3 : EXIT_FAILURE;
}
EOF
cat >src/libs.h <<'EOF'
int sum(const int *v, int n);
void say(const char *fmt, ...);
EOF
cat >Makefile <<'EOF'
CFLAGS = -O2 -g -Wall -MMD
prog: main.o libsum.a libsay.so
	$(CC) -o $@ main.o libsum.a -L. -lsay -Wl,-rpath,$(CURDIR)
libsum.a: sum.o
	$(AR) rcs $@ $^
libsay.so: say.c
	$(CC) $(CFLAGS) -shared -fPIC -o $@ $<
%.o: %.c
	$(CC) $(CFLAGS) -c -o $@ $<
vpath %.c src
EOF
make -s -j2
echo 'int main(void) { return 5; }' | gcc -save-temps=obj -x c -o five -
ls
make -s -j2 && touch src/libs.h && make && strip five
gcc -o broken -x c - <<'EOF' 2>/dev/null || echo "an error: $?"
int main(void) { return }
EOF
ls tmp
