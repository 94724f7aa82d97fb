/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top.h - nosnooptop: its options, and its two ways to show, on a terminal and line by line. Floor 4.
 */
#ifndef NSN_TOP_H
#define NSN_TOP_H

/* Runs the program after setlocale(). The exit status. */
int nsn_top__main(int argc, char **argv);

#endif /* NSN_TOP_H */
