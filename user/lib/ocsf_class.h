/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which class and activity of OCSF 1.8.0 an event is. Pure.
 */
#pragma once

#include <stdint.h>

#include "event.h"

enum pol_ocsf_uid {
	POL_OCSF_FILE = 1001,	   /* File System Activity */
	POL_OCSF_PROCESS = 1007,   /* Process Activity */
	POL_OCSF_FINDING = 2004,   /* Detection Finding */
	POL_OCSF_ENTITY = 3004,	   /* Entity Management */
	POL_OCSF_LIFECYCLE = 6002, /* Application Lifecycle */
	POL_OCSF_ERROR = 6008,	   /* Application Error */
};

#define POL_OCSF_OTHER 99u /* of activities, and of every other enumeration */

/**
 * struct pol_ocsf_class - @activity_name: by the schema; of activity 99 our own word.
 */
struct pol_ocsf_class {
	enum pol_ocsf_uid uid;
	uint32_t activity;
	const char *activity_name;
};

struct pol_ocsf_class pol_ocsf_class(const struct pol_event_view *view);

/* pol_ocsf_file_type() - file.type_id of what an operation is on; 0: not known. */
uint32_t pol_ocsf_file_type(uint32_t op);
