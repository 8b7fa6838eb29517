/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyctl events: the event stream of the loaded engine on standard output.
 */
#pragma once

/**
 * cmd_events() - run the verb. @argv: argv[0] is the verb.
 * Return: exit status as in cli.md.
 */
int cmd_events(int argc, char **argv);
