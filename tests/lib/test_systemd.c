/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Without a bus; with systemd: selftests/variants/systemd.sh. */
#include "systemd.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "scope.h"

Test(systemd, no_system_bus_is_named_with_the_fix)
{
	struct pol_systemd *systemd = NULL;
	struct pol_err err = {};

	cr_assert_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/no/such/bus", 1), 0);
	cr_assert_lt(pol_systemd_open(false, &systemd, &err), 0);
	cr_assert_null(systemd);
	cr_assert_eq(err.kind, POL_ERR_HOST);
	cr_assert(strstr(err.message, "over the system bus"), "%s", err.message);
	cr_assert(strstr(err.fix, "dbus.socket"), "%s", err.fix);
}

Test(systemd, no_user_bus_is_named_with_the_fix)
{
	struct pol_systemd *systemd = NULL;
	struct pol_err err = {};

	cr_assert_eq(unsetenv("DBUS_SESSION_BUS_ADDRESS"), 0);
	cr_assert_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
	cr_assert_lt(pol_systemd_open(true, &systemd, &err), 0);
	cr_assert_null(systemd);
	cr_assert_eq(err.kind, POL_ERR_HOST);
	cr_assert(strstr(err.message, "over the user bus"), "%s", err.message);
	cr_assert(strstr(err.fix, "XDG_RUNTIME_DIR"), "%s", err.fix);
}

Test(scope, needs_a_bus)
{
	const struct pol_limits limits = { .fds = POL_LIMIT_UNSET, .pids = 1 };
	struct pol_scope *scope = NULL;
	struct pol_err err = {};

	cr_assert_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/no/such/bus", 1), 0);
	cr_assert_eq(setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/bus", 1), 0);
	cr_assert_lt(pol_scope_open("g", &limits, &scope, &err), 0);
	cr_assert_null(scope);
	cr_assert_eq(err.kind, POL_ERR_HOST);
}

static void *refused_as_thread(void *data)
{
	const pid_t *process = data;
	struct pol_err err = {};
	char want[64];

	(void)snprintf(want, sizeof(want), "%d is a thread of process %d", gettid(), *process);
	cr_assert_eq(pol_scope_target(gettid(), &err), -EINVAL);
	cr_assert_str_eq(err.message, want);
	return NULL;
}

Test(scope, takes_processes_not_threads)
{
	struct pol_err err = {};
	pid_t pid = getpid();
	pthread_t thread;

	cr_assert_eq(pol_scope_target(getppid(), &err), 0);
	cr_assert_eq(pthread_create(&thread, NULL, refused_as_thread, &pid), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
}
