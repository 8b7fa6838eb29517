/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ocsf_class.h"

#include "base.h"
#include "words.h"

/* An operation or action that the class has an activity for. */
struct row {
	uint32_t nr;
	uint32_t activity;
	const char *name;
};

static const struct row file_rows[] = {
	{ POL_OP_OPEN, 14, "Open" },
	{ POL_OP_CREATE, 1, "Create" },
	{ POL_OP_MKDIR, 1, "Create" },
	{ POL_OP_MKNOD, 1, "Create" },
	{ POL_OP_SYMLINK, 1, "Create" },
	{ POL_OP_LINK, 1, "Create" },
	{ POL_OP_BIND, 1, "Create" },
	{ POL_OP_UNLINK, 4, "Delete" },
	{ POL_OP_RMDIR, 4, "Delete" },
	{ POL_OP_RENAME, 5, "Rename" },
	{ POL_OP_TRUNCATE, 3, "Update" },
	{ POL_OP_UTIME, 6, "Set Attributes" },
	{ POL_OP_XATTR, 6, "Set Attributes" },
	{ POL_OP_CHATTR, 6, "Set Attributes" },
	{ POL_OP_CHMOD, 7, "Set Security" },
	{ POL_OP_CHOWN, 7, "Set Security" },
	{ POL_OP_ACL, 7, "Set Security" },
	{ POL_OP_STAT, 8, "Get Attributes" },
	{ POL_OP_READLINK, 8, "Get Attributes" },
	{ POL_OP_STATFS, 8, "Get Attributes" },
	{ POL_OP_GETXATTR, 8, "Get Attributes" },
	{ POL_OP_LISTXATTR, 8, "Get Attributes" },
};

static const struct row policy_rows[] = {
	{ POL_ACTION_LOADED, 1, "Create" },	 { POL_ACTION_REPLACED, 3, "Update" },
	{ POL_ACTION_ROLLED_BACK, 3, "Update" }, { POL_ACTION_UNLOADED, 4, "Delete" },
	{ POL_ACTION_DISABLED, 9, "Disable" },
};

static const struct row guest_rows[] = {
	{ POL_ACTION_CREATED, 3, "Start" },
	{ POL_ACTION_EMPTY, 4, "Stop" },
	{ POL_ACTION_STOPPED, 4, "Stop" },
};

static struct pol_ocsf_class find(enum pol_ocsf_uid uid, const struct row *rows, size_t cnt,
				  uint32_t nr, const char *other)
{
	for (size_t i = 0; i < cnt; i++)
		if (rows[i].nr == nr)
			return (struct pol_ocsf_class){ uid, rows[i].activity, rows[i].name };
	return (struct pol_ocsf_class){ uid, POL_OCSF_OTHER, other ? other : "Other" };
}

static struct pol_ocsf_class class_of_access(const struct pol_event_view *view)
{
	const uint32_t op = view->access.op;

	if (op == POL_OP_EXEC)
		return (struct pol_ocsf_class){ POL_OCSF_PROCESS, 1, "Launch" };
	return find(POL_OCSF_FILE, file_rows, ARRAY_SIZE(file_rows), op, pol_op_word(op));
}

struct pol_ocsf_class pol_ocsf_class(const struct pol_event_view *view)
{
	switch (view->type) {
	case POL_TYPE_VIOLATION:
	case POL_TYPE_ALLOW:
		return class_of_access(view);
	case POL_TYPE_EXIT:
		return (struct pol_ocsf_class){ POL_OCSF_PROCESS, 2, "Terminate" };
	case POL_TYPE_EXEC:
	case POL_TYPE_FORK:
		return (struct pol_ocsf_class){ POL_OCSF_PROCESS, 1, "Launch" };
	case POL_TYPE_ESCAPE:
	case POL_TYPE_CEILING:
		return (struct pol_ocsf_class){ POL_OCSF_FINDING, 1, "Create" };
	case POL_TYPE_POLICY:
		return find(POL_OCSF_ENTITY, policy_rows, ARRAY_SIZE(policy_rows),
			    view->note.action, pol_action_word(view->note.action));
	case POL_TYPE_GUEST:
		return find(POL_OCSF_LIFECYCLE, guest_rows, ARRAY_SIZE(guest_rows),
			    view->note.action, pol_action_word(view->note.action));
	case POL_TYPE_SHADOW:
		return find(POL_OCSF_FILE, NULL, 0, 0, pol_shadow_word(view->shadow.action));
	default:
		return (struct pol_ocsf_class){ POL_OCSF_ERROR, 1, "General Error" };
	}
}

uint32_t pol_ocsf_file_type(uint32_t op)
{
	switch (op) {
	case POL_OP_CREATE:
		return 1; /* Regular File */
	case POL_OP_MKDIR:
	case POL_OP_RMDIR:
		return 2; /* Folder */
	case POL_OP_CONNECT:
	case POL_OP_BIND:
		return 5; /* Local Socket */
	case POL_OP_SYMLINK:
	case POL_OP_READLINK:
		return 7; /* Symbolic Link */
	case POL_OP_EXEC:
		return 8; /* Executable File */
	default:
		return 0;
	}
}
