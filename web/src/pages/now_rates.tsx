import type { JSX } from "preact";
import { useContext } from "preact/hooks";
import { type Loaded, useApi } from "../api/client";
import type { Listing, PortRow, RateRow, SensorRow, Status } from "../api/types";
import type { Line } from "../charts/lines";
import { Legend, type PlotProps, TimePlot } from "../charts/plot";
import { plotPicture, save } from "../charts/png";
import { onlyCounts, rateLine, worthDrawing } from "../charts/rows";
import { Actions } from "../parts/actions";
import { Section, Stale, why } from "../parts/section";
import { rateUrl } from "../parts/steps";
import { useSensors, WHOLE_URL } from "../parts/trust";
import { go } from "../router";
import { isShort, STEP, type Stored, zoomHref } from "../span";
import { change, count, NONE, rate } from "../text/format";
import { lang } from "../text/language";
import { type Before, beforeDay, dayAnswer, lastWeekday, mover, rateAnswer, weeksAnswer } from "../text/sentences";
import { t } from "../text/strings";
import { ended, endText } from "../text/when";

// Now, its middle: how much, and how that came.
const DAY = STEP.day;
const COMPARABLE = 0.5; // a span observed less than this is compared with nothing
const TWO_DAYS_URL = rateUrl({ step: "10min", from: "-48h" }); // both lines of the day
const DAY_URL = rateUrl({ step: "10min", from: "-24h" });
const EIGHT_WEEKS_URL = rateUrl({ step: "day", from: "-56d" }); // both lines of four weeks
const WEEKS_URL = rateUrl({ step: "day", from: "-28d" });
const WEEK_BEFORE_URL = rateUrl({ step: "10min", from: "-8d", to: "-7d" });
const span = (from: string, to: string): string => rateUrl({ step: "span", from, to });
const THEN_URLS = [span("-8d", "-7d"), span("-48h", "-24h")] as const;

// All that the middle asks for; where a capture is short, it is shown whole and compared with nothing.
export const ratesAsks = (stored: Stored | undefined): string[] =>
	isShort(stored) ? [minutesUrl(stored), ...THEN_URLS] : [...THEN_URLS, TWO_DAYS_URL, EIGHT_WEEKS_URL];
const minutesUrl = (stored: Stored | undefined): string => rateUrl({ step: "minute", from: stored?.first });

const known = (r: RateRow | undefined): r is RateRow => r !== undefined && r.rate !== null && (r.observed ?? 1) >= COMPARABLE;

export interface Then {
	before: Before;
	days: 1 | 7;
	line: string;
}

// With what the last 24 hours are compared: the 24 before, as ports and countries are; else the same weekday of last week.
export function useThen(asOf: string | null): { week: RateRow | undefined; day: RateRow | undefined; then: Then } {
	const week = useApi<Listing<RateRow>>(THEN_URLS[0]).data?.rows[0];
	const day = useApi<Listing<RateRow>>(THEN_URLS[1]).data?.rows[0];
	const sevenAgo = new Date((asOf ? Date.parse(asOf) : Date.now()) - 7 * DAY);
	const then: Then =
		known(day) || !known(week)
			? { before: { rate: known(day) ? day.rate : null, name: beforeDay }, days: 1, line: t("dayBefore") }
			: { before: { rate: week.rate, name: lastWeekday(sevenAgo) }, days: 7, line: t("sameDayLastWeek") };
	return { week: known(week) ? week : undefined, day: known(day) ? day : undefined, then };
}

function Fact({ name, v, than }: { name: string; v: number | null | undefined; than: string }): JSX.Element {
	return (
		<tr>
			<th scope="row">{name}</th>
			<td class="n">{rate(v)}</td>
			<td class="n strong">{than}</td>
		</tr>
	);
}

function quartiles(rows: SensorRow[]): [number, number, number] | null {
	const v = rows
		.map(r => r.rate)
		.filter((r): r is number => r !== null)
		.sort((a, b) => a - b);
	if (v.length < 2) return null;
	const at = (q: number): number => {
		const i = (v.length - 1) * q,
			low = Math.floor(i);
		return v[low]! + (v[Math.min(v.length - 1, low + 1)]! - v[low]!) * (i - low);
	};
	return [at(0.25), at(0.5), at(0.75)];
}

export function Big({
	whole,
	then,
	week,
	day,
	asOf,
	short,
}: {
	short: boolean;
	whole: Loaded<Listing<RateRow>>;
	then: Then;
	week: RateRow | undefined;
	day: RateRow | undefined;
	asOf: string | null;
}): JSX.Element {
	const row = whole.data?.rows[0],
		sensors = useSensors().data?.rows ?? [],
		mid = quartiles(sensors);
	const sevenAgo = new Date((asOf ? Date.parse(asOf) : Date.now()) - 7 * DAY);
	const missing = row !== undefined && row.rate === null && row.accesses > 0,
		accesses = row?.accesses;
	return (
		<Section
			id="rate"
			label={missing ? t("accesses") : t("rate")}
			unit={short ? t("storedAll") : ended.get() ? t("dayTo", endText(ended.get()!)) : t("last24h")}
			answer={missing ? t("hintMonitored") : rateAnswer(row, then.before, then.days)}
			of={whole}
			url={WHOLE_URL}
			class="rate"
		>
			<p class={"big" + (whole.data || whole.failure ? "" : " waits")}>
				{row && row.rate !== null
					? rate(row.rate)
					: accesses
						? count(accesses)
						: whole.data || whole.failure
							? NONE
							: " "}
			</p>
			<p class="under">{missing ? t("noDivisor") : t("perDayAddress")}</p>
			<table class="facts">
				<tbody>
					{week && (
						<Fact
							name={lastWeekday(sevenAgo)[lang()].replace(/^l/, "L")}
							v={week.rate}
							than={change(row?.rate, week.rate)}
						/>
					)}
					{day && <Fact name={t("theDayBefore")} v={day.rate} than={change(row?.rate, day.rate)} />}
					{mid && (
						<tr>
							<th scope="row">{t("sensorMedian")}</th>
							<td class="n">{rate(mid[1])}</td>
							<td class="n soft">
								{rate(mid[0])}–{rate(mid[2])}
							</td>
						</tr>
					)}
					{row && row.sources !== null && (
						<tr>
							<th scope="row">{t("sources")}</th>
							<td class="n">{count(row.sources)}</td>
							<td />
						</tr>
					)}
				</tbody>
			</table>
		</Section>
	);
}

const zoomTrend = (from: number, to: number): void => go("/trend" + zoomHref(from, to).replace(/^[^?]*/, ""));

// What the chart beside the rate is of: the last 24 hours, or all of a short capture.
export function useDayUrl({ data: stored, failure }: Loaded<Status>): { url: string | null; step: number; short: boolean } {
	if (!stored && !failure) return { url: null, step: STEP["10min"], short: false };
	const short = isShort(stored);
	return { url: short ? minutesUrl(stored) : TWO_DAYS_URL, step: STEP[short ? "minute" : "10min"], short };
}

// Rows from a moment on, and those before it.
const since = (rows: RateRow[], at: number): RateRow[] => rows.filter(r => Date.parse(r.moment) >= at);
const until = (rows: RateRow[], at: number): RateRow[] => rows.filter(r => Date.parse(r.moment) < at);

export function DayChart({
	then,
	ports,
	whole,
	status,
}: {
	then: Then;
	ports: PortRow[];
	whole: RateRow | undefined;
	status: Loaded<Status>;
}): JSX.Element {
	const { url, step, short } = useDayUrl(status),
		stale = useContext(Stale) !== null;
	const of = useApi<Listing<RateRow>>(url),
		week = useApi<Listing<RateRow>>(!short && url && then.days === 7 ? WEEK_BEFORE_URL : null);
	const all = of.data?.rows ?? [],
		to = Date.parse(of.data?.to ?? new Date().toISOString()),
		from = short && of.data ? Date.parse(of.data.from) : to - DAY;
	const rows = since(all, from - step + 1),
		earlier = short ? [] : then.days === 7 ? (week.data?.rows ?? []) : until(all, from);
	const total = whole?.rate ?? null,
		was = then.days === 1 ? then.before.rate : null,
		because = mover(ports, total, was),
		counts = onlyCounts(rows);
	const lines: Line[] = [rateLine(short ? t("minuteValue") : t("tenMinutes"), "now", rows, 0, of.data?.as_of, step)];
	if (worthDrawing(earlier)) lines.push(rateLine(then.line, "before", earlier, then.days * DAY));
	const answer = dayAnswer(rows, because, (total ?? 0) > (was ?? 0)),
		label = short ? t("storedAll") : t("hours24");
	const unit = counts ? t("accessesPer", t(short ? "stepMinute" : "step10min")) : t("perDayAddress");
	const plot: PlotProps = {
		label: `${label}: ${answer}`,
		lines,
		from,
		to,
		step,
		ending: !short,
		steps: counts,
		minutes: true,
		stale,
		why: why(of),
		zoom: zoomTrend,
	};
	return (
		<Section
			id="day"
			label={label}
			unit={unit}
			of={of}
			url={url}
			class="day"
			answer={answer}
			actions={
				<Actions
					id="total"
					url={url && (short ? url : DAY_URL)}
					of={{ from: new Date(from).toISOString(), to: new Date(to).toISOString() }}
					place="/trend"
					tableHref={short ? "/trend?range=all&table=total" : "/trend?range=24h&table=total"}
					png={() => save(plotPicture(plot, answer, unit))}
				/>
			}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} />
		</Section>
	);
}

export function WeeksChart({ capturing }: { capturing: boolean }): JSX.Element {
	const stale = useContext(Stale) !== null,
		of = useApi<Listing<RateRow>>(EIGHT_WEEKS_URL);
	const all = of.data?.rows ?? [],
		to = Date.parse(of.data?.to ?? new Date().toISOString()),
		from = to - 28 * DAY;
	const rows = since(all, from),
		earlier = until(all, from),
		counts = onlyCounts(rows);
	const lines: Line[] = [rateLine(t("daily"), "now", rows, 0, of.data?.as_of, DAY)];
	if (worthDrawing(earlier)) lines.push(rateLine(t("weeksBefore"), "before", earlier, 28 * DAY));
	const answer = weeksAnswer(rows),
		unit = counts ? t("accessesPer", t("stepDay")) : t("perDayAddress");
	const plot: PlotProps = {
		label: `${t("weeks4")}: ${answer}`,
		lines,
		from,
		to,
		step: DAY,
		steps: true,
		ending: true,
		stale,
		why: why(of),
		last: capturing ? t("today") : undefined,
	};
	return (
		<Section
			id="weeks"
			label={t("weeks4")}
			unit={unit}
			of={of}
			url={EIGHT_WEEKS_URL}
			class="weeks"
			answer={answer}
			actions={
				<Actions
					id="total"
					url={WEEKS_URL}
					of={{ from: new Date(from).toISOString(), to: new Date(to).toISOString() }}
					place="/trend"
					tableHref="/trend?range=28d&table=total"
					png={() => save(plotPicture(plot, answer, unit))}
				/>
			}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} />
		</Section>
	);
}
