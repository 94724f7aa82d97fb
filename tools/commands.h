/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commands.h - the commands of nosnoop. Floor 4.
 *
 * Each gets its own argv: argv[0] is "nosnoop audit" and the like. Returns the exit status.
 */
#ifndef NSN_COMMANDS_H
#define NSN_COMMANDS_H

int cmd_audit(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif /* NSN_COMMANDS_H */
