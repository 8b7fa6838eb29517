/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libbpf says on stderr what it finds, unless the process has told it otherwise, once for all
 * (libbpf_set_print(3)). While some call of ours uses more of it than system calls it is silent;
 * afterwards it is as the process had it.
 */
#pragma once

void pol_quiet_begin(void);
void pol_quiet_end(void);
