/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that needs no other file and ends at once: what a chroot without libraries can run. */
int main(void)
{
	return 0;
}
