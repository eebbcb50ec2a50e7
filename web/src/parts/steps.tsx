import { type Loaded, urlOf } from "../api/client";
import type { Listing, RateRow } from "../api/types";
import type { Framed, Line } from "../charts/lines";
import { onlyCounts } from "../charts/rows";
import { go } from "../router";
import { type Span, STEP, zoomHref } from "../span";
import { count, rate, share } from "../text/format";
import { type Key, t } from "../text/strings";
import type { Column } from "./table";
import { why } from "./section";
import { Time } from "./time";

// Series by step: their words, the columns of their tables, the frame of their plots.
export const STEP_WORD: Record<Span["step"], Key> = {
	minute: "stepMinute",
	"10min": "step10min",
	hour: "stepHour",
	day: "stepDay",
};

export const zoom = (from: number, to: number): void => go(zoomHref(from, to));
export const rateUrl = (params: Record<string, string | null | undefined>): string => urlOf("/v1/rate", params);

export const rateUnit = (rows: RateRow[] | { rate: number | null; accesses: number }[], step: Span["step"]): string =>
	onlyCounts(rows) ? t("accessesPer", t(STEP_WORD[step])) : t("perDayAddress");

export const momentColumn = <Row extends { moment: string }>(): Column<Row> => ({
	key: "moment",
	head: t("firstMoment"),
	cell: r => <Time at={r.moment} />,
	text: r => r.moment,
	sort: r => -Date.parse(r.moment),
});

// A column of numbers; where no row has one, there is none.
export function numberColumn<Row>(
	key: string,
	head: string,
	value: (r: Row) => number | null,
	text: (v: number | null) => string = count,
	look?: string,
): Column<Row> {
	const column: Column<Row> = { key, head, number: true, optional: true, cell: r => text(value(r)), text: value, sort: value };
	return look ? { ...column, class: look } : column;
}

// What was not observed is missing, not zero.
export const counted = (r: { accesses: number; observed: number | null }): number | null => (r.observed === 0 ? null : r.accesses);

export const rateColumns = (): Column<RateRow>[] => [
	momentColumn(),
	numberColumn("rate", t("rate"), r => r.rate, rate),
	numberColumn("low", t("low"), r => r.low, rate),
	numberColumn("high", t("high"), r => r.high, rate),
	numberColumn("without", t("without"), r => r.without, rate),
	numberColumn("accesses", t("accesses"), counted),
	numberColumn("sources", t("sources"), r => r.sources),
	numberColumn("observed", t("observed"), r => r.observed, share, "soft"),
];

// Rows of a span as one: its rate is that over all the time observed.
export function wholeOf(rows: RateRow[] | undefined): RateRow | undefined {
	if (!rows?.length) return undefined;
	const days = rows.reduce((n, r) => n + (r.address_days ?? 0), 0),
		sum = (value: (r: RateRow) => number | null): number => rows.reduce((n, r) => n + (value(r) ?? 0), 0);
	const mean = (value: (r: RateRow) => number | null): number | null =>
		days > 0 && rows.some(r => value(r) !== null) ? sum(r => (value(r) ?? 0) * (r.address_days ?? 0)) / days : null;
	return {
		moment: rows[0]!.moment,
		accesses: sum(r => r.accesses),
		packets: sum(r => r.packets),
		rate: mean(r => r.rate),
		low: mean(r => r.low),
		high: mean(r => r.high),
		without: mean(r => r.without),
		address_days: days,
		observed: sum(r => r.observed) / rows.length,
		sources: null,
	};
}

// The frame of a plot of a listing's span.
export function framed(of: Loaded<Listing<unknown>>, name: Span["step"], counts: boolean): Omit<Framed, "lines"> & {
	zoom: typeof zoom;
	minutes: boolean;
	why: string | null;
} {
	const step = STEP[name];
	return {
		from: Date.parse(of.data?.from ?? "") || Date.now() - 7 * STEP.day,
		to: Date.parse(of.data?.to ?? "") || Date.now(),
		step,
		steps: name === "day" || counts,
		zoom,
		minutes: step < STEP.hour,
		why: why(of),
	};
}

export type { Line };
