/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl VERB: the table of verbs, --help and --version. */
#include <bpf/libbpf.h>
#include <string.h>

#include "abi.h"
#include "base.h"
#include "ctl.h"
#include "descriptors.h"
#include "version.h"

static const struct command {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "check", "parse, resolve and lint a policy; touches nothing", cmd_check },
	{ "load", "install or atomically replace the policy", cmd_load },
	{ "unload", "remove everything", cmd_unload },
	{ "run", "start a program as a guest", cmd_run },
	{ "stop", "end a guest's processes, remove its cgroup", cmd_stop },
	{ "wait", "block until a guest or process has ended, print its exit", cmd_wait },
	{ "attach", "make running processes a guest's", cmd_attach },
	{ "detach", "free processes that are a guest's", cmd_detach },
	{ "status", "what is loaded, and every guest's numbers", cmd_status },
	{ "top", "the same, live", cmd_top },
	{ "events", "refusals, exits and the rest, as text or JSON", cmd_events },
	{ "test", "run a policy's own tests, in a model and in the kernel", cmd_test },
	{ "explain", "what the kernel would say of an access, and why", cmd_explain },
	{ "doctor", "what this kernel and host lack, with the fix", cmd_doctor },
};

static void print_help(FILE *out)
{
	fputs("Usage: policyctl VERB [OPTION]... [ARGUMENT]...\n"
	      "\n"
	      "Confines guests - VM monitors, sandboxes, containers - in the kernel.\n"
	      "\n",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
	fputs("\n"
	      "  'policyctl VERB --help' tells more; 'policyctl --version' the version.\n"
	      "\n"
	      "Exit status: 0 done, 1 failed, 2 usage, 3 invalid policy, 4 the kernel, host or user\n"
	      "lacks something, 5 busy.\n",
	      out);
}

int main(int argc, char **argv)
{
	if (pol_open_standard() < 0)
		return argc > 1 && !strcmp(argv[1], "run") ? 125 : POL_ERR_FAILED;
	(void)libbpf_set_print(NULL); /* what matters of it is in our messages */
	if (argc < 2) {
		print_help(stderr);
		return POL_ERR_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("policyctl %s (kernel interface %d)\n", POL_VERSION, POL_ABI_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "policyctl: no verb '%s'\ntry 'policyctl --help'\n", argv[1]);
	return POL_ERR_USAGE;
}
