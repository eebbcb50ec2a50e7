import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { ClassRow, Listing, RateRow } from "../api/types";
import { Bar } from "../charts/bars";
import { Legend, type Line, SavePlot, TimePlot } from "../charts/plot";
import { onlyCounts, pointsOf, rateLine, worthDrawing } from "../charts/rows";
import { Controls } from "../parts/controls";
import { CsvLink } from "../parts/ranks";
import { Section, why } from "../parts/section";
import { type Column, CopyRows, Table } from "../parts/table";
import { go, here, usePlace } from "../router";
import { type Span, STEP, useSpan, zoomHref } from "../span";
import { trendAnswer } from "../text/answers";
import { count, moment, rate, share } from "../text/format";
import { className } from "../text/services";
import { type Key, t } from "../text/strings";
import type { ViewProps } from "./index";

export const STEP_WORD: Record<Span["step"], Key> = {
	minute: "stepMinute",
	"10min": "step10min",
	hour: "stepHour",
	day: "stepDay",
};
export const zoom = (from: number, to: number): void => go(zoomHref(from, to));

const rateColumns = (): Column<RateRow>[] => [
	{
		key: "moment",
		head: t("firstMoment"),
		cell: r => (
			<time dateTime={r.moment} title={r.moment}>
				{moment(r.moment)}
			</time>
		),
		text: r => r.moment,
		sort: r => -Date.parse(r.moment),
	},
	{ key: "rate", head: t("rate"), number: true, cell: r => rate(r.rate), text: r => r.rate, sort: r => r.rate },
	{ key: "low", head: t("low"), number: true, cell: r => rate(r.low), text: r => r.low, sort: r => r.low },
	{ key: "high", head: t("high"), number: true, cell: r => rate(r.high), text: r => r.high, sort: r => r.high },
	{ key: "without", head: t("without"), number: true, cell: r => rate(r.without), text: r => r.without, sort: r => r.without },
	{
		key: "accesses",
		head: t("accesses"),
		number: true,
		cell: r => count(r.accesses),
		text: r => r.accesses,
		sort: r => r.accesses,
	},
	{
		key: "sources",
		head: t("sources"),
		number: true,
		optional: true,
		cell: r => count(r.sources),
		text: r => r.sources,
		sort: r => r.sources,
	},
	{
		key: "observed",
		head: t("observed"),
		number: true,
		class: "soft",
		cell: r => share(r.observed),
		text: r => r.observed,
		sort: r => r.observed,
	},
];

interface ClassSum {
	class: string;
	packets: number;
	accesses: number;
	share: number;
}

function summed(rows: ClassRow[]): ClassSum[] {
	const by = new Map<string, ClassSum>();
	let all = 0;
	for (const r of rows) {
		const s = by.get(r.class) ?? { class: r.class, packets: 0, accesses: 0, share: 0 };
		s.packets += r.packets;
		s.accesses += r.accesses;
		all += r.packets;
		by.set(r.class, s);
	}
	return [...by.values()].map(s => ({ ...s, share: all ? s.packets / all : 0 })).sort((a, b) => b.packets - a.packets);
}

function Classes({ span, sensor }: { span: Span; sensor: string | null }): JSX.Element {
	const url = urlOf("/v1/classes", { step: span.step === "day" ? "day" : "hour", from: span.from, to: span.to, sensor });
	const of = useApi<Listing<ClassRow>>(url),
		rows = summed(of.data?.rows ?? []),
		most = rows[0]?.packets ?? 0;
	const columns: Column<ClassSum>[] = [
		{ key: "class", head: t("class"), cell: r => className(r.class), text: r => r.class },
		{ key: "bar", head: "", class: "bars", cell: r => <Bar now={r.packets} most={most} /> },
		{ key: "packets", head: t("packets"), number: true, cell: r => count(r.packets), text: r => r.packets },
		{ key: "share", head: t("share"), number: true, cell: r => share(r.share), text: r => r.share },
		{
			key: "accesses",
			head: t("accesses"),
			number: true,
			class: "soft",
			cell: r => count(r.accesses),
			text: r => r.accesses,
		},
	];
	const sums = { ...of, data: of.data && { ...of.data, rows } };
	return (
		<Section
			id="classes"
			label={t("classes")}
			unit={t("packetsShare")}
			of={of}
			url={url}
			actions={
				<>
					<CopyRows columns={columns} rows={rows} />
					<CsvLink url={url} />
				</>
			}
		>
			<Table label={t("classes")} columns={columns} of={sums} id={r => r.class} hint={6} />
		</Section>
	);
}

export function Trend({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		sensor = query.get("sensor"),
		asTable = query.get("show") === "table";
	const span = useSpan(status.data, "7d"),
		step = STEP[span.step];
	const params = { from: span.from, to: span.to, sensor };
	const url = urlOf("/v1/rate", { step: span.step, ...params }),
		of = useApi<Listing<RateRow>>(url);
	const beforeUrl = span.before && urlOf("/v1/rate", { step: span.step, from: span.before.from, to: span.before.to, sensor });
	const before = useApi<Listing<RateRow>>(beforeUrl);
	const whole = useApi<Listing<RateRow>>(urlOf("/v1/rate", { step: "span", ...params })).data?.rows[0];
	const wholeBefore = useApi<Listing<RateRow>>(
		span.before && urlOf("/v1/rate", { step: "span", from: span.before.from, to: span.before.to, sensor }),
	).data?.rows[0];
	const rows = of.data?.rows ?? [],
		from = Date.parse(of.data?.from ?? "") || Date.now() - 7 * STEP.day,
		to = Date.parse(of.data?.to ?? "") || Date.now();
	const frame = {
		from,
		to,
		step,
		steps: span.step === "day" || onlyCounts(rows),
		zoom,
		minutes: step < STEP.hour,
		why: why(of),
	};
	const asOf = of.data?.as_of;
	const counts = onlyCounts(rows),
		unit = counts ? t("accessesPer", t(STEP_WORD[span.step])) : t("perDayAddress");
	const lines: Line[] = [rateLine(unit, "now", rows, 0, asOf, step)];
	if (before.data && worthDrawing(before.data.rows))
		lines.push(rateLine(t("spanBefore"), "before", before.data.rows, to - from));
	const bands: Line[] = (["high", "low", "without"] as const).map(k => ({
		name: t(`${k}Long`),
		look: k,
		points: pointsOf(rows, r => r[k], 0, asOf, step),
	}));
	const sources: Line[] = [{ name: t("sources"), look: "now", points: pointsOf(rows, r => r.sources, 0, asOf, step) }];
	const counted = rows.some(r => r.sources !== null); // distinct sources do not add up: long steps have none
	const answer = trendAnswer(whole, wholeBefore, span.name),
		columns = rateColumns();
	const plot = { label: answer || t("trend"), lines, size: "tall" as const, ending: true, ...frame };
	const actions = (
		<>
			<a href={here({ show: asTable ? null : "table" })}>{asTable ? t("chart") : t("table")}</a>
			{asTable && <CopyRows columns={columns} rows={rows} />}
			<CsvLink url={url} />
			{!asTable && <SavePlot plot={plot} title={answer || t("trend")} unit={unit} />}
		</>
	);
	return (
		<>
			<section class="head">
				<h1>{answer || t("trend")}</h1>
				<Controls span={span} />
			</section>
			<div class="row">
				<Section id="total" label={counts ? t("accesses") : t("rate")} unit={unit} of={of} url={url} actions={actions}>
					{asTable ? (
						<Table
							label={t("rate")}
							columns={columns}
							of={of}
							rows={[...rows].reverse()}
							id={r => r.moment}
							sorts="sort"
							hint={12}
						/>
					) : (
						<>
							<TimePlot {...plot} />
							<Legend lines={lines} />
						</>
					)}
				</Section>
			</div>
			{!asTable && !counts && (
				<div class="row">
					<Section id="bands" label={t("bands")} unit={t("perDayAddress")}>
						<TimePlot label={t("bands")} lines={bands} {...frame} />
						<Legend lines={bands} />
					</Section>
				</div>
			)}
			<div class={"row " + (counted ? "two" : "")}>
				{counted && (
					<Section
						id="sources"
						label={t("distinctSources", t(STEP_WORD[span.step]))}
						actions={<a href="/sources">{t("sources")}</a>}
					>
						<TimePlot label={t("sources")} lines={sources} size="low" {...frame} />
					</Section>
				)}
				<Classes span={span} sensor={sensor} />
			</div>
		</>
	);
}
