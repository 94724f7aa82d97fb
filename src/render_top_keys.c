// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_top_keys.c - what keys do to what is chosen. Floor 3.
 */
#include "render_top.h"

#include <string.h>

void nsn_top_state__init(struct nsn_top_state *state)
{
	memset(state, 0, sizeof(*state));
	for (size_t i = 0; i < NSN_VIEW_MAX; i++)
		state->views[i].sort = -1;
	state->page = 10;
}

static enum nsn_top_action enter_input(struct nsn_top_state *state)
{
	enum nsn_top_prompt prompt = state->prompt;

	state->prompt = NSN_PROMPT_NONE;
	if (prompt == NSN_PROMPT_SORT)
		state->views[state->view].sort = state->sort_choice;
	return prompt == NSN_PROMPT_DELAY ? NSN_ACTION_DELAY : NSN_ACTION_NONE;
}

static void choose_sort(struct nsn_top_state *state, int step)
{
	int count = nsn_top_columns(state->view);

	/* -1 is the view's own order */
	state->sort_choice = (state->sort_choice + 1 + step + count + 1) % (count + 1) - 1;
}

static void type(struct nsn_top_state *state, uint32_t key)
{
	char *text = state->prompt == NSN_PROMPT_FILTER ? state->filter : state->input;
	size_t used = strlen(text), least = 0;
	char bytes[4];

	if (key < 0x80) {
		bytes[least++] = (char)key;
	} else if (key < 0x800) {
		bytes[least++] = (char)(0xc0 | key >> 6);
		bytes[least++] = (char)(0x80 | (key & 0x3f));
	} else if (key < 0x10000) {
		bytes[least++] = (char)(0xe0 | key >> 12);
		bytes[least++] = (char)(0x80 | (key >> 6 & 0x3f));
		bytes[least++] = (char)(0x80 | (key & 0x3f));
	} else {
		bytes[least++] = (char)(0xf0 | key >> 18);
		bytes[least++] = (char)(0x80 | (key >> 12 & 0x3f));
		bytes[least++] = (char)(0x80 | (key >> 6 & 0x3f));
		bytes[least++] = (char)(0x80 | (key & 0x3f));
	}
	if (used + least >= sizeof(state->input))
		return;
	memcpy(text + used, bytes, least);
	text[used + least] = '\0';
}

/* Takes a whole character off the end. */
static void erase(struct nsn_top_state *state)
{
	char *text = state->prompt == NSN_PROMPT_FILTER ? state->filter : state->input;
	size_t used = strlen(text);

	while (used && (text[used - 1] & 0xc0) == 0x80)
		used--;
	text[used ? used - 1 : 0] = '\0';
}

static enum nsn_top_action key_in_prompt(struct nsn_top_state *state, uint32_t key)
{
	bool sort = state->prompt == NSN_PROMPT_SORT;

	if (key == NSN_KEY_ENTER)
		return enter_input(state);
	if (key == NSN_KEY_ESCAPE) {
		if (state->prompt == NSN_PROMPT_FILTER)
			state->filter[0] = '\0';
		state->prompt = NSN_PROMPT_NONE;
	} else if (sort) {
		if (key == NSN_KEY_LEFT || key == NSN_KEY_UP || key == 'h' || key == 'k' ||
		    key == '<')
			choose_sort(state, -1);
		else if (key == NSN_KEY_RIGHT || key == NSN_KEY_DOWN || key == 'l' || key == 'j' ||
			 key == '>' || key == 's' || key == '\t')
			choose_sort(state, 1);
	} else if (key == NSN_KEY_BACKSPACE) {
		erase(state);
	} else if (key >= ' ' && key != 0x7f && key < NSN_KEY_UP) {
		type(state, key);
	}
	return NSN_ACTION_NONE;
}

/* Moves the cursor, or scrolls the pane; the renderer keeps it within bounds. */
static void move(struct nsn_top_state *state, long step)
{
	struct nsn_top_choice *choice = &state->views[state->view];
	size_t *where = state->detail || state->help ? &state->detail_first : &choice->cursor;
	size_t back = (size_t)-step;

	if (step < 0)
		*where = *where > back ? *where - back : 0;
	else
		*where += (size_t)step < SIZE_MAX / 2 - *where ? (size_t)step : 0;
	choice->moved |= !(state->detail || state->help);
}

static bool key_moves(struct nsn_top_state *state, uint32_t key)
{
	long page = state->page ? (long)state->page : 1;

	switch (key) {
	case NSN_KEY_UP:
	case 'k':
		move(state, -1);
		return true;
	case NSN_KEY_DOWN:
	case 'j':
		move(state, 1);
		return true;
	case NSN_KEY_PAGE_UP:
		move(state, -page);
		return true;
	case NSN_KEY_PAGE_DOWN:
		move(state, page);
		return true;
	case NSN_KEY_HOME:
	case 'g':
		move(state, -1000000000L);
		return true;
	case NSN_KEY_END:
	case 'G':
		move(state, 1000000000L);
		return true;
	default:
		return false;
	}
}

static void show(struct nsn_top_state *state, enum nsn_top_view view)
{
	state->view = view;
	state->detail = state->help = false;
	state->detail_first = 0;
}

static void escape(struct nsn_top_state *state)
{
	if (state->help || state->detail)
		state->help = state->detail = false;
	else
		state->filter[0] = '\0';
	state->detail_first = 0;
}

static void open_prompt(struct nsn_top_state *state, enum nsn_top_prompt prompt)
{
	state->prompt = prompt;
	state->input[0] = '\0';
	state->sort_choice = state->views[state->view].sort;
}

static void key_chooses(struct nsn_top_state *state, uint32_t key)
{
	struct nsn_top_choice *choice = &state->views[state->view];

	if (key >= '1' && key < '1' + NSN_VIEW_MAX) {
		show(state, (enum nsn_top_view)(key - '1'));
	} else if (key == '\t' || key == NSN_KEY_RIGHT) {
		show(state, (state->view + 1) % NSN_VIEW_MAX);
	} else if (key == NSN_KEY_LEFT) {
		show(state, (state->view + NSN_VIEW_MAX - 1) % NSN_VIEW_MAX);
	} else if (key == '?') {
		state->help = !state->help;
		state->detail_first = 0;
	} else if (key == NSN_KEY_ENTER) {
		state->detail = !state->help;
		state->help = false;
		state->detail_first = 0;
	} else if (key == NSN_KEY_ESCAPE) {
		escape(state);
	} else if (key == 's') {
		open_prompt(state, NSN_PROMPT_SORT);
	} else if (key == '<' || key == '>') {
		state->sort_choice = choice->sort;
		choose_sort(state, key == '<' ? -1 : 1);
		choice->sort = state->sort_choice;
	} else if (key == 'I') {
		choice->invert = !choice->invert;
	} else if (key == '/') {
		open_prompt(state, NSN_PROMPT_FILTER);
	} else if (key == 'd') {
		open_prompt(state, NSN_PROMPT_DELAY);
	}
}

enum nsn_top_action nsn_top_state__key(struct nsn_top_state *state, uint32_t key)
{
	if (state->prompt != NSN_PROMPT_NONE)
		return key_in_prompt(state, key);
	if (key_moves(state, key))
		return NSN_ACTION_NONE;
	switch (key) {
	case 'q':
		return NSN_ACTION_QUIT;
	case 'w':
		return NSN_ACTION_WRITE;
	case 'R':
		return NSN_ACTION_RECORD;
	case ' ':
		state->paused = !state->paused;
		return NSN_ACTION_PAUSE;
	default:
		key_chooses(state, key);
		return NSN_ACTION_NONE;
	}
}
