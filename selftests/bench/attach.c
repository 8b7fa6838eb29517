/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attach - attach programs of empty.bpf.c or pieces.bpf.c, and hold them until stdin ends.
 *
 *	attach PROGRAM...
 *
 * Says "attached" once all of them are. "empty_file_alloc" stands for whichever of its two kinds
 * this kernel takes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "programs.skel.h"

static int print_warning(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

static int choose_one(struct programs *skel, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, name);

	if (prog)
		return bpf_program__set_autoload(prog, true);
	fprintf(stderr, "attach: no program '%s'\n", name);
	return -1;
}

/* @fmod: take the program that stands in for empty_file_alloc. Only pieces need maps. */
static int choose(struct programs *skel, char *names[], bool fmod)
{
	bool maps = names[0] && !strncmp(names[0], "piece_", 6);
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, skel->obj)
		bpf_map__set_autocreate(map, maps);
	for (; *names && !r; names++)
		r = choose_one(skel, fmod && !strcmp(*names, "empty_file_alloc") ?
					     "empty_file_alloc_fmod" :
					     *names);
	return r;
}

/* The key that piece_hash_hit finds. */
static int fill(struct programs *skel)
{
	const char key[24] = "", value[16] = "";
	int fd = bpf_map__fd(skel->maps.rules);

	return fd < 0 ? 0 : bpf_map_update_elem(fd, key, value, BPF_ANY);
}

static struct programs *attach(char *names[], bool fmod)
{
	struct programs *skel = programs__open();

	if (skel && !choose(skel, names, fmod) && !programs__load(skel) && !fill(skel) &&
	    !programs__attach(skel))
		return skel;
	programs__destroy(skel);
	return NULL;
}

static struct programs *attach_either(char *names[])
{
	struct programs *skel = attach(names, false);

	return skel ? skel : attach(names, true);
}

int main(int argc, char *argv[])
{
	struct programs *skel;
	char byte;

	(void)argc;
	libbpf_set_print(NULL);
	skel = attach_either(argv + 1);
	if (!skel) {
		libbpf_set_print(print_warning); /* once more, to be told why */
		skel = attach_either(argv + 1);
	}
	if (!skel) {
		perror("attach");
		return 1;
	}
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	programs__destroy(skel);
	return 0;
}
