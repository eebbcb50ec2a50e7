import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { ClassRow, Listing, RateRow } from "../api/types";
import { Bar } from "../charts/bars";
import type { Line } from "../charts/lines";
import { Legend, type PlotProps, TimePlot } from "../charts/plot";
import { plotPicture } from "../charts/png";
import { onlyCounts, pointsOf, rateLine, worthDrawing } from "../charts/rows";
import { Actions } from "../parts/actions";
import { Charted } from "../parts/charted";
import { Controls } from "../parts/controls";
import { Section } from "../parts/section";
import { framed, momentColumn, numberColumn, rateColumns, rateUnit, rateUrl, STEP_WORD, wholeOf } from "../parts/steps";
import { type Column, Table } from "../parts/table";
import { here, usePlace } from "../router";
import { asked, type Span, STEP, type Stored, useSpan, viewSpan } from "../span";
import { trendAnswer } from "../text/answers";
import { count, rate, share } from "../text/format";
import { className } from "../text/services";
import { t } from "../text/strings";
import { Figure, FIGURES, figureOf, figureUrl, useFigureAnswer } from "./figures";
import type { ViewProps } from "./index";

const USUAL = "7d";

function urls(query: URLSearchParams, span: Span): { rate: string; before: string | null; classes: string } {
	const params = asked(span, query),
		before = span.before && { ...params, ...span.before };
	return {
		rate: rateUrl({ step: span.step, ...params }),
		before: before && rateUrl({ step: span.step, ...before }),
		classes: urlOf("/v1/classes", { step: span.step === "day" ? "day" : "hour", ...params }),
	};
}

export function trendAsks(_: string[], query: URLSearchParams, stored: Stored | undefined): (string | null)[] {
	const figure = figureOf(query),
		u = urls(query, viewSpan(query, stored, USUAL));
	return figure ? [figureUrl(figure, query.get("sensor"))] : [u.rate, u.before, u.classes];
}

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

function Classes({ url }: { url: string }): JSX.Element {
	const of = useApi<Listing<ClassRow>>(url),
		rows = summed(of.data?.rows ?? []),
		most = rows[0]?.packets ?? 0;
	const columns: Column<ClassSum>[] = [
		{ key: "class", head: t("class"), cell: r => className(r.class), text: r => r.class },
		{ key: "bar", head: "", class: "bars", cell: r => <Bar now={r.packets} most={most} /> },
		numberColumn("packets", t("packets"), r => r.packets),
		numberColumn("share", t("share"), r => r.share, share),
		numberColumn("accesses", t("accesses"), r => r.accesses, count, "soft"),
	];
	const sums = { ...of, data: of.data && { ...of.data, rows } };
	return (
		<Section
			id="classes"
			label={t("classes")}
			unit={t("packetsShare")}
			of={of}
			url={url}
			actions={<Actions id="classes" url={url} of={of.data} columns={columns} rows={rows} />}
		>
			<Table label={t("classes")} columns={columns} of={sums} id={r => r.class} hint={6} />
		</Section>
	);
}

// The usual ranges, and beside them the yearly figures.
function Presets({ span }: { span: Span }): JSX.Element {
	const shown = figureOf(usePlace().query);
	return (
		<Controls span={span} chosen={shown === null}>
			<span class="ranges" role="group" aria-label={t("figures")}>
				{FIGURES.map(f => (
					<a
						key={f}
						href={here({ figure: f, range: null, from: null, to: null, table: null })}
						aria-current={shown === f ? "true" : undefined}
						title={t(f === "2-19" ? "figure219" : "figure220")}
					>
						{t("figure", f)}
					</a>
				))}
			</span>
		</Controls>
	);
}

export function Trend({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		figure = figureOf(query),
		sensor = query.get("sensor"),
		span = useSpan(status.data, USUAL);
	const answer = useFigureAnswer(figure, status.data, sensor);
	if (!figure) return <Series span={span} />;
	return (
		<>
			<section class="head">
				<h1>{answer || t("figure", figure)}</h1>
				<Presets span={span} />
			</section>
			<Figure figure={figure} stored={status.data} sensor={sensor} />
		</>
	);
}

function Series({ span }: { span: Span }): JSX.Element {
	const u = urls(usePlace().query, span),
		step = STEP[span.step];
	const of = useApi<Listing<RateRow>>(u.rate),
		before = useApi<Listing<RateRow>>(u.before);
	const rows = of.data?.rows ?? [],
		counts = onlyCounts(rows),
		unit = rateUnit(rows, span.step),
		asOf = of.data?.as_of;
	const frame = framed(of, span.step, counts);
	const lines: Line[] = [rateLine(unit, "now", rows, 0, asOf, step)];
	if (before.data && worthDrawing(before.data.rows))
		lines.push(rateLine(t("spanBefore"), "before", before.data.rows, frame.to - frame.from));
	const bands: Line[] = (["high", "low", "without"] as const).map(k => ({
		name: t(`${k}Long`),
		look: k,
		points: pointsOf(rows, r => r[k], 0, asOf, step),
	}));
	const sources: Line[] = [{ name: t("sources"), look: "now", points: pointsOf(rows, r => r.sources, 0, asOf, step) }];
	const counted = rows.some(r => r.sources !== null); // distinct sources do not add up: long steps have none
	const answer = trendAnswer(wholeOf(of.data?.rows), wholeOf(before.data?.rows), span.name),
		columns = rateColumns(),
		newest = [...rows].reverse();
	const plot: PlotProps = { label: answer || t("trend"), lines, size: "tall", ending: true, ...frame };
	const bandPlot: PlotProps = { label: t("bands"), lines: bands, ...frame };
	const sourcePlot: PlotProps = { label: t("sources"), lines: sources, size: "low", ...frame };
	const perStep = t("distinctSources", t(STEP_WORD[span.step]));
	const shared = { of, url: u.rate, rows: newest, rowId: (r: RateRow) => r.moment };
	return (
		<>
			<section class="head">
				<h1>{answer || t("trend")}</h1>
				<Presets span={span} />
			</section>
			<div class="row">
				<Charted
					{...shared}
					id="total"
					label={counts ? t("accesses") : t("rate")}
					unit={unit}
					columns={columns}
					picture={() => plotPicture(plot, answer || t("trend"), unit)}
				>
					<TimePlot {...plot} />
					<Legend lines={lines} />
				</Charted>
			</div>
			{!counts && (
				<div class="row">
					<Charted
						{...shared}
						id="bands"
						label={t("bands")}
						unit={t("perDayAddress")}
						columns={[
							momentColumn(),
							...(["low", "high", "without"] as const).map(k => numberColumn<RateRow>(k, t(`${k}Long`), r => r[k], rate)),
						]}
						picture={() => plotPicture(bandPlot, t("bands"), t("perDayAddress"))}
					>
						<TimePlot {...bandPlot} />
						<Legend lines={bands} />
					</Charted>
				</div>
			)}
			<div class={"row " + (counted ? "two" : "")}>
				{counted && (
					<Charted
						{...shared}
						id="sources"
						label={perStep}
						columns={[momentColumn(), numberColumn<RateRow>("sources", t("sources"), r => r.sources)]}
						picture={() => plotPicture(sourcePlot, perStep, t("sources"))}
						more={<a href="/sources">{t("sources")}</a>}
					>
						<TimePlot {...sourcePlot} />
					</Charted>
				)}
				<Classes url={u.classes} />
			</div>
		</>
	);
}
