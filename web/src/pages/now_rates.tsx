import type { JSX } from "preact";
import { useContext } from "preact/hooks";
import { type Loaded, urlOf, useApi } from "../api/client";
import type { Listing, PortRow, RateRow, SensorRow, Status } from "../api/types";
import { Legend, type Line, SavePlot, TimePlot } from "../charts/plot";
import { onlyCounts, rateLine, worthDrawing } from "../charts/rows";
import { CsvLink } from "../parts/ranks";
import { Section, Stale, why } from "../parts/section";
import { useSensors } from "../parts/trust";
import { go } from "../router";
import { isShort, STEP, zoomHref } from "../span";
import { change, count, NONE, rate } from "../text/format";
import { lang } from "../text/language";
import { type Before, beforeDay, dayAnswer, lastWeekday, mover, rateAnswer, weeksAnswer } from "../text/sentences";
import { t } from "../text/strings";

// Now, its middle: how much, and how that came.
const DAY = STEP.day;
const COMPARABLE = 0.5; // a span observed less than this is compared with nothing
const DAY_URL = urlOf("/v1/rate", { step: "10min", from: "-24h" });
const WEEKS_URL = urlOf("/v1/rate", { step: "day", from: "-28d" });
const WHOLE_URL = urlOf("/v1/rate", { step: "span", from: "-24h" });
const span = (from: string, to: string): string => urlOf("/v1/rate", { step: "span", from, to });

const known = (r: RateRow | undefined): r is RateRow => r !== undefined && r.rate !== null && (r.observed ?? 1) >= COMPARABLE;

export interface Then {
	before: Before;
	days: 1 | 7;
	line: string;
}

// With what the last 24 hours are compared: the 24 before, as ports and countries are; else the same weekday of last week.
export function useThen(asOf: string | null): { week: RateRow | undefined; day: RateRow | undefined; then: Then } {
	const week = useApi<Listing<RateRow>>(span("-8d", "-7d")).data?.rows[0];
	const day = useApi<Listing<RateRow>>(span("-48h", "-24h")).data?.rows[0];
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
			unit={t(short ? "storedAll" : "last24h")}
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
	const short = isShort(stored),
		step = short ? "minute" : "10min";
	return { url: short ? urlOf("/v1/rate", { step, from: stored?.first }) : DAY_URL, step: STEP[step], short };
}

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
	const now = useApi<Listing<RateRow>>(url);
	const earlier = useApi<Listing<RateRow>>(
		short || !url
			? null
			: urlOf("/v1/rate", { step: "10min", from: then.days === 7 ? "-8d" : "-48h", to: then.days === 7 ? "-7d" : "-24h" }),
	);
	const rows = now.data?.rows ?? [],
		to = Date.parse(now.data?.to ?? new Date().toISOString()),
		from = short && now.data ? Date.parse(now.data.from) : to - DAY;
	const total = whole?.rate ?? null,
		was = then.days === 1 ? then.before.rate : null,
		because = mover(ports, total, was),
		counts = onlyCounts(rows);
	const lines: Line[] = [rateLine(short ? t("minuteValue") : t("tenMinutes"), "now", rows, 0, now.data?.as_of, step)];
	if (earlier.data && worthDrawing(earlier.data.rows))
		lines.push(rateLine(then.line, "before", earlier.data.rows, then.days * DAY));
	const answer = dayAnswer(rows, because, (total ?? 0) > (was ?? 0)),
		label = short ? t("storedAll") : t("hours24");
	const unit = counts ? t("accessesPer", t(short ? "stepMinute" : "step10min")) : t("perDayAddress");
	const plot = {
		label: `${label}: ${answer}`,
		lines,
		from,
		to,
		step,
		ending: !short,
		steps: counts,
		minutes: true,
		stale,
		why: why(now),
		zoom: zoomTrend,
	};
	const table = short ? "/trend?range=all&show=table" : "/trend?range=24h&show=table";
	return (
		<Section
			id="day"
			label={label}
			unit={unit}
			of={now}
			url={url}
			class="day"
			answer={answer}
			actions={
				<>
					<a href={table}>{t("table")}</a>
					{url && <CsvLink url={url} />}
					<SavePlot plot={plot} title={answer} unit={unit} />
				</>
			}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} />
		</Section>
	);
}

export function WeeksChart({ capturing }: { capturing: boolean }): JSX.Element {
	const stale = useContext(Stale) !== null,
		now = useApi<Listing<RateRow>>(WEEKS_URL);
	const earlier = useApi<Listing<RateRow>>(urlOf("/v1/rate", { step: "day", from: "-56d", to: "-28d" }));
	const rows = now.data?.rows ?? [],
		to = Date.parse(now.data?.to ?? new Date().toISOString()),
		counts = onlyCounts(rows);
	const lines: Line[] = [rateLine(t("daily"), "now", rows, 0, now.data?.as_of, DAY)];
	if (earlier.data && worthDrawing(earlier.data.rows))
		lines.push(rateLine(t("weeksBefore"), "before", earlier.data.rows, 28 * DAY));
	const plot = {
		label: `${t("weeks4")}: ${weeksAnswer(rows)}`,
		lines,
		from: to - 28 * DAY,
		to,
		step: DAY,
		steps: true,
		ending: true,
		stale,
		why: why(now),
		last: capturing ? t("today") : undefined,
	};
	return (
		<Section
			id="weeks"
			label={t("weeks4")}
			unit={counts ? t("accessesPer", t("stepDay")) : t("perDayAddress")}
			of={now}
			url={WEEKS_URL}
			class="weeks"
			answer={weeksAnswer(rows)}
			actions={
				<>
					<a href="/trend?range=28d&show=table">{t("table")}</a>
					<CsvLink url={WEEKS_URL} />
				</>
			}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} />
		</Section>
	);
}
