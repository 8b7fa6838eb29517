/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program compiled against policy.h has of it in its own code: sizes and offsets of the
 * structures, numbers of the enumerations. Compared with tests/libpolicy/layout.
 */
#include <policy/policy.h>
#include <stdio.h>

#define STRUCT(type) printf("struct %s %zu\n", #type, sizeof(struct type))
#define MEMBER(type, member)                                                  \
	printf("  %-16s %4zu %4zu\n", #member, offsetof(struct type, member), \
	       sizeof(((struct type *)0)->member))
#define NUMBER(name) printf("%-24s %d\n", #name, (int)(name))

static void print_errors(void)
{
	STRUCT(pol_error);
	MEMBER(pol_error, size);
	MEMBER(pol_error, code);
	MEMBER(pol_error, kind);
	MEMBER(pol_error, message);
	MEMBER(pol_error, fix);
	NUMBER(POL_ERROR_FAILED);
	NUMBER(POL_ERROR_USAGE);
	NUMBER(POL_ERROR_POLICY);
	NUMBER(POL_ERROR_HOST);
	NUMBER(POL_ERROR_BUSY);
}

static void print_policies(void)
{
	STRUCT(pol_diagnostic);
	MEMBER(pol_diagnostic, size);
	MEMBER(pol_diagnostic, warning);
	MEMBER(pol_diagnostic, line);
	MEMBER(pol_diagnostic, column);
	MEMBER(pol_diagnostic, reserved);
	MEMBER(pol_diagnostic, file);
	MEMBER(pol_diagnostic, code);
	MEMBER(pol_diagnostic, message);
	MEMBER(pol_diagnostic, help);
	MEMBER(pol_diagnostic, source);
	STRUCT(pol_loaded);
	MEMBER(pol_loaded, size);
	MEMBER(pol_loaded, generation);
	MEMBER(pol_loaded, guests);
	MEMBER(pol_loaded, rules);
	MEMBER(pol_loaded, replaced);
	MEMBER(pol_loaded, reserved);
	NUMBER(POL_CHECK_OFFLINE);
	NUMBER(POL_CHECK_STRICT);
	NUMBER(POL_LOAD_DRY_RUN);
	NUMBER(POL_LOAD_REANCHOR);
	NUMBER(POL_LOAD_FORCE);
}

static void print_guests(void)
{
	STRUCT(pol_run_fd);
	MEMBER(pol_run_fd, fd);
	MEMBER(pol_run_fd, as);
	STRUCT(pol_run);
	MEMBER(pol_run, size);
	MEMBER(pol_run, path);
	MEMBER(pol_run, argv);
	MEMBER(pol_run, envp);
	MEMBER(pol_run, keep_fds);
	MEMBER(pol_run, keep_fds_count);
	MEMBER(pol_run, groups);
	MEMBER(pol_run, groups_count);
	MEMBER(pol_run, flags);
	MEMBER(pol_run, uid);
	MEMBER(pol_run, gid);
	MEMBER(pol_run, reserved);
	MEMBER(pol_run, place_fds);
	MEMBER(pol_run, place_fds_count);
	STRUCT(pol_stopped);
	MEMBER(pol_stopped, size);
	MEMBER(pol_stopped, tasks);
	MEMBER(pol_stopped, killed);
	MEMBER(pol_stopped, removed);
	NUMBER(POL_SELF_THREAD);
	NUMBER(POL_SELF_PROCESS);
	NUMBER(POL_RUN_USER);
	NUMBER(POL_RUN_NO_NEW_PRIVS);
}

static void print_info(void)
{
	STRUCT(pol_budget);
	MEMBER(pol_budget, now);
	MEMBER(pol_budget, peak);
	MEMBER(pol_budget, ceiling);
	MEMBER(pol_budget, left);
	MEMBER(pol_budget, refused);
	MEMBER(pol_budget, has);
	MEMBER(pol_budget, reserved);
	STRUCT(pol_guest_info);
	MEMBER(pol_guest_info, size);
	MEMBER(pol_guest_info, name);
	MEMBER(pol_guest_info, id);
	MEMBER(pol_guest_info, audit);
	MEMBER(pol_guest_info, generation);
	MEMBER(pol_guest_info, tasks);
	MEMBER(pol_guest_info, fds);
	MEMBER(pol_guest_info, pids);
	MEMBER(pol_guest_info, memory);
	MEMBER(pol_guest_info, denials);
	MEMBER(pol_guest_info, would_deny);
	MEMBER(pol_guest_info, escapes);
	MEMBER(pol_guest_info, orphaned);
	MEMBER(pol_guest_info, stale);
	MEMBER(pol_guest_info, shadows);
	MEMBER(pol_guest_info, shadows_stale);
	MEMBER(pol_guest_info, shadow_bytes);
	MEMBER(pol_guest_info, shadow_budget);
	STRUCT(pol_ceilings);
	MEMBER(pol_ceilings, size);
	MEMBER(pol_ceilings, set);
	MEMBER(pol_ceilings, lift);
	MEMBER(pol_ceilings, fds);
	MEMBER(pol_ceilings, pids);
	MEMBER(pol_ceilings, memory);
	MEMBER(pol_ceilings, swap);
	MEMBER(pol_ceilings, cpu_milli);
	NUMBER(POL_CEILING_FDS);
	NUMBER(POL_CEILING_PIDS);
	NUMBER(POL_CEILING_MEMORY);
	NUMBER(POL_CEILING_SWAP);
	NUMBER(POL_CEILING_CPU);
	NUMBER(POL_HAS_NOW);
	NUMBER(POL_HAS_PEAK);
	NUMBER(POL_HAS_CEILING);
}

static void print_ends(void)
{
	STRUCT(pol_exit);
	MEMBER(pol_exit, size);
	MEMBER(pol_exit, guest);
	MEMBER(pol_exit, seq);
	MEMBER(pol_exit, start_ns);
	MEMBER(pol_exit, end_ns);
	MEMBER(pol_exit, guest_id);
	MEMBER(pol_exit, pid);
	MEMBER(pol_exit, parent);
	MEMBER(pol_exit, uid);
	MEMBER(pol_exit, gid);
	MEMBER(pol_exit, code);
	MEMBER(pol_exit, signal);
	MEMBER(pol_exit, status);
	MEMBER(pol_exit, by);
	MEMBER(pol_exit, command);
	NUMBER(POL_ENDED_EXIT);
	NUMBER(POL_ENDED_SIGNAL);
	NUMBER(POL_ENDED_OOM);
	NUMBER(POL_ENDED_CEILING);
	NUMBER(POL_ENDED_POLICY);
	NUMBER(POL_ENDED_UNKNOWN);
	NUMBER(POL_EXITS_KEPT);
	NUMBER(POL_MAP_READ_ONLY);
}

static void print_shadows(void)
{
	NUMBER(POL_SHADOW_MAKE_EXEC);
	NUMBER(POL_SHADOW_MAKE_LAZY);
	STRUCT(pol_shadow_limits);
	MEMBER(pol_shadow_limits, size);
	MEMBER(pol_shadow_limits, max_size);
	MEMBER(pol_shadow_limits, budget);
	NUMBER(POL_SHADOW_IS_EXEC);
	NUMBER(POL_SHADOW_IS_STALE);
	NUMBER(POL_SHADOW_IS_LAZY);
	STRUCT(pol_shadow);
	MEMBER(pol_shadow, size);
	MEMBER(pol_shadow, bytes);
	MEMBER(pol_shadow, made_ns);
	MEMBER(pol_shadow, inode);
	MEMBER(pol_shadow, flags);
	MEMBER(pol_shadow, reserved);
	MEMBER(pol_shadow, guest);
	MEMBER(pol_shadow, path);
}

static void print_lazy(void)
{
	STRUCT(pol_lazy_mapping);
	MEMBER(pol_lazy_mapping, size);
	MEMBER(pol_lazy_mapping, address);
	MEMBER(pol_lazy_mapping, length);
	MEMBER(pol_lazy_mapping, uffd);
	MEMBER(pol_lazy_mapping, flags);
	NUMBER(POL_LAZY_USER_ONLY);
}

int main(void)
{
	print_errors();
	print_policies();
	print_guests();
	print_shadows();
	print_info();
	print_ends();
	print_lazy();
	return 0;
}
