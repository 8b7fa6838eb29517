/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compare a text with a file of tests/golden. GOLDEN_UPDATE=1 writes the file instead: read the
 * difference before you commit it.
 */
#pragma once

void test_golden(const char *name, const char *text);
