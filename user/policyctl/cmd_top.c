/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl top: status, live on a terminal. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <ncurses.h>
#include <string.h>

#include "base.h"
#include "ctl.h"
#include "here.h"
#include "stop_signals.h"
#include "top_rows.h"
#include "when.h"

#define DELAY_DEFAULT (2 * INT64_C(1000000000))
#define STEP_US	      UINT64_C(500000)
#define DELAY_LEAST   (INT64_C(100000000))
#define DELAY_MOST    (INT64_C(3600) * 1000000000)

static const char top_help[] =
	"Usage: policyctl top [--delay TIME] [--sort COLUMN]\n"
	"\n"
	"What status shows, live, with refusals and events per second.\n"
	"\n"
	"  --delay TIME   between two looks, 100ms to 1h (default 2s)\n"
	"  --sort COLUMN  refused (the default), tasks, memory or name\n"
	"  --help         this text\n"
	"\n"
	"Keys: q ends, s sorts by the next column, space looks now, arrows and page keys scroll.\n";

/**
 * struct top - @at_us: when @now was taken. @absent: no policy is loaded. @first: the row that is
 * shown first. @over: it is to end. @err: why, if it failed.
 */
struct top {
	int64_t delay_ns;
	enum top_sort sort;
	struct pol_status now;
	struct pol_status before;
	uint64_t at_us;
	uint64_t before_us;
	bool absent;
	size_t first;
	bool over;
	struct pol_err err;
};

/* Return: 0, also if nothing is loaded; else what @top->err says. */
static int look(struct top *top)
{
	struct pol_status status = {};
	int r = pol_status_take(&status, &top->err);

	if (r < 0 && r != -ENOENT) {
		pol_status_done(&status);
		return r;
	}
	pol_status_done(&top->before);
	top->before = top->now;
	top->before_us = top->at_us;
	top->now = status;
	top->at_us = pol_monotonic_us();
	top->absent = r < 0;
	return 0;
}

/* ------------------------------------------------------------------ the screen */

static void put_line(int y, const char *line)
{
	(void)mvaddnstr(y, 0, line, COLS);
}

static int show_engine(const struct top *top)
{
	const struct pol_status *now = &top->now;
	uint64_t tasks = 0, refused = 0, lost = 0;
	char line[512];

	if (top->absent) {
		put_line(0, "no policy is loaded; nothing is confined");
		return 1;
	}
	for (size_t i = 0; i < now->guests_cnt; i++) {
		tasks += now->guests[i].tasks;
		refused += status_refused(&now->guests[i]);
		lost += now->guests[i].lost;
	}
	(void)snprintf(line, sizeof(line), "engine    mode %s, generation %" PRIu64 ", policy %s",
		       now->mode, now->generation, now->meta->file);
	put_line(0, line);
	(void)snprintf(line, sizeof(line),
		       "guests    %zu, tasks %" PRIu64 ", refused %" PRIu64 ", events lost %" PRIu64
		       ", sorted by %s",
		       now->guests_cnt, tasks, refused, lost, top_sort_words[top->sort]);
	put_line(1, line);
	return 3;
}

static void show_guests(struct top *top, int y)
{
	size_t cnt = top->now.guests_cnt;
	_cleanup_free_ struct top_row *rows = calloc(cnt + 1, sizeof(*rows));
	char line[TOP_LINE_SIZE];

	if (!rows)
		return;
	top_rows(&top->now, &top->before, top->at_us - top->before_us, top->sort, rows);
	if (top->first >= cnt)
		top->first = cnt ? cnt - 1 : 0;
	top_line_head(line);
	attron(A_REVERSE);
	put_line(y++, line);
	attroff(A_REVERSE);
	for (size_t i = top->first; i < cnt && y < LINES; i++, y++) {
		top_line(&rows[i], line);
		if (rows[i].refused > 0)
			attron(A_BOLD);
		put_line(y, line);
		attroff(A_BOLD);
	}
}

static void show(struct top *top)
{
	int y;

	erase();
	y = show_engine(top);
	if (!top->absent)
		show_guests(top, y);
	refresh();
}

/* ------------------------------------------------------------------ keys */

static void scroll_by(struct top *top, long rows)
{
	long first = (long)top->first + rows;

	top->first = first < 0 ? 0 : (size_t)first; /* the end is show_guests()'s */
}

/* Return: whether it looks anew at once. */
static bool take_key(struct top *top, int key)
{
	long page = LINES > 6 ? LINES - 5 : 1;

	switch (key) {
	case 'q':
		top->over = true;
		break;
	case 's':
		top->sort = (top->sort + 1) % TOP_SORTS;
		break;
	case ' ':
		return true;
	case KEY_UP:
		scroll_by(top, -1);
		break;
	case KEY_DOWN:
		scroll_by(top, 1);
		break;
	case KEY_PPAGE:
		scroll_by(top, -page);
		break;
	case KEY_NPAGE:
		scroll_by(top, page);
		break;
	case KEY_HOME:
		top->first = 0;
		break;
	default: /* KEY_RESIZE, too: what is there is shown anew */
		break;
	}
	return false;
}

/* Until it is time for the next look. */
static void take_keys(struct top *top)
{
	uint64_t end = pol_monotonic_us() + (uint64_t)top->delay_ns / 1000;
	bool again = false;

	while (!top->over && !again) {
		uint64_t now = pol_monotonic_us();
		int key;

		top->over = pol_stopped();
		if (top->over || now >= end)
			return;
		/* In steps: a signal may come just before it sleeps. */
		timeout((int)(end - now < STEP_US ? (end - now) / 1000 + 1 : STEP_US / 1000));
		key = getch();
		if (key == ERR) {
			top->over = !isatty(STDIN_FILENO); /* it was hung up */
			continue;
		}
		again = take_key(top, key);
		show(top);
	}
}

static int watch(struct top *top)
{
	int r = look(top);

	while (!r && !top->over) {
		show(top);
		take_keys(top);
		if (!top->over)
			r = look(top);
	}
	return r;
}

/* ------------------------------------------------------------------ the verb */

static int sort_parse(const char *word, enum top_sort *ret)
{
	for (int i = 0; i < TOP_SORTS; i++)
		if (!strcmp(top_sort_words[i], word)) {
			*ret = (enum top_sort)i;
			return 0;
		}
	return -EINVAL;
}

static int parse(int argc, char **argv, struct top *ret, bool *ret_help)
{
	static const struct option options[] = {
		{ "delay", required_argument, NULL, 'd' },
		{ "sort", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'h')
			*ret_help = true;
		else if (c == '?')
			return ctl_usage("top", "that option is not known");
		else if (c == 's' && sort_parse(optarg, &ret->sort) < 0)
			return ctl_usage("top", "--sort takes refused, tasks, memory or name, not '%s'",
					 optarg);
		else if (c == 'd' &&
			 (pol_span_parse(optarg, &ret->delay_ns) < 0 ||
			  ret->delay_ns < DELAY_LEAST || ret->delay_ns > DELAY_MOST))
			return ctl_usage("top", "--delay takes a time from 100ms to 1h, not '%s'",
					 optarg);
	}
	if (optind != argc)
		return ctl_usage("top", "it takes no argument");
	return 0;
}

/* A terminal that nothing is known of is none for us. */
static SCREEN *open_screen(void)
{
	SCREEN *screen;

	(void)setlocale(LC_ALL, "");
	screen = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? newterm(NULL, stdout, stdin) : NULL;
	if (!screen)
		return NULL;
	(void)cbreak();
	(void)noecho();
	(void)keypad(stdscr, TRUE);
	(void)curs_set(0);
	return screen;
}

/* In place of ncurses' own handlers, which exit with 1. getch() ends with EINTR. */
static void catch_stop(void)
{
	sigset_t asleep;

	pol_stop_catch(&asleep);
	(void)sigprocmask(SIG_SETMASK, &asleep, NULL);
}

static int run(struct top *top)
{
	SCREEN *screen;
	int r;

	/* What it cannot do it says before the screen is gone. */
	if (look(top) < 0)
		return ctl_fail("top", &top->err);
	screen = open_screen();
	if (!screen) {
		pol_err_say(&top->err, POL_ERR_HOST, -ENOTTY, "it needs a terminal that $TERM names");
		(void)pol_err_fix(&top->err, "'policyctl status' prints the same once");
		return ctl_fail("top", &top->err);
	}
	catch_stop();
	r = watch(top);
	(void)endwin();
	delscreen(screen);
	return r < 0 ? ctl_fail("top", &top->err) : 0;
}

int cmd_top(int argc, char **argv)
{
	struct top top = { .delay_ns = DELAY_DEFAULT, .sort = TOP_SORT_REFUSED };
	bool help = false;
	int r = parse(argc, argv, &top, &help);

	if (r)
		return r;
	if (help) {
		fputs(top_help, stdout);
		return 0;
	}
	r = run(&top);
	pol_status_done(&top.now);
	pol_status_done(&top.before);
	return r;
}
