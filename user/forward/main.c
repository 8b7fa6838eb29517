/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forward.h"

#include "base.h"

int main(int argc, char **argv)
{
	struct forward_options options;
	struct pol_err err = { 0 };
	int status = forward_options_parse(argc, argv, &options);

	if (status < 0 && forward_become(options.user, &err) < 0) {
		forward_say_err(&err);
		status = (int)err.kind;
	}
	if (status < 0)
		status = forward_run(&options);
	forward_options_done(&options);
	return status;
}
