import type { JSX } from "preact";
import { useContext } from "preact/hooks";
import { type Loaded, urlOf, useApi } from "../api/client";
import type { CountryRow, Listing, NetworkRow, PortRow, RateRow, SensorRow, Status, ToolRow } from "../api/types";
import { Split } from "../charts/bars";
import { Legend, type Line, SavePlot, TimePlot } from "../charts/plot";
import { WorldMap } from "../charts/map";
import { onlyCounts, rateLine } from "../charts/rows";
import { LiveRow } from "../parts/live";
import { barColumn, changeColumn, countryColumn, countryMark, CsvLink, networkColumns, portColumn, portMark, rankColumn, rateColumn, serviceColumn, toolColumns, unitOf } from "../parts/ranks";
import { Section, Stale, why } from "../parts/section";
import { Table } from "../parts/table";
import { useSensors, useWhole } from "../parts/trust";
import { go } from "../router";
import { isShort, lengthOf, STEP, zoomHref } from "../span";
import { change, count, NONE, rate } from "../text/format";
import { lang } from "../text/language";
import {
	type Before, beforeDay, COUNTRY_JUMP, countriesAnswer, dayAnswer, hasJumped, lastWeekday, mover, networksAnswer, nowLead, PORT_JUMP,
	portsAnswer, rateAnswer, toolsAnswer, weeksAnswer,
} from "../text/sentences";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

type Rows<Row> = Loaded<Listing<Row>>;
const DAY = STEP.day, COMPARABLE = 0.5; // a span observed less than this is compared with nothing

const DAY_URL = urlOf("/v1/rate", { step: "10min", from: "-24h" });
const WEEKS_URL = urlOf("/v1/rate", { step: "day", from: "-28d" });
const PORTS_URL = urlOf("/v1/ports", { from: "-24h", limit: 8 });
const COUNTRIES_URL = urlOf("/v1/countries", { from: "-24h", limit: 60 });
const NETWORKS_URL = urlOf("/v1/networks", { from: "-24h", limit: 4 });
const TOOLS_URL = urlOf("/v1/tools", { from: "-24h" });
const span = (from: string, to: string): string => urlOf("/v1/rate", { step: "span", from, to });

const known = (r: RateRow | undefined): r is RateRow => r !== undefined && r.rate !== null && (r.observed ?? 1) >= COMPARABLE;

interface Then { before: Before; days: 1 | 7; line: string }

// With what the last 24 hours are compared: the 24 before, as ports and countries are; else the same weekday of last week.
function useThen(asOf: string | null): { week: RateRow | undefined; day: RateRow | undefined; then: Then } {
	const week = useApi<Listing<RateRow>>(span("-8d", "-7d")).data?.rows[0];
	const day = useApi<Listing<RateRow>>(span("-48h", "-24h")).data?.rows[0];
	const sevenAgo = new Date((asOf ? Date.parse(asOf) : Date.now()) - 7 * DAY);
	const then: Then = known(day) || !known(week)
		? { before: { rate: known(day) ? day.rate : null, name: beforeDay }, days: 1, line: t("dayBefore") }
		: { before: { rate: week.rate, name: lastWeekday(sevenAgo) }, days: 7, line: t("sameDayLastWeek") };
	return { week: known(week) ? week : undefined, day: known(day) ? day : undefined, then };
}

function Fact({ name, v, than }: { name: string; v: number | null | undefined; than: string }): JSX.Element {
	return <tr><th scope="row">{name}</th><td class="n">{rate(v)}</td><td class="n strong">{than}</td></tr>;
}

function quartiles(rows: SensorRow[]): [number, number, number] | null {
	const v = rows.map(r => r.rate).filter((r): r is number => r !== null).sort((a, b) => a - b);
	if (v.length < 2)
		return null;
	const at = (q: number): number => {
		const i = (v.length - 1) * q, low = Math.floor(i);
		return v[low]! + (v[Math.min(v.length - 1, low + 1)]! - v[low]!) * (i - low);
	};
	return [at(0.25), at(0.5), at(0.75)];
}

function Big({ whole, then, week, day, asOf, short }: { short: boolean; whole: Rows<RateRow>; then: Then; week: RateRow | undefined; day: RateRow | undefined; asOf: string | null }): JSX.Element {
	const row = whole.data?.rows[0], sensors = useSensors().data?.rows ?? [], mid = quartiles(sensors);
	const sevenAgo = new Date((asOf ? Date.parse(asOf) : Date.now()) - 7 * DAY);
	const missing = whole.data !== undefined && (!row || row.rate === null), accesses = row?.accesses;
	return (
		<Section id="rate" label={missing ? t("accesses") : t("rate")} unit={t(short ? "storedAll" : "last24h")} answer={missing ? t("hintMonitored") : rateAnswer(row, then.before, then.days)} of={whole} url={span("-24h", "")} class="rate">
			<p class={"big" + (whole.data || whole.failure ? "" : " waits")}>{row && row.rate !== null ? rate(row.rate) : accesses ? count(accesses) : whole.data || whole.failure ? NONE : " "}</p>
			<p class="under">{missing ? t("noDivisor") : t("perDayAddress")}</p>
			<table class="facts">
				<tbody>
					{week && <Fact name={lastWeekday(sevenAgo)[lang()].replace(/^l/, "L")} v={week.rate} than={change(row?.rate, week.rate)} />}
					{day && <Fact name={t("theDayBefore")} v={day.rate} than={change(row?.rate, day.rate)} />}
					{mid && <tr><th scope="row">{t("sensorMedian")}</th><td class="n">{rate(mid[1])}</td><td class="n soft">{rate(mid[0])}–{rate(mid[2])}</td></tr>}
					{row && row.sources !== null && <tr><th scope="row">{t("sources")}</th><td class="n">{count(row.sources)}</td><td /></tr>}
				</tbody>
			</table>
		</Section>
	);
}

const zoomTrend = (from: number, to: number): void => go("/trend" + zoomHref(from, to).replace(/^[^?]*/, ""));

// What the chart beside the rate is of: the last 24 hours, or all of a short capture.
function useDayUrl(stored: Status | undefined): { url: string | null; step: number; short: boolean } {
	if (!stored)
		return { url: null, step: STEP["10min"], short: false };
	const short = isShort(stored), step = short ? "minute" : "10min";
	return { url: short ? urlOf("/v1/rate", { step, from: stored.first }) : DAY_URL, step: STEP[step], short };
}

function DayChart({ then, ports, whole, stored }: { then: Then; ports: PortRow[]; whole: RateRow | undefined; stored: Status | undefined }): JSX.Element {
	const { url, step, short } = useDayUrl(stored), stale = useContext(Stale) !== null;
	const now = useApi<Listing<RateRow>>(url);
	const earlier = useApi<Listing<RateRow>>(short || !stored ? null : urlOf("/v1/rate", { step: "10min", from: then.days === 7 ? "-8d" : "-48h", to: then.days === 7 ? "-7d" : "-24h" }));
	const rows = now.data?.rows ?? [], to = Date.parse(now.data?.to ?? new Date().toISOString()), from = short && now.data ? Date.parse(now.data.from) : to - DAY;
	const total = whole?.rate ?? null, was = then.days === 1 ? then.before.rate : null, because = mover(ports, total, was), counts = onlyCounts(rows);
	const lines: Line[] = [rateLine(short ? t("minuteValue") : t("tenMinutes"), "now", rows, 0, now.data?.as_of, step)];
	if (earlier.data?.rows.some(r => (r.observed ?? 0) > 0))
		lines.push(rateLine(then.line, "before", earlier.data.rows, then.days * DAY));
	const answer = dayAnswer(rows, because, (total ?? 0) > (was ?? 0)), label = short ? t("storedAll") : t("hours24");
	const unit = counts ? t("accessesPer", t(short ? "stepMinute" : "step10min")) : t("perDayAddress");
	const plot = { label: `${label}: ${answer}`, lines, from, to, step, ending: !short, steps: counts, minutes: true, stale, why: why(now), zoom: zoomTrend };
	const table = short ? "/trend?range=all&show=table" : "/trend?range=24h&show=table";
	return (
		<Section
			id="day" label={label} unit={unit} of={now} url={url} class="day" answer={answer}
			actions={<><a href={table}>{t("table")}</a>{url && <CsvLink url={url} />}<SavePlot plot={plot} title={answer} unit={unit} /></>}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} />
		</Section>
	);
}

function WeeksChart({ capturing }: { capturing: boolean }): JSX.Element {
	const stale = useContext(Stale) !== null, now = useApi<Listing<RateRow>>(WEEKS_URL);
	const earlier = useApi<Listing<RateRow>>(urlOf("/v1/rate", { step: "day", from: "-56d", to: "-28d" }));
	const rows = now.data?.rows ?? [], to = Date.parse(now.data?.to ?? new Date().toISOString()), counts = onlyCounts(rows);
	const lines: Line[] = [rateLine(t("daily"), "now", rows, 0, now.data?.as_of, DAY)];
	if (earlier.data?.rows.some(r => (r.observed ?? 0) > 0))
		lines.push(rateLine(t("weeksBefore"), "before", earlier.data.rows, 28 * DAY));
	const plot = { label: `${t("weeks4")}: ${weeksAnswer(rows)}`, lines, from: to - 28 * DAY, to, step: DAY, steps: true, ending: true, stale, why: why(now), last: capturing ? t("today") : undefined };
	return (
		<Section
			id="weeks" label={t("weeks4")} unit={counts ? t("accessesPer", t("stepDay")) : t("perDayAddress")} of={now} url={WEEKS_URL} class="weeks" answer={weeksAnswer(rows)}
			actions={<><a href="/trend?range=28d&show=table">{t("table")}</a><CsvLink url={WEEKS_URL} /></>}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} />
		</Section>
	);
}

const bands = (r: RateRow | undefined): { look: string; v: number }[] =>
	r ? [{ look: "low", v: r.low ?? 0 }, { look: "high", v: r.high ?? 0 }, { look: "without", v: r.without ?? 0 }] : [];

function Bands({ now, before, name }: { now: RateRow | undefined; before: RateRow | undefined; name: string }): JSX.Element | null {
	if (!now || now.rate === null || now.low === null)
		return null;
	const most = Math.max(now.rate ?? 0, before?.rate ?? 0);
	return (
		<div class="bands">
			<p><span>{t("lastDay")}</span><Split parts={bands(now)} most={most} /></p>
			{before && <p class="soft"><span>{name}</span><Split parts={bands(before)} most={most} /></p>}
			<p class="key">
				{(["low", "high", "without"] as const).map(k => (
					<span key={k} title={t(`${k}Long`)}><i class={`swatch ${k}`} />{t(k)} <b>{rate(now[k])}</b> {before && change(now[k], before[k])}</span>
				))}
			</p>
		</div>
	);
}

function Ports({ ports, whole, day }: { ports: Rows<PortRow>; whole: RateRow | undefined; day: RateRow | undefined }): JSX.Element {
	const columns = [rankColumn<PortRow>(ports.data?.rows, PORT_JUMP), portColumn(), serviceColumn(), barColumn(ports.data?.rows, PORT_JUMP), rateColumn<PortRow>(ports.data?.rows), changeColumn<PortRow>(PORT_JUMP)];
	return (
		<Section
			id="ports" label={t("destinationPorts")} unit={`${unitOf(ports.data?.rows)}, ${t("againstDayBefore")}`} of={ports} url={PORTS_URL}
			answer={portsAnswer(ports.data?.rows ?? [])} actions={<a href="/ports">{t("allPorts")}</a>}
		>
			<Bands now={whole} before={day} name={t("theDayBefore")} />
			<Table label={t("destinationPorts")} columns={columns} of={ports} id={r => `${r.protocol}/${r.port}`} empty={t("nonePorts")} hint={8} mark={portMark} />
		</Section>
	);
}

function Countries(): JSX.Element {
	const of = useApi<Listing<CountryRow>>(COUNTRIES_URL);
	const columns = [rankColumn<CountryRow>(of.data?.rows, COUNTRY_JUMP), countryColumn(), rateColumn<CountryRow>(of.data?.rows), changeColumn<CountryRow>(COUNTRY_JUMP)];
	return (
		<Section id="countries" label={t("countries")} unit={unitOf(of.data?.rows)} of={of} url={COUNTRIES_URL} answer={countriesAnswer((of.data?.rows ?? []).slice(0, 8))} actions={<a href="/networks">{t("all")}</a>}>
			<div class="mapped">
				<WorldMap rows={of.data?.rows} small />
				<Table label={t("countries")} columns={columns} of={of} id={r => r.country ?? "-"} empty={t("noneCountries")} hint={8} mark={countryMark} rows={of.data?.rows.slice(0, 8)} />
			</div>
		</Section>
	);
}

function Networks(): JSX.Element {
	const of = useApi<Listing<NetworkRow>>(NETWORKS_URL);
	return (
		<Section id="networks" label={t("networksOnly")} unit={unitOf(of.data?.rows)} of={of} url={NETWORKS_URL} answer={networksAnswer(of.data?.rows ?? [])} actions={<a href="/networks">{t("all")}</a>}>
			<Table label={t("networksOnly")} columns={[...networkColumns(), rateColumn<NetworkRow>(of.data?.rows)]} of={of} id={r => String(r.as_number)} hint={4} mark={r => (hasJumped(r, COUNTRY_JUMP) ? "jumped" : "")} />
		</Section>
	);
}

function Tools(): JSX.Element {
	const of = useApi<Listing<ToolRow>>(TOOLS_URL);
	return (
		<Section id="tools" label={t("tools")} unit={t("shareOfSources")} of={of} url={TOOLS_URL} answer={toolsAnswer(of.data?.rows ?? [])}>
			<Table label={t("tools")} columns={toolColumns(of.data?.rows)} of={of} rows={of.data?.rows.slice(0, 5)} id={r => r.tool} empty={t("noneTools")} hint={4} />
		</Section>
	);
}

export function Now({ status }: ViewProps): JSX.Element {
	const whole = useWhole(), stored = status.data, { week, day, then } = useThen(stored?.as_of ?? null);
	const ports = useApi<Listing<PortRow>>(PORTS_URL), { short } = useDayUrl(stored), row = whole.data?.rows[0];
	const because = then.days === 1 ? mover(ports.data?.rows ?? [], row?.rate ?? null, then.before.rate) : null;
	return (
		<>
			<LiveRow lead={nowLead(row, then.before, because?.row ?? null, lang(), short ? (lengthOf(stored) ?? 0) / 1000 : null) || (whole.data ? t("nothingYet") : "")} />
			<div class={"row rates" + (short ? " short" : "")}>
				<Big whole={whole} then={then} week={week} day={day} asOf={stored?.as_of ?? null} short={short} />
				<DayChart then={then} ports={ports.data?.rows ?? []} whole={row} stored={stored} />
				{!short && <WeeksChart capturing={stored?.capturing === true} />}
			</div>
			<div class="row whom">
				<Ports ports={ports} whole={row} day={day} />
				<Countries />
				<div class="stack"><Networks /><Tools /></div>
			</div>
		</>
	);
}
