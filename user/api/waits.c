/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pol_guest_wait(), pol_process_wait(). */
#include <errno.h>

#include "base.h"
#include "exit_fill.h"
#include "guest_wait.h"
#include "handback.h"
#include "pidwait.h"

static int check_size(const struct pol_exit *ret, struct pol_error *error)
{
	if (!ret || ret->size >= sizeof(*ret))
		return 0;
	return pol_fail_usage(error, "the size of struct pol_exit is not set");
}

static void hand_exit(const struct pol_event_view *view, struct pol_names *names,
		      struct pol_exit *ret)
{
	struct pol_exit end;

	if (!ret)
		return;
	pol_exit_fill(view, names, &end);
	(void)pol_hand_back(ret, sizeof(end), &end, sizeof(end));
}

static int wait_guest(const char *guest, struct pol_exit *ret, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_names_done) struct pol_names names = {};
	struct pol_event_view view;
	uint32_t id;
	int r = pol_engine_open(&engine, err);

	if (r < 0)
		return r;
	names.control = engine->control;
	r = pol_names_guest_id(&names, guest, &id);
	if (r < 0)
		return pol_err_say(err, POL_ERR_FAILED, r, "the loaded policy has no guest '%s'",
				   guest);
	r = pol_guest_await(engine, guest, id, &view, err);
	if (!r)
		hand_exit(&view, &names, ret);
	return r;
}

int pol_guest_wait(const char *guest, struct pol_exit *ret, struct pol_error *error)
{
	struct pol_err err = {};
	int r = check_size(ret, error);

	if (r < 0)
		return r;
	r = wait_guest(guest, ret, &err);
	return r < 0 ? pol_fail(error, r, &err) : 0;
}

/* Names are the engine's, if it was a guest's and the engine is still there. */
static void hand_process(const struct pol_event_view *view, enum pol_pidwait_step step,
			 struct pol_exit *ret)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_names_done) struct pol_names names = {};
	bool named = step == POL_PIDWAIT_ENGINE && !pol_engine_open(&engine, NULL);

	if (named)
		names.control = engine->control;
	hand_exit(view, named ? &names : NULL, ret);
}

int pol_process_wait(pid_t pid, uint64_t start_ns, struct pol_exit *ret, struct pol_error *error)
{
	enum pol_pidwait_step step;
	struct pol_event_view view;
	struct pol_err err = {};
	int r = check_size(ret, error);

	if (r < 0)
		return r;
	r = pol_pidwait(pid, start_ns, &view, &step);
	if (!r && step == POL_PIDWAIT_NOBODY)
		r = -ESRCH;
	if (r < 0) {
		pol_err_set(&err, POL_ERR_FAILED, r, "cannot wait for process %d", pid);
		return pol_fail(error, r, &err);
	}
	hand_process(&view, step, ret);
	return 0;
}
