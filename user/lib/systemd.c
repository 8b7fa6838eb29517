/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "systemd.h"

#include <string.h>
#include <systemd/sd-bus.h>

#include "base.h"
#include "here.h"

#define SERVICE	  "org.freedesktop.systemd1"
#define OBJECT	  "/org/freedesktop/systemd1"
#define MANAGER	  SERVICE ".Manager"
#define UNIT	  SERVICE ".Unit"
#define JOB_USEC  (25ull * 1000 * 1000) /* D-Bus' own default of a call; a scope takes milliseconds */

struct pol_systemd {
	sd_bus *bus;
	bool user;
	/* Of the job that is waited for; @job is empty between. */
	char job[128];
	char result[32];
};

/* ------------------------------------------------------------------ the connection */

static int refuse_bus(bool user, int code, struct pol_err *err)
{
	pol_err_set(err, POL_ERR_HOST, code, "cannot reach systemd over the %s bus",
		    user ? "user" : "system");
	if (user)
		return pol_err_fix(err, "log in with a session of systemd's (or 'loginctl "
					"enable-linger USER') and set XDG_RUNTIME_DIR=/run/user/%u; "
					"the package dbus-user-session is needed",
				   (unsigned int)geteuid());
	return pol_err_fix(err, "this host has to run systemd with a D-Bus system bus (dbus.socket, "
				"/run/dbus/system_bus_socket)");
}

/* A bus can be there without systemd on it. */
static int ask_version(sd_bus *bus)
{
	_cleanup_free_ char *version = NULL;

	return sd_bus_get_property_string(bus, SERVICE, OBJECT, MANAGER, "Version", NULL, &version);
}

int pol_systemd_open(bool user, struct pol_systemd **ret, struct pol_err *err)
{
	_cleanup_(pol_systemd_closep) struct pol_systemd *systemd = calloc(1, sizeof(*systemd));
	int r;

	if (!systemd)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot reach systemd");
	systemd->user = user;
	r = user ? sd_bus_open_user(&systemd->bus) : sd_bus_open_system(&systemd->bus);
	if (r >= 0)
		r = ask_version(systemd->bus);
	if (r < 0)
		return refuse_bus(user, r, err);
	*ret = TAKE_PTR(systemd);
	return 0;
}

void pol_systemd_closep(struct pol_systemd **systemd)
{
	if (*systemd)
		sd_bus_flush_close_unref((*systemd)->bus);
	free(*systemd);
}

/* systemd's own words are the best there are: they name the unit and the property. */
static int refuse_call(int code, const sd_bus_error *error, const char *what, const char *name,
		       struct pol_err *err)
{
	if (!error->message)
		return pol_err_set(err, POL_ERR_FAILED, code, "cannot %s '%s'", what, name);
	return pol_err_say(err, POL_ERR_FAILED, code, "cannot %s '%s': %s", what, name,
			   error->message);
}

static void done_error(sd_bus_error *error)
{
	sd_bus_error_free(error);
}

static void unrefp(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}

/* ------------------------------------------------------------------ properties */

static int read_text(struct pol_systemd *systemd, const char *object, const char *interface,
		     const char *property, char *buf, size_t size, const char *name,
		     struct pol_err *err)
{
	_cleanup_(done_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *text = NULL;
	int r = sd_bus_get_property_string(systemd->bus, SERVICE, object, interface, property,
					   &error, &text);

	if (r < 0)
		return refuse_call(r, &error, "look at", name, err);
	if (snprintf(buf, size, "%s", text) >= (int)size)
		return pol_err_set(err, POL_ERR_FAILED, -ENAMETOOLONG, "%s of '%s'", property, name);
	return 0;
}

int pol_systemd_cgroup(struct pol_systemd *systemd, char *buf, size_t size, struct pol_err *err)
{
	int r = read_text(systemd, OBJECT, MANAGER, "ControlGroup", buf, size, "systemd", err);

	if (!r && !*buf)
		(void)snprintf(buf, size, "/");
	return r;
}

/* The interface that has the unit's ControlGroup: "web.service" has it in ...Service. */
static int cgroup_interface(const char *name, char *buf, size_t size)
{
	const char *dot = strrchr(name, '.');

	if (!dot || !dot[1])
		return -EINVAL;
	(void)snprintf(buf, size, SERVICE ".%c%s", dot[1] & ~0x20, dot + 2);
	return 0;
}

/* @method: GetUnit or LoadUnit. */
static int find_unit(struct pol_systemd *systemd, const char *method, const char *name,
		     char *buf, size_t size, struct pol_err *err)
{
	_cleanup_(done_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(unrefp) sd_bus_message *reply = NULL;
	const char *object = NULL;
	int r = sd_bus_call_method(systemd->bus, SERVICE, OBJECT, MANAGER, method, &error, &reply,
				   "s", name);

	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &object);
	if (sd_bus_error_has_name(&error, SERVICE ".NoSuchUnit"))
		r = -ENOENT;
	if (r >= 0 && snprintf(buf, size, "%s", object) >= (int)size)
		r = -ENAMETOOLONG;
	return r < 0 ? refuse_call(r, &error, "find unit", name, err) : 0;
}

/* One of ExecStart=: path, words, and what became of it. Return: 1; 0: no more. */
static int take_command(sd_bus_message *reply, bool *ret_in_place)
{
	const char *path, *word, *name;
	int r = sd_bus_message_enter_container(reply, 'r', "sasbttttuii");

	if (r > 0)
		r = sd_bus_message_read(reply, "s", &path);
	if (r <= 0)
		return r;
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	r = sd_bus_message_enter_container(reply, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(reply, "s", &word)) > 0 && strcmp(word, "--") != 0)
		*ret_in_place |= !strcmp(name, "policyctl") && !strcmp(word, "--in-place");
	while (r > 0)
		r = sd_bus_message_read(reply, "s", &word);
	if (r >= 0)
		r = sd_bus_message_exit_container(reply);
	if (r >= 0)
		r = sd_bus_message_skip(reply, "bttttuii");
	if (r >= 0)
		r = sd_bus_message_exit_container(reply);
	return r < 0 ? r : 1;
}

static int read_command(struct pol_systemd *systemd, const char *object, const char *interface,
			const char *name, bool *ret_in_place, struct pol_err *err)
{
	_cleanup_(done_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(unrefp) sd_bus_message *reply = NULL;
	int r;

	*ret_in_place = false;
	if (strcmp(interface, SERVICE ".Service") != 0)
		return 0;
	r = sd_bus_get_property(systemd->bus, SERVICE, object, interface, "ExecStart", &error,
				&reply, "a(sasbttttuii)");
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(sasbttttuii)");
	while (r > 0)
		r = take_command(reply, ret_in_place);
	return r < 0 ? refuse_call(r, &error, "look at", name, err) : 0;
}

static int read_unit(struct pol_systemd *systemd, const char *object, const char *name,
		     struct pol_unit *ret, struct pol_err *err)
{
	char interface[64];
	int r = cgroup_interface(name, interface, sizeof(interface));

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "'%s' is no unit's name", name);
	r = read_text(systemd, object, UNIT, "LoadState", ret->load, sizeof(ret->load), name, err);
	if (!r)
		r = read_text(systemd, object, UNIT, "ActiveState", ret->active,
			      sizeof(ret->active), name, err);
	if (!r)
		r = read_text(systemd, object, UNIT, "Description", ret->description,
			      sizeof(ret->description), name, err);
	if (!r)
		r = read_text(systemd, object, interface, "ControlGroup", ret->cgroup,
			      sizeof(ret->cgroup), name, err);
	return r ? r : read_command(systemd, object, interface, name, &ret->in_place, err);
}

static int look_at_unit(struct pol_systemd *systemd, const char *method, const char *name,
			struct pol_unit *ret, struct pol_err *err)
{
	char object[512];
	int r = find_unit(systemd, method, name, object, sizeof(object), err);

	return r ? r : read_unit(systemd, object, name, ret, err);
}

int pol_systemd_unit(struct pol_systemd *systemd, const char *name, struct pol_unit *ret,
		     struct pol_err *err)
{
	return look_at_unit(systemd, "GetUnit", name, ret, err);
}

int pol_systemd_load(struct pol_systemd *systemd, const char *name, struct pol_unit *ret,
		     struct pol_err *err)
{
	return look_at_unit(systemd, "LoadUnit", name, ret, err);
}

/* ------------------------------------------------------------------ jobs */

static int take_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct pol_systemd *systemd = data;
	const char *object, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &object, &unit, &result) >= 0 &&
	    strcmp(object, systemd->job) == 0)
		(void)snprintf(systemd->result, sizeof(systemd->result), "%s", result);
	return 0;
}

/* Until the job of that object is over. Return: 0: done; -EIO: it failed; -ETIMEDOUT. */
static int wait_for_job(struct pol_systemd *systemd, const char *object, uint64_t usec)
{
	uint64_t end = pol_monotonic_us() + usec;

	(void)snprintf(systemd->job, sizeof(systemd->job), "%s", object);
	systemd->result[0] = '\0';
	while (!systemd->result[0]) {
		uint64_t now = pol_monotonic_us();
		int r = sd_bus_process(systemd->bus, NULL);

		if (!r && now >= end)
			return -ETIMEDOUT;
		if (!r)
			r = sd_bus_wait(systemd->bus, end - now);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return strcmp(systemd->result, "done") == 0 ? 0 : -EIO;
}

/* @message asks for a job, and what it gives is waited for. */
static int call_for_job(struct pol_systemd *systemd, sd_bus_message *message, uint64_t usec,
			sd_bus_error *error)
{
	_cleanup_(unrefp) sd_bus_message *reply = NULL;
	sd_bus_slot *slot = NULL;
	const char *object;
	int r;

	/* First: the job can be over before the call returns. */
	r = sd_bus_match_signal(systemd->bus, &slot, SERVICE, OBJECT, MANAGER, "JobRemoved",
				take_removed, systemd);
	if (r >= 0)
		r = sd_bus_call(systemd->bus, message, JOB_USEC, error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &object);
	if (r >= 0)
		r = wait_for_job(systemd, object, usec);
	sd_bus_slot_unref(slot);
	return r;
}

static int new_stop(struct pol_systemd *systemd, const char *name, sd_bus_message **ret)
{
	int r = sd_bus_message_new_method_call(systemd->bus, ret, SERVICE, OBJECT, MANAGER,
					       "StopUnit");

	return r < 0 ? r : sd_bus_message_append(*ret, "ss", name, "replace");
}

int pol_systemd_stop(struct pol_systemd *systemd, const char *name, struct pol_err *err)
{
	_cleanup_(done_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(unrefp) sd_bus_message *message = NULL;
	int r = new_stop(systemd, name, &message);

	if (r >= 0)
		r = sd_bus_call(systemd->bus, message, JOB_USEC, &error, NULL);
	if (r >= 0 || sd_bus_error_has_name(&error, SERVICE ".NoSuchUnit"))
		return 0;
	return refuse_call(r, &error, "stop unit", name, err);
}

int pol_systemd_await_stop(struct pol_systemd *systemd, const char *name, uint64_t usec,
			   struct pol_err *err)
{
	_cleanup_(done_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(unrefp) sd_bus_message *message = NULL;
	int r = new_stop(systemd, name, &message);

	if (r >= 0)
		r = call_for_job(systemd, message, usec, &error);
	if (r >= 0 || sd_bus_error_has_name(&error, SERVICE ".NoSuchUnit"))
		return 0;
	if (r != -EIO || error.message)
		return refuse_call(r, &error, "stop unit", name, err);
	return pol_err_say(err, POL_ERR_FAILED, r, "cannot stop unit '%s': its job was %s", name,
			   systemd->result);
}

/* ------------------------------------------------------------------ ceilings */

static int append_limit(sd_bus_message *message, const struct pol_unit_limit *limit)
{
	if (!limit->device)
		return sd_bus_message_append(message, "(sv)", limit->property, "t", limit->value);
	if (!*limit->device) /* an empty list takes away what each device has */
		return sd_bus_message_append(message, "(sv)", limit->property, "a(st)", 0);
	return sd_bus_message_append(message, "(sv)", limit->property, "a(st)", 1, limit->device,
				     limit->value);
}

static int append_limits(sd_bus_message *message, const struct pol_unit_limit *limits, size_t cnt)
{
	int r = 0;

	for (size_t i = 0; i < cnt && r >= 0; i++)
		r = append_limit(message, &limits[i]);
	return r;
}

int pol_systemd_limit(struct pol_systemd *systemd, const char *name,
		      const struct pol_unit_limit *limits, size_t limits_cnt, struct pol_err *err)
{
	_cleanup_(done_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(unrefp) sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(systemd->bus, &message, SERVICE, OBJECT, MANAGER,
					       "SetUnitProperties");

	if (r >= 0)
		r = sd_bus_message_append(message, "sb", name, true);
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'a', "(sv)");
	if (r >= 0)
		r = append_limits(message, limits, limits_cnt);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	if (r >= 0)
		r = sd_bus_call(systemd->bus, message, 0, &error, NULL);
	return r < 0 ? refuse_call(r, &error, "set the ceilings of unit", name, err) : 0;
}

/* ------------------------------------------------------------------ scopes */

/* ("PIDs", v(au)) */
static int append_pids(sd_bus_message *message, const pid_t *pids, size_t cnt)
{
	int r = sd_bus_message_open_container(message, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(message, "s", "PIDs");
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'v', "au");
	if (r >= 0) /* pid_t and uint32_t are of one size, and a pid is positive */
		r = sd_bus_message_append_array(message, 'u', pids, cnt * sizeof(uint32_t));
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return r;
}

static int append_request(sd_bus_message *message, const struct pol_scope_request *request)
{
	int r = sd_bus_message_append(message, "ss", request->name, "fail");

	if (r >= 0)
		r = sd_bus_message_open_container(message, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(message, "(sv)(sv)(sv)", "Description", "s",
					  request->description, "CollectMode", "s",
					  "inactive-or-failed", "Delegate", "b", true);
	if (r >= 0)
		r = append_limits(message, request->limits, request->limits_cnt);
	if (r >= 0)
		r = append_pids(message, request->pids, request->pids_cnt);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	if (r >= 0)
		r = sd_bus_message_append(message, "a(sa(sv))", 0); /* no units beside it */
	return r;
}

int pol_systemd_start_scope(struct pol_systemd *systemd, const struct pol_scope_request *request,
			    struct pol_err *err)
{
	_cleanup_(done_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(unrefp) sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(systemd->bus, &message, SERVICE, OBJECT, MANAGER,
					       "StartTransientUnit");

	if (r >= 0)
		r = append_request(message, request);
	if (r >= 0)
		r = call_for_job(systemd, message, JOB_USEC, &error);
	if (sd_bus_error_has_name(&error, SERVICE ".UnitExists"))
		r = -EEXIST;
	if (r >= 0)
		return 0;
	refuse_call(r, &error, "start scope", request->name, err);
	if (r == -EIO && !error.message)
		return pol_err_fix(err, "'journalctl %s-u %s' says why", systemd->user ? "--user " : "",
				   request->name);
	return r;
}

int pol_systemd_add(struct pol_systemd *systemd, const char *name, const pid_t *pids,
		    size_t pids_cnt, struct pol_err *err)
{
	_cleanup_(done_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(unrefp) sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(systemd->bus, &message, SERVICE, OBJECT, MANAGER,
					       "AttachProcessesToUnit");

	if (r >= 0)
		r = sd_bus_message_append(message, "ss", name, ""); /* no sub-cgroup */
	if (r >= 0)
		r = sd_bus_message_append_array(message, 'u', pids, pids_cnt * sizeof(uint32_t));
	if (r >= 0)
		r = sd_bus_call(systemd->bus, message, 0, &error, NULL);
	return r < 0 ? refuse_call(r, &error, "add processes to", name, err) : 0;
}
