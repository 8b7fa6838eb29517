/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where policyd serves its subscribers, and policyctl looks for it. */
#pragma once

#define POL_SOCKET "/run/policyd/policyd.sock"
