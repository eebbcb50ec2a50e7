import { here, usePlace } from "./router";
import { keep, kept } from "./text/language";
import type { Key } from "./text/strings";

// The range of a view, as the URL has it: `range=` one of these, or `from=` and `to=`.
export type RangeName = "24h" | "7d" | "28d" | "1y" | "all";
export type Step = "minute" | "10min" | "hour" | "day";

const HOUR = 3_600_000,
	DAY = 24 * HOUR;
export const STEP: Record<Step, number> = { minute: 60_000, "10min": 600_000, hour: HOUR, day: DAY };

export interface Span {
	name: RangeName | null;
	from: string; // as the API takes them
	to: string | null;
	before: { from: string; to: string } | null; // the span of equal length that ends where this one begins
	step: Step;
	usual: RangeName; // what a URL without a range means
	params: { range: string | null; from: string | null; to: string | null }; // as the URL has them
}

const DAYS: Record<Exclude<RangeName, "all">, number> = { "24h": 1, "7d": 7, "28d": 28, "1y": 365 };
export const RANGES: readonly { name: RangeName; key: Key }[] = [
	{ name: "24h", key: "range24h" },
	{ name: "7d", key: "range7d" },
	{ name: "28d", key: "range28d" },
	{ name: "1y", key: "range1y" },
	{ name: "all", key: "rangeAll" },
];

export interface Stored {
	first: string | null;
	as_of: string | null;
	capturing: boolean;
} // what there is at all

export const lengthOf = (stored: Stored | undefined): number | null =>
	stored?.first && stored.as_of ? Math.max(STEP.minute, Date.parse(stored.as_of) - Date.parse(stored.first)) : null;

const SHORT = 6 * HOUR;

// A stored capture of some hours at the most: it is shown whole.
export const isShort = (stored: Stored | undefined): boolean =>
	stored !== undefined && !stored.capturing && (lengthOf(stored) ?? Infinity) < SHORT;

export function stepFor(length: number): Step {
	if (length <= 3 * HOUR) return "minute";
	if (length <= 2 * DAY) return "10min";
	return length <= 21 * DAY ? "hour" : "day";
}

const isName = (text: string | null): text is RangeName => RANGES.some(r => r.name === text);

export function spanOf(query: URLSearchParams, stored: Stored | undefined, fallback: RangeName = "24h"): Span {
	const from = query.get("from"),
		to = query.get("to"),
		range = query.get("range");
	const begin = from ? Date.parse(from) : NaN,
		end = to ? Date.parse(to) : NaN;
	if (from && to && end > begin) {
		const before = { from: new Date(2 * begin - end).toISOString(), to: new Date(begin).toISOString() };
		return { name: null, from, to, before, step: stepFor(end - begin), usual: fallback, params: { range: null, from, to } };
	}
	const name = isName(range) ? range : fallback;
	const params = { range: name === fallback ? null : name, from: null, to: null };
	if (name === "all") {
		return {
			name,
			from: stored?.first ?? "2000-01-01",
			to: null,
			before: null,
			step: stepFor(lengthOf(stored) ?? 400 * DAY),
			usual: fallback,
			params,
		};
	}
	const days = DAYS[name];
	const relative = (n: number): string => (n === 1 ? "-24h" : `-${n}d`);
	return {
		name,
		from: relative(days),
		to: null,
		before: { from: `-${2 * days}d`, to: relative(days) },
		step: stepFor(days * DAY),
		usual: fallback,
		params,
	};
}

// What was stored when the pages were last open: a good guess until the first answer.
const KEPT = "stored";
function guess(): Stored | undefined {
	try {
		return (JSON.parse(kept(KEPT) ?? "null") as Stored | null) ?? undefined;
	} catch {
		return undefined;
	}
}
let guessed = guess();

export function storedIs({ first, as_of, capturing }: Stored): void {
	guessed = { first, as_of: capturing ? null : as_of, capturing };
	keep(KEPT, JSON.stringify(guessed));
}

// The span of a view: by its URL, else the one it usually has.
export function viewSpan(query: URLSearchParams, stored: Stored | undefined, fallback: RangeName = "24h"): Span {
	const there = stored ?? guessed;
	return spanOf(query, there, isShort(there) ? "all" : fallback);
}

export const useSpan = (stored: Stored | undefined, fallback: RangeName = "24h"): Span =>
	viewSpan(usePlace().query, stored, fallback);

// What questions about a span take.
export type Asked = { from: string; to: string | null; sensor: string | null };
export const asked = (span: Span, query: URLSearchParams): Asked => ({
	from: span.from,
	to: span.to,
	sensor: query.get("sensor"),
});

export const rangeHref = (name: RangeName, fallback: RangeName = "24h"): string =>
	here({ range: name === fallback ? null : name, from: null, to: null, figure: null });

export const zoomHref = (from: number, to: number): string => {
	const minute = (n: number): string => new Date(Math.round(n / 60_000) * 60_000).toISOString().replace(":00.000Z", ":00Z");
	return here({ range: null, from: minute(from), to: minute(to) });
};
