// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_top_value.c - numbers, times, bars and sparklines for nosnooptop's cells. Floor 3.
 */
#include "render_top_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

unsigned int nsn_top_tone(enum nsn_tone tone)
{
	return tone == NSN_TONE_GOOD      ? NSN_STYLE_GOOD
	       : tone == NSN_TONE_WARNING ? NSN_STYLE_WARNING
	       : tone == NSN_TONE_BAD     ? NSN_STYLE_BAD
					  : 0;
}

unsigned int nsn_top_severity(enum nsn_severity severity)
{
	return severity == NSN_SEVERITY_CRITICAL  ? NSN_STYLE_BAD
	       : severity == NSN_SEVERITY_WARNING ? NSN_STYLE_WARNING
						  : 0;
}

const char *nsn_top_number(struct nsn_page *page, double number)
{
	static const char *const units[] = { "", "k", "M", "G", "T" };
	size_t unit = 0;

	if (number < 0.05)
		return "0";
	while (number >= 999.5 && unit + 1 < NSN_ARRAY_SIZE(units)) {
		number /= 1000;
		unit++;
	}
	return nsn_page__format(page, number < 9.95 ? "%.1f%s" : "%.0f%s", number, units[unit]);
}

const char *nsn_top_count(struct nsn_page *page, uint64_t count)
{
	return count < 1000 ? nsn_page__format(page, "%" PRIu64, count)
			    : nsn_top_number(page, (double)count);
}

const char *nsn_top_percent(struct nsn_page *page, double share)
{
	double percent = share * 100;

	if (percent < 0.05)
		return "0";
	return nsn_page__format(page, percent < 9.95 ? "%.1f" : "%.0f", percent);
}

const char *nsn_top_seconds(struct nsn_draw *draw, double seconds)
{
	const char *unit = draw->utf8 ? "\xc2\xb5s" : "us";
	double number = seconds * 1e6;

	if (number >= 999.5) {
		number /= 1000;
		unit = "ms";
	}
	if (number >= 999.5) {
		number /= 1000;
		unit = "s";
	}
	return nsn_page__format(draw->page, number < 9.95 ? "%.1f%s" : "%.0f%s", number, unit);
}

const char *nsn_top_age(struct nsn_page *page, uint64_t ns)
{
	uint64_t seconds = ns / 1000000000;

	if (seconds < 120)
		return nsn_page__format(page, "%" PRIu64 " s", seconds);
	if (seconds < 7200)
		return nsn_page__format(page, "%" PRIu64 " min", seconds / 60);
	if (seconds < 172800)
		return nsn_page__format(page, "%" PRIu64 " h", seconds / 3600);
	return nsn_page__format(page, "%" PRIu64 " d", seconds / 86400);
}

const char *nsn_top_clock(struct nsn_page *page, uint64_t ns, bool seconds)
{
	char time[32];

	/* 2026-11-23T06:00:00Z */
	nsn_format_time(time, sizeof(time), ns);
	if (seconds)
		return nsn_page__format(page, "%.8s", time + 11);
	return nsn_page__format(page, "%.8s.%03" PRIu64, time + 11, ns / 1000000 % 1000);
}

static const char *level(double share, bool utf8)
{
	static const char *const blocks[] = { "\xe2\x96\x82", "\xe2\x96\x83", "\xe2\x96\x84",
					      "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87",
					      "\xe2\x96\x88" };
	static const char *const ascii[] = { ".", ":", "-", "=", "+", "*", "#" };
	size_t i = share >= 1 ? 6 : (size_t)(share * 7);

	return utf8 ? blocks[i] : ascii[i];
}

void nsn_draw__sparkline(struct nsn_draw *draw, const struct nsn_vm *vm, size_t cells)
{
	double rates[NSN_RATES_KEPT], most = 0;
	size_t count;

	if (cells > NSN_RATES_KEPT)
		cells = NSN_RATES_KEPT;
	count = draw->top->rates ? nsn_rates__history(draw->top->rates, vm, rates, cells) : 0;
	for (size_t i = 0; i < count; i++)
		most = rates[i] > most ? rates[i] : most;
	nsn_draw__padded(draw, 0, "", (long)(cells - count));
	for (size_t i = 0; i < count; i++) {
		/* what is no rate at all is told apart from a small one */
		if (rates[i] < 0.05)
			nsn_draw__text(draw, NSN_STYLE_DIM, draw->utf8 ? "\xe2\x96\x81" : "_");
		else
			nsn_draw__text(draw, NSN_STYLE_ACCENT, level(rates[i] / most, draw->utf8));
	}
}

const char *nsn_top_bar(struct nsn_draw *draw, double share, size_t cells)
{
	static const char *const eighths[] = { "",
					       "\xe2\x96\x8f",
					       "\xe2\x96\x8e",
					       "\xe2\x96\x8d",
					       "\xe2\x96\x8c",
					       "\xe2\x96\x8b",
					       "\xe2\x96\x8a",
					       "\xe2\x96\x89" };
	double length = (share > 1 ? 1 : share < 0 ? 0 : share) * (double)cells;
	char bar[3 * NSN_SAFE_CELLS / 4 + 8] = "";
	size_t used = 0, rest = (size_t)((length - (double)(size_t)length) * 8);

	for (size_t i = 0; i < (size_t)length && used + 8 < sizeof(bar); i++) {
		const char *full = draw->utf8 ? "\xe2\x96\x88" : "#";

		for (const char *c = full; *c; c++)
			bar[used++] = *c;
	}
	bar[used] = '\0';
	if (share > 0 && !used && !rest)
		rest = 1;
	return nsn_page__format(draw->page, "%s%s", bar,
				draw->utf8          ? eighths[rest]
				: rest > 3 || !used ? "#"
						    : "");
}

const char *nsn_top_verdict_words(const char *verdict, const char *words)
{
	if (strcmp(verdict, nsn_verdict_name(NSN_VERDICT_UNKNOWN)) == 0)
		return "facts are missing: nosnoop audit says which, and why";
	return words ? words : verdict;
}

const char *nsn_top_event_result(struct nsn_page *page, const struct nsn_rec_event *rec,
				 unsigned int *style)
{
	*style = 0;
	if (NSN_KNOWS(rec, event, error) && rec->error) {
		*style = NSN_STYLE_WARNING;
		return nsn_page__safe(page, nsn_errno_name((int)rec->error));
	}
	if (rec->event == NSN_EVENT_WBINVD && NSN_KNOWS(rec, event, executed)) {
		*style = rec->executed ? NSN_STYLE_WARNING : 0;
		return rec->executed ? "executed" : "ignored";
	}
	if (rec->event == NSN_EVENT_ENFORCE && NSN_KNOWS(rec, event, enforced)) {
		*style = rec->enforced ? NSN_STYLE_GOOD : NSN_STYLE_WARNING;
		return rec->enforced ? "enforced" : "refused";
	}
	if (rec->event == NSN_EVENT_LOST) {
		*style = NSN_STYLE_BAD;
		return nsn_page__format(page, "%llu lost", (unsigned long long)rec->count);
	}
	return NSN_KNOWS(rec, event, error) ? "ok" : "";
}

/* Adds a part to a list of them. */
static const char *add(struct nsn_page *page, const char *text, const char *part)
{
	return *part ? nsn_page__format(page, "%s%s%s", text, *text ? ", " : "", part) : text;
}

const char *nsn_top_event_text(struct nsn_draw *draw, const struct nsn_rec_event *rec)
{
	struct nsn_page *page = draw->page;
	const char *text = "";

	if (NSN_KNOWS(rec, event, reason))
		text = add(page, text, nsn_reason_text(rec->reason));
	if (NSN_KNOWS(rec, event, detail))
		text = add(page, text, nsn_page__safe(page, rec->detail));
	if (NSN_KNOWS(rec, event, registrations))
		text = add(page, text,
			   nsn_page__format(page, "%llu registered",
					    (unsigned long long)rec->registrations));
	if (NSN_KNOWS(rec, event, noncoherent))
		text = add(page, text, rec->noncoherent ? "non-coherent" : "coherent");
	if (NSN_KNOWS(rec, event, mapped) && rec->mapped)
		text = add(page, text, "it had mappings");
	if (NSN_KNOWS(rec, event, op))
		text = add(page, text, nsn_page__safe(page, rec->op));
	if (rec->event == NSN_EVENT_HOST_FLUSH && NSN_KNOWS(rec, event, initiator))
		text = add(page, text,
			   nsn_page__format(page, "by %s", nsn_initiator_name(rec->initiator)));
	if (NSN_KNOWS(rec, event, comm) && rec->comm[0])
		text = add(page, text,
			   nsn_page__format(page, "%s[%llu]", nsn_page__safe(page, rec->comm),
					    (unsigned long long)rec->pid));
	if (NSN_KNOWS(rec, event, duration))
		text = add(page, text, nsn_top_seconds(draw, (double)rec->duration * 1e-9));
	return text;
}
