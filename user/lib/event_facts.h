/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What there is to say of an event, once, for all formats that are not our own: its kind, severity
 * and identity, each text with its limits, and a flat list of fields. Pure. A format only decides
 * what its receivers call these things.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "event_json.h"

/*
 * Texts of an event. Each: what it is called, and its most bytes, escaped, in a line; the second and
 * third number are for a line in which everything is long at once.
 */
#define POL_FACT_TEXTS(X)                           \
	X(PATH, "path", 2048, 1024, 256)            \
	X(NAME, "name", 1023, 256, 128)             \
	X(EXE, "exe", 512, 256, 128)                \
	X(COMM, "comm", 128, 128, 64)               \
	X(CGROUP, "cgroup", 256, 128, 64)           \
	X(PARENT_EXE, "parent_exe", 256, 256, 128)  \
	X(PARENT_COMM, "parent_comm", 128, 128, 64) \
	X(SENDER_COMM, "sender_comm", 128, 128, 64) \
	X(SENDER_GUEST, "sender_guest", 64, 64, 64) \
	X(RULE_PATH, "rule_path", 512, 256, 128)    \
	X(RULE_NAME, "rule_name", 256, 128, 64)     \
	X(RULE_WHERE, "rule_where", 256, 128, 64)   \
	X(GUEST, "guest", 64, 64, 64)               \
	X(HOST, "host", 255, 128, 64)               \
	X(BOOT_ID, "boot_id", 64, 64, 64)           \
	X(SHA256, "sha256", 64, 64, 64)             \
	X(MESSAGE, "message", 1023, 512, 256)

#define X(id, name, plain, tight, tightest) POL_FACT_##id,
enum pol_fact { POL_FACT_TEXTS(X) POL_FACTS_CNT };
#undef X

#define POL_FACT_LEVELS 3 /* of limits: try them in this order until the line fits */

/* Where a field has a place of its own in a format; else it goes where that keeps the rest. */
#define POL_IN_ECS  1u
#define POL_IN_OCSF 2u
#define POL_IN_CEF  4u

enum pol_field_kind {
	POL_FIELD_TEXT,	   /* @text: any bytes */
	POL_FIELD_WORD,	   /* @word: plain ASCII of ours */
	POL_FIELD_NUMBER,  /* @number */
	POL_FIELD_DECIMAL, /* @number, in JSON as a string */
	POL_FIELD_RIGHTS,  /* @number: a mask of enum pol_right */
	POL_FIELD_YES,	   /* true; what is false is left out */
};

/**
 * struct pol_field - one field. @name: lower case, "_" between words. @places: POL_IN_*.
 */
struct pol_field {
	const char *name;
	enum pol_field_kind kind;
	unsigned int places;
	union {
		enum pol_fact text;
		const char *word;
		uint64_t number;
	};
};

#define POL_FIELDS_MAX 64

enum pol_level { POL_LEVEL_INFO, POL_LEVEL_NOTICE, POL_LEVEL_WARNING, POL_LEVEL_ERROR };

enum pol_outcome { POL_OUTCOME_UNKNOWN, POL_OUTCOME_SUCCESS, POL_OUTCOME_FAILURE };

/**
 * struct pol_facts - borrows from the view and the context.
 * @name: of its kind, without anything variable: "File access denied".
 * @code: of its kind: "file.open.denied".
 * @uid: names the event among all of all boots; "": it has no number.
 * @process_uid: names the process likewise; "": there is none.
 * @time: of the day, as in pol_event_time(); @real_ns: the same in nanoseconds since 1970.
 * @start: when the process started, or "". @dev, @ino: of the object, or "".
 * @exit_code, @signal, @status: of exit, as pol_event_status() has them; else -1.
 * @text: by enum pol_fact; data is NULL where there is none.
 */
struct pol_facts {
	const struct pol_event_view *view;
	const struct pol_event_ctx *ctx;
	const char *name;
	enum pol_level level;
	enum pol_outcome outcome;
	uint64_t generation;
	int64_t real_ns;
	int64_t start_real_ns;
	int exit_code;
	int signal;
	int status;
	bool has_rule;
	char code[48];
	char uid[64];
	char process_uid[64];
	char time[40];
	char start[40];
	char dev[32];
	char ino[24];
	char guest[POL_GUEST_NAME_SIZE];
	char sender_guest[POL_GUEST_NAME_SIZE];
	char message[2048];
	struct pol_event_text text[POL_FACTS_CNT];
	struct pol_field field[POL_FIELDS_MAX];
	size_t field_cnt;
};

void pol_facts_init(struct pol_facts *facts, const struct pol_event_view *view,
		    const struct pol_event_ctx *ctx);

/* pol_fact_name() - "path". */
const char *pol_fact_name(enum pol_fact fact);

/* pol_fact_max() - most bytes of it, escaped. @level: 0 to POL_FACT_LEVELS - 1. */
size_t pol_fact_max(enum pol_fact fact, unsigned int level);

/* pol_fact_text() - as far as it is worth escaping: a path without its root keeps its end. */
struct pol_event_text pol_fact_text(const struct pol_facts *facts, enum pol_fact fact, size_t max);

/* pol_rights_text() - "read,write" of a mask. @buf: of POL_RIGHTS_TEXT_SIZE bytes. */
#define POL_RIGHTS_TEXT_SIZE 128
void pol_rights_text(uint64_t mask, char *buf);

/* pol_facts_why() - the reason, the cause, what made a shadow stale; NULL: nothing to name. */
const char *pol_facts_why(const struct pol_facts *facts);

/* pol_facts_list() - sets @field and @field_cnt from the rest; pol_facts_init() does it. */
void pol_facts_list(struct pol_facts *facts);

/**
 * pol_event_message() - what happened, in a sentence for people; one line, valid UTF-8.
 * @buf: 1024 bytes are always enough. Uses of @facts what pol_facts_init() sets before @message.
 * Return: length; -ENOSPC.
 */
int pol_event_message(const struct pol_facts *facts, char *buf, size_t size);
