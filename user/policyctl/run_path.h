/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl run: its own exit statuses, and the program's file. */
#pragma once

/* Failures of ours, whatever their kind: CMD's own status must stay tellable. */
#define EXIT_OURS	 125
#define EXIT_CANNOT_EXEC 126
#define EXIT_NOT_FOUND	 127

/**
 * run_find_program() - the path of a command, by PATH if it has no slash; says so if there is none.
 * @root: of the paths, whose "/" is the working directory, too; -EBADF: those of this process.
 * @ret_status: EXIT_CANNOT_EXEC or EXIT_NOT_FOUND.
 * Return: to be freed; NULL.
 */
char *run_find_program(int root, const char *name, int *ret_status);
