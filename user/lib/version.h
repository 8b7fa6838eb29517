/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What we are called: by --version, and to those who receive events.
 */
#pragma once

#ifndef POL_VERSION
#define POL_VERSION "0.1.0"
#endif

#define POL_VENDOR  "policy"
#define POL_PRODUCT "policyd"
