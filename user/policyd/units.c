/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Units of the loaded policy that are started anew: systemd tells of it over the system bus, and they
 * are adopted as the next load would. A bus that comes later is waited for; without one nothing is
 * watched, and all else goes on.
 */
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base.h"
#include "generation.h"
#include "members_refresh.h"
#include "policyd.h"

#define SYSTEMD	   "org.freedesktop.systemd1"
#define OBJECT	   "/org/freedesktop/systemd1"
#define MANAGER	   SYSTEMD ".Manager"
#define UNIT	   SYSTEMD ".Unit"
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define RETRY_US   (1000 * UINT64_C(1000))
#define BUSY_US	   (100 * UINT64_C(1000)) /* a load takes seconds at most, and adopts units itself */
#define START_US   (20 * UINT64_C(1000))  /* what a unit takes from its fork to its program */
#define INVOCATION 16			  /* bytes of an sd_id128_t */

/**
 * struct watched - a unit of the policy.
 * @unit: as the policy names it. @object: of systemd, by which its signals come: an alias has that of
 * the unit it stands for. @invocation: that was adopted or refused last; zero: none. @again: could be
 * neither, the timer asks.
 */
struct watched {
	char *unit;
	char *object;
	uint8_t invocation[INVOCATION];
	bool again;
};

/*
 * @generation: of the policy whose units @items are; 0: of none. @all: all of them are to be looked at.
 * @retry: when to connect, or to look, again.
 */
struct units {
	sd_bus *bus;
	sd_event_source *retry;
	bool all;
	uint64_t generation;
	struct watched *items;
	size_t cnt;
};

static void unrefp(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}

static void forget(struct units *units)
{
	for (size_t i = 0; i < units->cnt; i++) {
		free(units->items[i].unit);
		free(units->items[i].object);
	}
	free(units->items);
	units->items = NULL;
	units->cnt = 0;
	units->generation = 0;
}

static void arm(struct units *units, uint64_t usec)
{
	(void)sd_event_source_set_time_relative(units->retry, usec);
	(void)sd_event_source_set_enabled(units->retry, SD_EVENT_ONESHOT);
}

/* ------------------------------------------------------------------ adopting */

static void say_diags(const struct pol_diags *diags)
{
	for (size_t i = 0; i < diags->cnt; i++)
		if (!diags->items[i].warning)
			policyd_say("%s%s%s", diags->items[i].message,
				    diags->items[i].help ? "\n  help: " : "",
				    diags->items[i].help ? diags->items[i].help : "");
}

/*
 * What a load would do for it. Return: 0: done, or refused and said; -EAGAIN: it has not begun its
 * program; -EBUSY: another command holds the engine; -ESRCH: it does not run.
 */
static int adopt(const char *unit)
{
	struct pol_refresh_result result;
	struct pol_diags diags = {};
	struct pol_err err = {};
	int r = pol_members_refresh(unit, &diags, &result, &err);

	if (result.adopted)
		policyd_say("unit '%s' adopted: it was started after the load", unit);
	if (r < 0 && r != -EBUSY && r != -ENOENT) {
		say_diags(&diags);
		policyd_say_err(&err);
	}
	pol_diags_done(&diags);
	if (r < 0)
		return r == -EBUSY ? r : 0;
	return result.starting ? -EAGAIN : result.held ? 0 : -ESRCH;
}

static int find_object(struct units *units, struct watched *watched)
{
	_cleanup_(unrefp) sd_bus_message *reply = NULL;
	const char *object;
	int r = sd_bus_call_method(units->bus, SYSTEMD, OBJECT, MANAGER, "LoadUnit", NULL, &reply,
				   "s", watched->unit);

	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &object);
	if (r < 0)
		return r;
	watched->object = strdup(object);
	return watched->object ? 0 : -ENOMEM;
}

static int add_guest(struct units *units, const struct pol_meta_guest *guest)
{
	struct watched *items =
		reallocarray(units->items, units->cnt + guest->members_cnt + 1, sizeof(*items));
	int r = 0;

	if (!items)
		return -ENOMEM;
	units->items = items;
	for (size_t i = 0; i < guest->members_cnt && r >= 0; i++) {
		struct watched *watched = &items[units->cnt];

		if (guest->members[i].kind != POL_MEMBER_UNIT)
			continue;
		*watched = (struct watched){ .unit = strdup(guest->members[i].text) };
		if (!watched->unit)
			return -ENOMEM;
		units->cnt++;
		r = find_object(units, watched);
	}
	return r;
}

/* The units of the policy that decides now. Return: 0; negative errno, said: of none. */
static int learn(struct policyd *d)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	struct units *units = d->units;
	uint64_t generation = d->feed ? pol_feed_generation(d->feed) : 0;
	int r;

	if (generation == units->generation)
		return 0;
	forget(units);
	if (!generation)
		return 0;
	r = pol_meta_load(generation, &meta, NULL);
	for (size_t i = 0; !r && i < meta->guests_cnt; i++)
		r = add_guest(units, &meta->guests[i]);
	if (!r) {
		units->generation = generation;
		return 0;
	}
	forget(units);
	policyd_say("cannot learn which units the policy has, trying again: %s", strerror(-r));
	units->all = true;
	arm(units, RETRY_US);
	return r;
}

/* ------------------------------------------------------------------ what systemd tells */

static int read_invocation(struct units *units, const struct watched *watched, uint8_t *ret)
{
	_cleanup_(unrefp) sd_bus_message *reply = NULL;
	const void *bytes;
	size_t len;
	int r = sd_bus_get_property(units->bus, SYSTEMD, watched->object, UNIT, "InvocationID",
				    NULL, &reply, "ay");

	if (r >= 0)
		r = sd_bus_message_read_array(reply, 'y', &bytes, &len);
	if (r < 0)
		return r;
	if (len != INVOCATION)
		return -ESRCH; /* it was never started */
	memcpy(ret, bytes, len);
	return 0;
}

/* @anyway: also what was seen before: its ceilings are written again. */
static void look_at(struct policyd *d, struct watched *watched, bool anyway)
{
	uint8_t invocation[INVOCATION];
	int r = read_invocation(d->units, watched, invocation);

	if (r < 0 || (!anyway && !memcmp(invocation, watched->invocation, INVOCATION)))
		return;
	r = adopt(watched->unit);
	watched->again = r == -EAGAIN || r == -EBUSY;
	if (watched->again)
		arm(d->units, r == -EBUSY ? BUSY_US : START_US);
	else if (!r)
		memcpy(watched->invocation, invocation, INVOCATION);
}

static int on_changed(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	const char *object = sd_bus_message_get_path(message);
	struct policyd *d = arg;

	(void)error;
	if (learn(d) < 0)
		return 0;
	for (size_t i = 0; i < d->units->cnt; i++)
		if (!strcmp(d->units->items[i].object, object))
			look_at(d, &d->units->items[i], false);
	return 0;
}

static void look_at_all(struct policyd *d)
{
	struct units *units = d->units;

	units->all = false;
	if (!d->feed || sd_bus_is_ready(units->bus) <= 0 || learn(d) < 0)
		return;
	for (size_t i = 0; i < units->cnt; i++)
		look_at(d, &units->items[i], true);
}

/* systemd has read its files anew: what an alias stands for, and memory.oom.group, may be another. */
static int on_reloading(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	struct policyd *d = arg;
	int begins = 1;

	(void)error;
	if (sd_bus_message_read(message, "b", &begins) >= 0 && !begins) {
		forget(d->units);
		look_at_all(d);
	}
	return 0;
}

/* ------------------------------------------------------------------ the connection */

/* Units can have been started anew while nobody listened. */
static int on_connected(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	struct policyd *d = arg;

	(void)message;
	(void)error;
	/* Without it systemd keeps its signals to itself. */
	(void)sd_bus_call_method_async(d->units->bus, NULL, SYSTEMD, OBJECT, MANAGER, "Subscribe",
				       NULL, NULL, NULL);
	look_at_all(d);
	return 0;
}

static int on_disconnected(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	struct policyd *d = arg;

	(void)message;
	(void)error;
	policyd_say("the system bus has closed, units are not watched until it is there again");
	arm(d->units, RETRY_US);
	return 0;
}

static int add_matches(struct policyd *d, sd_bus *bus)
{
	int r = sd_bus_match_signal_async(bus, NULL, "org.freedesktop.DBus.Local", NULL,
					  "org.freedesktop.DBus.Local", "Connected", on_connected,
					  NULL, d);

	if (r >= 0)
		r = sd_bus_match_signal_async(bus, NULL, "org.freedesktop.DBus.Local", NULL,
					      "org.freedesktop.DBus.Local", "Disconnected",
					      on_disconnected, NULL, d);
	if (r >= 0)
		r = sd_bus_match_signal_async(bus, NULL, SYSTEMD, OBJECT, MANAGER, "Reloading",
					      on_reloading, NULL, d);
	if (r >= 0)
		r = sd_bus_add_match_async(bus, NULL,
					   "type='signal',sender='" SYSTEMD
					   "',path_namespace='" OBJECT
					   "/unit',interface='org.freedesktop.DBus.Properties',"
					   "member='PropertiesChanged',arg0='" UNIT "'",
					   on_changed, NULL, d);
	return r;
}

static int connect_bus(struct policyd *d)
{
	const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	struct units *units = d->units;
	int r;

	units->bus = sd_bus_close_unref(units->bus);
	r = sd_bus_new(&units->bus);
	if (r >= 0)
		r = sd_bus_set_address(units->bus, address ? address : SYSTEM_BUS);
	if (r >= 0)
		r = sd_bus_set_bus_client(units->bus, true);
	if (r >= 0)
		r = sd_bus_set_watch_bind(units->bus, true);
	if (r >= 0)
		r = sd_bus_set_connected_signal(units->bus, true);
	if (r >= 0)
		r = sd_bus_start(units->bus);
	if (r >= 0)
		r = add_matches(d, units->bus);
	return r < 0 ? r : sd_bus_attach_event(units->bus, d->event, SD_EVENT_PRIORITY_NORMAL);
}

/* A new connection, or once more what was not to be adopted then. */
static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	struct policyd *d = arg;
	struct units *units = d->units;

	(void)source;
	(void)usec;
	if (sd_bus_is_open(units->bus) <= 0) {
		if (connect_bus(d) < 0)
			arm(units, RETRY_US);
	} else if (units->all) {
		look_at_all(d);
	} else {
		for (size_t i = 0; i < units->cnt; i++)
			if (units->items[i].again)
				look_at(d, &units->items[i], true);
	}
	return 0;
}

void units_check(struct policyd *d)
{
	d->units->all = true;
	arm(d->units, 0);
}

int units_add(struct policyd *d)
{
	int r;

	d->units = calloc(1, sizeof(*d->units));
	if (!d->units)
		return -ENOMEM;
	r = sd_event_add_time_relative(d->event, &d->units->retry, CLOCK_MONOTONIC, 0, 1000,
				       on_retry, d);
	if (r >= 0)
		r = sd_event_source_set_enabled(d->units->retry, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = connect_bus(d);
	if (r < 0) {
		policyd_say("cannot reach the system bus, trying again: %s", strerror(-r));
		arm(d->units, RETRY_US);
	}
	return 0;
}

void units_done(struct policyd *d)
{
	if (!d->units)
		return;
	forget(d->units);
	sd_bus_close_unref(d->units->bus);
	sd_event_source_disable_unref(d->units->retry);
	free(d->units);
}
